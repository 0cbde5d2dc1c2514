//! Logs on stderr, for people or as JSON, and in a file where one is asked for.

use std::fs::File;
use std::io::IsTerminal;
use std::sync::Arc;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

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

/// `fallback`: what is logged where neither the command line nor the environment says.
pub fn start(args: &Args, fallback: &str) {
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_env_filter(filter(args, fallback))
        .with_target(false);
    match args.log {
        Format::Text => builder.init(),
        Format::Json => builder.json().init(),
    }
}

/// The same with a file that gets everything, too.
pub fn start_with_file(args: &Args, fallback: &str, file: File) {
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr.and(Arc::new(file)))
        .with_ansi(false)
        .with_env_filter(filter(args, fallback))
        .with_target(false);
    match args.log {
        Format::Text => builder.init(),
        Format::Json => builder.json().init(),
    }
}

fn filter(args: &Args, fallback: &str) -> EnvFilter {
    args.log_filter.clone().unwrap_or_else(|| EnvFilter::new(fallback))
}
