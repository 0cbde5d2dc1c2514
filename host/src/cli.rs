//! The command line: one file a command. Commands parse arguments, wire things together and print; they decide
//! nothing.

mod again;
mod allocator;
mod attend;
mod backfill;
mod backfill_status;
mod batch;
mod check;
mod compile_function;
mod demo;
mod functions;
mod gate;
mod held_status;
mod init;
mod logging;
mod merge;
mod merge_status;
mod new;
mod ownership;
mod produce;
mod report;
mod schema;
mod settings;
mod status;
mod stop;
mod table;
mod trigger;
mod up;
mod verify;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::say;
use tallow_env::exit;

/// Streams of market messages into candles, by sandboxed WebAssembly functions, exactly once.
#[derive(Parser)]
#[command(name = "tallow", version, arg_required_else_help = true, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    logging: logging::Args,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a folder to begin with: a manifest, a sample, and what to type next
    Init(init::Args),
    /// Run the pipelines of a manifest
    Up(up::Args),
    /// Show all of it on this machine alone: a synthetic market, an embedded broker, candles in the terminal
    Demo(demo::Args),
    /// Write market messages into a Kafka topic: synthetic ones or a recording
    Produce(produce::Args),
    /// Fetch from an exchange what the pipelines' tables lack
    Backfill(backfill::Args),
    /// Make one served table of a batch table and a pipeline's window
    Merge(merge::Args),
    /// Show where the pipelines stand: offsets, lag, watermark, state, ledger, last commits
    Status(status::Args),
    /// Make a table of files: klines as CSV or Parquet, by the stream's own functions
    Batch(batch::Args),
    /// Check a manifest and its components without running them
    Check(check::Args),
    /// Print the JSON schema of a manifest, by which editors complete and check it
    Schema,
    /// Functions: check and try them, and change them while a pipeline runs
    Functions(functions::Args),
    /// Make a crate for a function of your own, with tests and golden vectors
    New(new::Args),
    /// Prove commits: compute them again, and check the files that they gave
    Verify(verify::Args),
    #[command(hide = true)]
    CompileFunction(compile_function::Args),
}

/// A command's failure: what to say, and the exit code.
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    fn new(code: u8, text: impl ToString) -> Self {
        Self { text: text.to_string(), code }
    }
}

impl From<tallow_pipeline::PipelineError> for Failure {
    fn from(error: tallow_pipeline::PipelineError) -> Self {
        Self::new(error.exit_code(), &error)
    }
}

impl From<tallow_backfill::BackfillError> for Failure {
    fn from(error: tallow_backfill::BackfillError) -> Self {
        Self::new(error.exit_code(), error)
    }
}

impl From<tallow_worker::LibraryError> for Failure {
    fn from(error: tallow_worker::LibraryError) -> Self {
        tallow_pipeline::PipelineError::from(error).into()
    }
}

impl From<tallow_worker::WorkerError> for Failure {
    fn from(error: tallow_worker::WorkerError) -> Self {
        tallow_pipeline::PipelineError::from(error).into()
    }
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    stop::survive_full_files();
    say::tell_panics();
    if trigger::is_called() {
        return trigger::main();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to do where even the message cannot be printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE });
        }
    };
    let fallback = if matches!(cli.command, Command::Demo(_)) { "warn" } else { "info" };
    logging::start(&cli.logging, fallback, None);
    let done = match cli.command {
        Command::Init(args) => init::run(args),
        Command::Up(args) => up::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Produce(args) => produce::run(args),
        Command::Backfill(args) => backfill::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Status(args) => status::run(args),
        Command::Batch(args) => batch::run(args),
        Command::Check(args) => check::run(args),
        Command::Schema => schema::run(),
        Command::Functions(args) => functions::run(args),
        Command::New(args) => new::run(args),
        Command::Verify(args) => verify::run(args),
        Command::CompileFunction(args) => compile_function::run(args),
    };
    end("tallow", done)
}

/// The exit code, after saying why a command failed.
fn end(program: &str, done: Result<(), Failure>) -> ExitCode {
    // A run that failed early has not taken its progress off the terminal.
    say::clear();
    match done {
        Ok(()) => ExitCode::from(if say::is_lost() { exit::FAILED } else { exit::DONE }),
        Err(failure) => {
            eprintln!("{program}: {}", failure.text);
            ExitCode::from(failure.code)
        }
    }
}
