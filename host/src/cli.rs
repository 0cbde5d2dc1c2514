//! The command line: one file a command. Commands parse arguments, wire things together and print; they decide
//! nothing.

mod again;
mod allocator;
mod backfill;
mod backfill_status;
mod batch;
mod check;
mod compile_function;
mod compose;
mod control_server;
mod dead_letters;
mod demo;
mod forecast;
mod forecast_status;
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

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::thread::JoinHandle;

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
    /// Create a folder to start from: a manifest, a sample, and what to type next
    Init(init::Args),
    /// Run the pipelines of a manifest
    Up(up::Args),
    /// Show everything on this machine alone: a synthetic market, an embedded broker, candles in the terminal
    Demo(demo::Args),
    /// Write market messages into a Kafka topic: synthetic ones or a recording
    Produce(produce::Args),
    /// Fetch from an exchange what is missing from the pipelines' tables
    Backfill(backfill::Args),
    /// Merge a batch table and a pipeline's window into one served table
    Merge(merge::Args),
    /// Forecast series of a table or of files, and judge the forecasts beside the last value
    Forecast(forecast::Args),
    /// Show the state of the pipelines: offsets, lag, watermark, state, ledger, last commits
    Status(status::Args),
    /// Count, show and replay what the pipelines set aside
    DeadLetters(dead_letters::Args),
    /// Make a table from files: klines as CSV or Parquet, by the stream's own functions
    Batch(batch::Args),
    /// Check a manifest and its components without running them
    Check(check::Args),
    /// Print the JSON schema of a manifest, with which editors complete and check it; propose a schema of messages
    Schema(schema::Args),
    /// Check and try functions, and change them while a pipeline runs
    Functions(functions::Args),
    /// Create a crate for your own function, with tests and golden vectors
    New(new::Args),
    /// Prove commits: compute them again, and check the files that they published
    Verify(verify::Args),
    #[command(hide = true)]
    CompileFunction(compile_function::Args),
}

/// Why a command failed, and its exit code.
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    fn new(code: u8, text: impl ToString) -> Self {
        Self { text: text.to_string(), code }
    }

    /// The command line or the manifest is wrong.
    fn usage(text: impl ToString) -> Self {
        Self::new(exit::USAGE, text)
    }

    fn failed(text: impl ToString) -> Self {
        Self::new(exit::FAILED, text)
    }

    /// A file that the command line or the manifest names cannot be used.
    fn file(path: &Path, error: impl Display) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    /// Reports each of several failures; the exit code is the first one's.
    fn of_several(failures: impl IntoIterator<Item = (u8, String)>) -> Result<(), Self> {
        let (codes, texts): (Vec<u8>, Vec<String>) = failures.into_iter().unzip();
        codes.first().map_or(Ok(()), |code| Err(Self::new(*code, texts.join("\n"))))
    }
}

macro_rules! failure_from {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.exit_code(), error)
            }
        })*
    };
}

failure_from!(
    tallow_pipeline::PipelineError,
    tallow_log::LogError,
    tallow_backfill::BackfillError,
    tallow_forecast::ForecastError,
    tallow_letters::LettersError,
    tallow_merge::MergeError,
    tallow_store::StoreError,
    tallow_table::TableError
);

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
    let cli = match parse::<Cli>() {
        Ok(cli) => cli,
        Err(code) => return code,
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
        Command::Forecast(args) => forecast::run(args),
        Command::Status(args) => status::run(args),
        Command::DeadLetters(args) => dead_letters::run(args),
        Command::Batch(args) => batch::run(args),
        Command::Check(args) => check::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Functions(args) => functions::run(args),
        Command::New(args) => new::run(args),
        Command::Verify(args) => verify::run(args),
        Command::CompileFunction(args) => compile_function::run(args),
    };
    end("tallow", done)
}

/// This process's arguments; if they ask for help or are wrong, that is printed, and the error is the exit code.
fn parse<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        // If even this cannot be printed, there is nothing left to do.
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE })
    })
}

/// Runs `work` in a thread of that name.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Failure> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Failure::failed)
}

/// The exit code, after reporting why a command failed.
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
