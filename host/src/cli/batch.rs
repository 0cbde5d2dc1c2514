//! `tallow batch`: files into a rebuilt table, by a job of the manifest or by flags.

mod flags;
mod show;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tallow_log::owner;
use tallow_manifest::exposed;

use super::compose::Host;
use super::report::LineReporter;
use super::{Failure, allocator, merge, settings, stop};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// The job: a [application.trigger.kafka.batch.NAME] of the manifest
    #[arg(required_unless_present = "input", conflicts_with = "input")]
    name: Option<String>,
    /// Files instead of a job: paths or URLs with wildcards; may be given more than once
    #[arg(long, value_name = "GLOB")]
    input: Vec<String>,
    /// Table below `batch/`, with --input
    #[arg(long, value_name = "NAME", requires = "input", default_value = "daily")]
    table: String,
    /// Size of the windows, with --input
    #[arg(long, value_name = "DURATION", requires = "input", default_value = "1d")]
    window: String,
    /// The symbol of all rows, with --input
    #[arg(long, value_name = "SYMBOL", requires = "input", conflicts_with = "symbol_from")]
    symbol: Option<String>,
    /// Regular expression that finds the symbol in a file's name, with --input; one with a `/` looks at the path
    #[arg(long, value_name = "REGEX", requires = "input")]
    symbol_from: Option<String>,
    /// Names of the columns in order, separated by commas, with --input: for files without a header that names them
    #[arg(long, value_name = "NAMES", requires = "input")]
    columns: Option<String>,
    /// Decimal places of prices (12), or of one column (volume=12), with --input; else 8. May be given more than once
    #[arg(long, value_name = "[COLUMN=]PLACES", requires = "input")]
    scale: Vec<String>,
    /// Length of a kline (1m, 1h, 1d), with --input; otherwise as the files show
    #[arg(long, value_name = "INTERVAL", requires = "input")]
    interval: Option<String>,
    /// Shortest time without klines that counts as a gap, with --input; otherwise any
    #[arg(long, value_name = "DURATION", requires = "input")]
    gap: Option<String>,
    /// Folder for what does not fit into memory, with --input; otherwise the system's temporary folder
    #[arg(long, value_name = "FOLDER", requires = "input")]
    scratch: Option<String>,
    /// Publish groups even if files give no rows, or if rows of the last run are missing
    #[arg(long)]
    allow_empty: bool,
    /// Print progress and the report as JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    allocator::keep_freed_memory();
    let stop = stop::on_signal()?;
    let manifest = args.manifest()?;
    let name = args.name.as_deref().unwrap_or(&args.table);
    let job = settings::named(&manifest, "batch", &manifest.batches, |it| &it.name, name)?;
    let folder =
        if args.input.is_empty() { manifest.path.parent().unwrap_or(Path::new("")) } else { Path::new("") };
    let files = tallow_files::expand(&job.inputs, folder, &exposed(&job.input_options))
        .map_err(|error| Failure::new(error.exit_code(), format!("batch `{name}`: {error}")))?;
    let host = Host::new(&manifest, stop)?;
    let line = Arc::new(Mutex::new(LineReporter::new(args.json)));
    let shown = line.clone();
    let mut services = host.batch(&manifest, job)?;
    services.plan.allow_empty |= args.allow_empty;
    services.watch = Box::new(move |progress| {
        let mut line = shown.lock().unwrap_or_else(PoisonError::into_inner);
        line.show(progress.elapsed, &show::progress(progress), || show::progress_as_json(progress));
    });
    host.check_lake()?;
    let done = tallow_batch::run(&services, files, &owner::name());
    line.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let outcome =
        done.map_err(|error| Failure::new(error.exit_code(), format!("batch `{name}`: {error}")))?;
    show::outcome(name, &outcome, services.store.url(), &services.plan.table.root, args.json);
    Failure::of_several(
        outcome.failed.values().map(|error| (error.exit_code(), format!("batch `{name}`: {error}"))),
    )?;
    let merges = manifest.merges.iter().filter(|it| it.auto && it.batch.as_ref() == Some(&job.table));
    merge::run_each(&host, &manifest, merges, args.json)
}
