//! `tallow batch`: files into a rebuilt table, by a job of the manifest or by flags.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args as ClapArgs;
use serde_json::json;
use tallow_env::{SystemClock, SystemRandom};
use tallow_manifest::{Batch, Manifest, Merge};
use tallow_sink::ReasonKind;

use super::gate::Gate;
use super::report::{LineReporter, counted, grouped, time};
use super::{Failure, allocator, merge, settings, stop, wire};
use tallow_batch::plan::Plan;
use tallow_batch::report::Report;
use tallow_batch::run::{self, Outcome};
use tallow_batch::services::{Progress, Services};
use tallow_env::exit;
use tallow_log::owner;

/// Gaps that people are shown; `--json` gives more.
const SHOWN_GAPS: usize = 10;
/// Columns that `--scale` means without a name.
const PRICES: [&str; 4] = ["open", "high", "low", "close"];

#[derive(ClapArgs)]
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
    /// Names of the columns by place, separated by commas, with --input: for files without a header that says them
    #[arg(long, value_name = "NAMES", requires = "input")]
    columns: Option<String>,
    /// Decimal places of prices (12), or of one column (volume=12), with --input; else 8. May be given more than once
    #[arg(long, value_name = "[COLUMN=]PLACES", requires = "input")]
    scale: Vec<String>,
    /// How long a kline is (1m, 1h, 1d), with --input; else as the files show
    #[arg(long, value_name = "INTERVAL", requires = "input")]
    interval: Option<String>,
    /// How long a time without klines is that counts as a gap, with --input; else any
    #[arg(long, value_name = "DURATION", requires = "input")]
    gap: Option<String>,
    /// Folder for what memory has no room for, with --input; else the system's for temporary files
    #[arg(long, value_name = "FOLDER", requires = "input")]
    scratch: Option<String>,
    /// Publish groups even where files give no row, or where rows are lost against the last run
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
    let job = job(&manifest, name)?;
    let mut plan = Plan::new(job);
    plan.allow_empty |= args.allow_empty;
    let folder =
        if args.input.is_empty() { manifest.path.parent().unwrap_or(Path::new("")) } else { Path::new("") };
    let options = job.input_options.iter().map(|(key, value)| (key.clone(), value.expose().to_owned()));
    let files = tallow_files::expand(&job.inputs, folder, &options.collect())
        .map_err(|error| Failure::new(error.exit_code(), format!("batch `{name}`: {error}")))?;
    let runtime = settings::runtime()?;
    let functions = Gate::new(&manifest)?.of_batch(&manifest, &runtime, job)?;
    let line = Arc::new(Mutex::new(LineReporter::new(args.json)));
    let shown = line.clone();
    let services = Services {
        parse: functions.parse.component,
        window: functions.window.component,
        merge: functions.merge.component,
        store: wire::store(&manifest.kafka)?,
        clock: Arc::new(SystemClock::new()),
        random: Arc::new(SystemRandom),
        stop,
        watch: Box::new(move |progress| {
            let mut line = shown.lock().unwrap_or_else(PoisonError::into_inner);
            line.show(progress.elapsed, &text(progress), || as_json(progress));
        }),
        plan,
    };
    wire::check_lake(&services.store, &*services.random)?;
    let done = run::run(&services, files, &owner::name());
    line.lock().unwrap_or_else(PoisonError::into_inner).finish();
    let outcome =
        done.map_err(|error| Failure::new(error.exit_code(), format!("batch `{name}`: {error}")))?;
    show(&args, name, &outcome, services.store.url(), &services.plan.table.root);
    first_failure(name, &outcome)?;
    let takes = |merge: &&Merge| merge.auto && merge.batch.as_ref() == Some(&job.table);
    let merges: Vec<&Merge> = manifest.merges.iter().filter(takes).collect();
    if merges.is_empty() {
        return Ok(());
    }
    let world = wire::World::new(&manifest, services.stop.clone())?;
    merge::run_each(&world, &manifest, merges.into_iter(), args.json)
}

/// Groups that could not be made are told one by one; the exit code is the first one's.
fn first_failure(name: &str, outcome: &Outcome) -> Result<(), Failure> {
    let Some(first) = outcome.failed.values().next() else { return Ok(()) };
    let texts: Vec<String> =
        outcome.failed.values().map(|error| format!("batch `{name}`: {error}")).collect();
    Err(Failure::new(first.exit_code(), texts.join("\n")))
}

impl Args {
    /// The manifest; with --input one that says what the flags say.
    fn manifest(&self) -> Result<Manifest, Failure> {
        if self.input.is_empty() {
            return self.settings.load();
        }
        let quoted = |text: &str| json!(text).to_string();
        let mut text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"batch\"\n[application.trigger.kafka]\nbrokers = \
             \"localhost\"\nlake = \"lake\"\n[application.trigger.kafka.batch.{}]\ninput = {}\ntumbling = {}\n",
            quoted(&self.table),
            json!(self.input),
            quoted(&self.window),
        );
        for (key, value) in [
            ("symbol", &self.symbol),
            ("symbol-from", &self.symbol_from),
            ("interval", &self.interval),
            ("gap", &self.gap),
            ("parse-settings.columns", &self.columns),
            ("scratch", &self.scratch),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "{key} = {}", quoted(value));
            }
        }
        let scales = self.scales()?;
        if !scales.is_empty() {
            let _ = writeln!(text, "scales = {{ {} }}", scales.join(", "));
        }
        // Spin's schema wants a trigger; this one is nobody's to run.
        text.push_str("[[trigger.none]]\ncomponent = \"parse-kline\"\n");
        for name in ["parse-kline", "window", "merge"] {
            let _ = writeln!(text, "[component.{name}]\nsource = \"target/functions/{name}.wasm\"");
        }
        self.settings.resolve(&text, Path::new("the command line"))
    }
}

impl Args {
    /// The manifest's `scales`. Places without a column are those of all prices.
    fn scales(&self) -> Result<Vec<String>, Failure> {
        let mut scales = BTreeMap::new();
        for scale in &self.scale {
            let (columns, places) = match scale.split_once('=') {
                Some((column, places)) => (vec![column], places),
                None => (PRICES.to_vec(), scale.as_str()),
            };
            let places: u8 = places.parse().map_err(|_| {
                let text = format!("--scale {scale}: give a number of places, like 12 or volume=12");
                Failure::new(exit::USAGE, text)
            })?;
            scales.extend(columns.into_iter().map(|column| (column, places)));
        }
        Ok(scales.into_iter().map(|(column, places)| format!("{} = {places}", json!(column))).collect())
    }
}

fn job<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a Batch, Failure> {
    manifest.batch(name).ok_or_else(|| {
        let names: Vec<&str> = manifest.batches.iter().map(|batch| batch.name.as_str()).collect();
        let there = match names.is_empty() {
            true => "it has none; write [application.trigger.kafka.batch.NAME], or give --input".to_owned(),
            false => format!("there are: {}", names.join(", ")),
        };
        Failure::new(exit::USAGE, format!("{}: no batch `{name}`; {there}", manifest.path.display()))
    })
}

fn text(progress: &Progress) -> String {
    let seconds = progress.elapsed.as_secs_f64().max(1e-3);
    let share = progress.bytes_done as f64 / progress.bytes.max(1) as f64;
    let left = if share > 0.0 { seconds / share - seconds } else { 0.0 };
    let group = if progress.group.is_empty() { String::new() } else { format!("{}: ", progress.group) };
    if let Some((taken, rows)) = progress.sorted {
        let taken = 100.0 * taken as f64 / rows.max(1) as f64;
        return format!(
            "{group}{:.0} % read; its rows were out of order: {} are sorted, {taken:.0} % of them taken",
            100.0 * share,
            grouped(rows),
        );
    }
    format!(
        "{group}{:.0} %, {} lines, {} lines/s, {left:.0} s left",
        100.0 * share,
        grouped(progress.lines),
        grouped((progress.lines as f64 / seconds) as u64),
    )
}

fn as_json(progress: &Progress) -> serde_json::Value {
    json!({
        "progress": progress.group,
        "bytes": progress.bytes,
        "bytes_done": progress.bytes_done,
        "lines": progress.lines,
        "sorted_rows": progress.sorted.map(|(_, rows)| rows),
        "sorted_rows_taken": progress.sorted.map(|(taken, _)| taken),
        "elapsed_s": progress.elapsed.as_secs_f64(),
    })
}

fn show(args: &Args, name: &str, outcome: &Outcome, lake: &str, table: &str) {
    let seconds = outcome.elapsed.as_secs_f64();
    if args.json {
        println!(
            "{}",
            json!({
                "summary": name,
                "table": format!("{lake}/{table}"),
                "groups_made": outcome.made,
                "groups_sorted": outcome.sorted,
                "groups_unchanged": outcome.unchanged,
                "groups_failed": outcome.failed.keys().collect::<Vec<_>>(),
                "written": outcome.written,
                "removed": outcome.removed,
                "seconds": seconds,
                "report": outcome.report,
            })
        );
        return;
    }
    let Report { files, bytes, lines, windows, filled, partial, .. } = &outcome.report;
    println!(
        "{name}: {} of {} ({} MB), {}, {} filled, {} partial",
        counted(*lines, "line"),
        counted(*files, "file"),
        grouped(bytes / 1_000_000),
        counted(*windows, "window"),
        grouped(*filled),
        grouped(*partial),
    );
    rows(&outcome.report);
    remarks(&outcome.report);
    gaps(&outcome.report);
    if outcome.sorted > 0 {
        println!("  out of order {:>12}  groups whose rows had to be sorted", grouped(outcome.sorted));
    }
    match (outcome.made, outcome.unchanged) {
        (0, _) if !outcome.failed.is_empty() => println!("  nothing is published: see below"),
        (0, _) => println!("  nothing has changed since the last run"),
        (_, unchanged) => println!(
            "  {} written, {} removed in {seconds:.1} s ({} lines/s){}",
            counted(outcome.written.len() as u64, "partition"),
            outcome.removed.len(),
            grouped((outcome.lines as f64 / seconds.max(1e-3)) as u64),
            if unchanged > 0 {
                format!(", up to date: {}", counted(unchanged, "group"))
            } else {
                String::new()
            },
        ),
    }
    println!("  the table is in {lake}/{table}");
}

fn rows(report: &Report) {
    println!(
        "  rows         {:>12}  {}, {} contradicting, {} invalid, {} rounded",
        grouped(report.rows),
        counted(report.duplicates, "duplicate"),
        grouped(report.conflicts),
        grouped(report.invalid),
        counted(report.rounded, "number"),
    );
    for (what, reasons) in
        [("ignored", &report.ignored), ("dead letter", &report.rejected), ("set aside", &report.set_aside)]
    {
        for (reason, count) in reasons {
            println!("  {what:<11}  {:>12}  {}", grouped(*count), reason_shown(report, reason));
        }
    }
    if report.files_without_rows > 0 {
        let (count, names) = (report.files_without_rows, report.without_rows.join(", "));
        let more = if count > report.without_rows.len() as u64 { ", …" } else { "" };
        println!("  without rows {:>12}  of the files: {names}{more}", grouped(count));
    }
    for (kind, what) in [(ReasonKind::Conflict, "contradicts"), (ReasonKind::Invalid, "invalid")] {
        if let Some(example) = report.examples.get(kind.as_str()) {
            println!("  {what:<11}  the first: {}, {example}", example.reason);
        }
    }
}

/// A reason as the first line says it that it was counted for, and that line.
fn reason_shown(report: &Report, reason: &str) -> String {
    match report.examples.get(reason) {
        Some(example) => format!("{}; the first: {example}", example.reason),
        None => reason.to_owned(),
    }
}

fn remarks(report: &Report) {
    if let (count @ 1.., Some(first)) = (report.contradicting, &report.first_contradicting) {
        println!("  flagged      {:>12}  rows that contradict themselves, the first {first}", grouped(count));
    }
    for (remark, (files, first)) in &report.remarks {
        println!("  read         {:>12}  files, the first {first}: {remark}", grouped(*files));
    }
}

fn gaps(report: &Report) {
    for (symbol, (from_us, to_us)) in report.spans_us.iter().take(SHOWN_GAPS) {
        println!("  {symbol:<11}  {} to {}", time(*from_us), time(*to_us));
    }
    if report.gaps == 0 {
        return;
    }
    println!("  gaps         {:>12}  {} in all; the longest:", grouped(report.gaps), length(report.gaps_us));
    for gap in report.longest_gaps.iter().take(SHOWN_GAPS) {
        println!(
            "    {} {} to {}, {}",
            gap.symbol,
            time(gap.from_us),
            time(gap.to_us),
            length(gap.length_us())
        );
    }
}

/// `8d 3h`, `33h`, `12m`: the two largest units.
fn length(us: i64) -> String {
    let mut left = us / 1_000_000;
    let mut parts = Vec::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if left >= seconds && parts.len() < 2 {
            parts.push(format!("{}{unit}", left / seconds));
            left %= seconds;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}
