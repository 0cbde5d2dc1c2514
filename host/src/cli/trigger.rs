//! `trigger-kafka`: this program as a plugin of Spin. `spin up` runs it under that name, with what the user wrote after
//! `up`, and the application in a lock file; from there on it is `tallow up`.

mod parent;
mod variables;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use serde_json::json;
use tallow_manifest::{Manifest, load_locked};
use url::Url;

use super::report::Show;
use super::{Failure, compile_function, end, logging, parse, settings, stop, up};
use crate::say;
use tallow_env::exit;

/// What the plugin is called: its type of triggers, after `trigger-`.
const NAME: &str = "trigger-kafka";

/// Where Spin says that the lock file is.
const LOCKED_URL: &str = "SPIN_LOCKED_URL";

#[derive(Parser)]
#[command(name = NAME, version, override_usage = "spin up [OPTIONS]", next_help_heading = "Kafka Trigger Options")]
struct Cli {
    #[command(flatten)]
    how: up::How,
    #[command(flatten)]
    changes: settings::Changes,
    #[command(flatten)]
    logging: logging::Args,
    #[command(flatten)]
    common: Common,
    #[arg(long, hide = true)]
    help_args_only: bool,
    #[arg(long, hide = true)]
    launch_metadata_only: bool,
}

/// Options that every trigger takes, since `spin up` gives them to all of an application's triggers. Those of Spin's own
/// runtime mean nothing here.
#[derive(clap::Args)]
struct Common {
    /// Show warnings and errors only
    #[arg(short, long, aliases = ["sh", "shush"])]
    quiet: bool,
    /// Write the log into trigger-kafka.txt in this folder, too
    #[arg(short = 'L', long, env = "SPIN_LOG_DIR", value_name = "DIR")]
    log_dir: Option<PathBuf>,
    /// Empty that file first
    #[arg(long)]
    truncate_logs: bool,
    /// Give a variable of the manifest its value, before SPIN_VARIABLE_<KEY>
    #[arg(long, value_name = "KEY=VALUE | KEY=@FILE")]
    variable: Vec<String>,
    #[arg(long, hide = true)]
    follow: Vec<String>,
    #[arg(long, hide = true)]
    state_dir: Option<String>,
    #[arg(long, hide = true, env = "RUNTIME_CONFIG_FILE")]
    runtime_config_file: Option<PathBuf>,
    #[arg(long, hide = true)]
    cache: Option<PathBuf>,
    #[arg(long, hide = true)]
    disable_cache: bool,
    #[arg(long, hide = true)]
    disable_pooling: bool,
    #[arg(long, hide = true)]
    debug_info: bool,
}

/// Whether Spin runs this process. Compiling a function in a child process works under
/// either name.
pub fn is_called() -> bool {
    let mut arguments = std::env::args_os();
    let name = arguments.next().map(PathBuf::from);
    name.as_deref().and_then(Path::file_name) == Some(OsStr::new(NAME))
        && arguments.next().as_deref() != Some(OsStr::new(compile_function::NAME))
}

pub fn main() -> ExitCode {
    // Before anything that takes time: Spin may be killed at any moment.
    let parents = parent::Parents::now();
    let cli = match parse::<Cli>() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if cli.help_args_only {
        let help = Cli::command().disable_help_flag(true).disable_version_flag(true);
        print!("{}", help.help_template("{all-args}").render_long_help());
        return ExitCode::from(exit::DONE);
    }
    if cli.launch_metadata_only {
        // Spin reads it from there.
        eprintln!("{}", launch_metadata());
        return ExitCode::from(exit::DONE);
    }
    end(NAME, run(&cli, parents))
}

fn run(cli: &Cli, parents: parent::Parents) -> Result<(), Failure> {
    let stop = stop::on_signals()?;
    // At once: its folder is temporary.
    let lock = read_lock()?;
    start_logging(cli)?;
    parents.watch(stop.clone())?;
    if let Some(file) = &cli.common.runtime_config_file {
        let why = "pipelines read nothing from it: variables have their defaults, --variable and SPIN_VARIABLE_<NAME>";
        tracing::info!(file = %file.display(), "{why}");
    }
    let manifest = load(cli, &lock)?;
    let show = match (cli.common.quiet, cli.how.json) {
        (true, _) => Show::Nothing,
        (false, true) => Show::Json,
        (false, false) => Show::Text,
    };
    up::run_pipelines(&manifest, &cli.how, show, stop)
}

fn read_lock() -> Result<String, Failure> {
    let wrong = |why: String| Failure::usage(format!("{LOCKED_URL}{why}"));
    let url = std::env::var(LOCKED_URL).map_err(|_| {
        wrong(" is not set: `spin up` runs this plugin; without Spin, it is `tallow up`".to_owned())
    })?;
    let path = Url::parse(&url).ok().and_then(|url| url.to_file_path().ok());
    let path = path.ok_or_else(|| wrong(format!(" is not the URL of a file: {url}")))?;
    fs::read_to_string(&path).map_err(|error| wrong(format!(": {}: {error}", path.display())))
}

fn load(cli: &Cli, lock: &str) -> Result<Manifest, Failure> {
    let variables = variables::all(&cli.common.variable)?;
    let manifest = load_locked(lock, &variables, &cli.changes.overrides()).map_err(Failure::usage)?;
    // Spin leaves it to the trigger.
    manifest.check_files().map_err(Failure::usage)?;
    say::hide(&manifest.secrets);
    Ok(manifest)
}

fn start_logging(cli: &Cli) -> Result<(), Failure> {
    let fallback = if cli.common.quiet { "warn" } else { "info" };
    // Spin's way to ask for none.
    let folder = cli.common.log_dir.as_deref().filter(|folder| !folder.as_os_str().is_empty());
    let file = folder.map(|folder| {
        log_file(folder, cli.common.truncate_logs)
            .map_err(|error| Failure::usage(format!("--log-dir {}: {error}", folder.display())))
    });
    logging::start(&cli.logging, fallback, file.transpose()?);
    Ok(())
}

fn log_file(folder: &Path, truncate: bool) -> std::io::Result<File> {
    fs::create_dir_all(folder)?;
    let file = OpenOptions::new().append(true).create(true).open(folder.join(NAME).with_extension("txt"))?;
    if truncate {
        file.set_len(0)?;
    }
    Ok(file)
}

/// The flags that are taken: Spin asks before it deals the user's out among several triggers.
fn launch_metadata() -> serde_json::Value {
    let command = Cli::command();
    let flags = command.get_arguments().map(|argument| {
        let short = argument.get_short().map(|short| ("short", format!("-{short}")));
        let long = argument.get_long().map(|long| ("long", format!("--{long}")));
        let names = short.into_iter().chain(long);
        names.map(|(key, name)| (key.to_owned(), json!(name))).collect::<serde_json::Map<_, _>>()
    });
    json!({ "all_flags": flags.collect::<Vec<_>>() })
}
