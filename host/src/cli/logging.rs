//! Logs on stderr, for people or as JSON, and in a file where one is asked for.

use std::fs::File;
use std::io::IsTerminal;
use std::sync::Arc;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::say::Log;

#[derive(clap::Args)]
pub struct Args {
    /// How logs are written to stderr
    #[arg(long, global = true, value_enum, default_value = "text")]
    log: Format,
    /// Which logs are written, such as `warn` or `tallow=debug,tallow_source=trace`
    /// [default: info; warn for `demo`, whose view it would disturb]
    #[arg(long, global = true, env = "TALLOW_LOG", value_name = "FILTER")]
    log_filter: Option<EnvFilter>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// `fallback`: what is logged where neither the command line nor the environment says. `file` gets everything, too.
pub fn start(args: &Args, fallback: &str, file: Option<File>) {
    let colours = file.is_none() && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let filter = args.log_filter.clone().unwrap_or_else(|| EnvFilter::new(fallback));
    let log = Log { file: file.map(Arc::new) };
    let builder = tracing_subscriber::fmt()
        .with_writer(move || log.clone())
        .with_ansi(colours)
        .with_env_filter(filter)
        .with_target(false)
        .log_internal_errors(false);
    match args.log {
        Format::Text => builder.init(),
        Format::Json => builder.json().init(),
    }
}
