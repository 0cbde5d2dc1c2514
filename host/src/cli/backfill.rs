//! `tallow backfill`: fetches the windows that the lake lacks, and publishes them as the next revisions.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tallow_manifest::{Backfill, Manifest};

use super::compose::Host;
use super::report::{LineReporter, counted, duration, grouped, time};
use super::{Failure, merge, settings, stop};
use tallow_backfill::{BackfillError, Backfilling, Counts, Step, Summary, Wanted};
use tallow_env::exit;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Gaps of a symbol that a dry run lists one by one.
const GAPS_SHOWN: usize = 10;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Fill only this pipeline's tables
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Start of the time to fill: a day (2024-08-09, UTC) or a moment (2024-08-09T12:30:00Z), instead of the manifest's
    #[arg(long, value_name = "TIME", value_parser = tallow_manifest::moment_us)]
    from: Option<i64>,
    /// End of the time to fill, instead of now
    #[arg(long, value_name = "TIME", value_parser = tallow_manifest::moment_us)]
    to: Option<i64>,
    /// Fetch only these symbols
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    symbols: Vec<String>,
    /// Ask again for what the exchange said it does not have
    #[arg(long)]
    again: bool,
    /// Show what is missing and what would be requested; request nothing, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print progress and the summary as JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let stop = stop::on_signal()?;
    let host = Host::new(&manifest, stop)?;
    let wanted = Wanted {
        from_us: args.from,
        to_us: args.to,
        symbols: args.symbols.clone(),
        again: args.again,
        behind_stream: false,
    };
    if !args.dry_run {
        host.check_lake()?;
    }
    let mut unfinished = Vec::new();
    let chosen = chosen(&manifest, args.pipeline.as_deref())?;
    for backfill in &chosen {
        let mut backfilling = host.backfilling(&manifest, backfill)?;
        if args.dry_run {
            let (steps, settles_us) = backfilling.dry_run(&wanted)?;
            show_plan(backfill, &steps, settles_us, args.json);
            continue;
        }
        let summary = run_one(&mut backfilling, &wanted, &host, args.json)?;
        unfinished.extend(show_summary(backfill, &summary, backfilling.progress().counts(), args.json));
        if summary.stopped {
            break;
        }
    }
    if !args.dry_run {
        let filled = chosen.iter().filter_map(|backfill| manifest.pipeline(backfill.pipeline()));
        let merges = manifest.automatic_merges(&filled.collect::<Vec<_>>());
        merge::run_each(&host, &manifest, merges, args.json)?;
    }
    if unfinished.is_empty() { Ok(()) } else { Err(Failure::new(exit::DATA, unfinished.join("\n"))) }
}

/// The backfills of a pipeline, or all.
fn chosen<'m>(manifest: &'m Manifest, pipeline: Option<&str>) -> Result<Vec<&'m Backfill>, Failure> {
    let path = manifest.path.display();
    if let Some(pipeline) = pipeline {
        settings::pipelines(manifest, Some(pipeline))?;
    }
    let wanted = |it: &&Backfill| pipeline.is_none_or(|pipeline| it.pipeline() == pipeline);
    let chosen: Vec<&Backfill> = manifest.backfills.iter().filter(wanted).collect();
    if chosen.is_empty() {
        let whose = pipeline.map_or(String::new(), |pipeline| format!(" with `pipeline = \"{pipeline}\"`"));
        let text = format!(
            "{path}: there is no [application.trigger.kafka.backfill.NAME]{whose}: it says where to fetch from"
        );
        return Err(Failure::usage(text));
    }
    Ok(chosen)
}

/// Runs a backfill in a thread and shows how far it is.
fn run_one(
    backfilling: &mut Backfilling,
    wanted: &Wanted,
    host: &Host,
    json: bool,
) -> Result<Summary, BackfillError> {
    let name = backfilling.name().to_owned();
    let progress = backfilling.shared_progress();
    let clock = Arc::clone(&host.clock);
    let start = clock.ticks();
    let mut reporter = LineReporter::new(json);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| backfilling.run(wanted));
        while !worker.is_finished() {
            clock.sleep(LOOK_EVERY);
            let (counts, elapsed) = (progress.counts(), clock.ticks().since(start));
            let text = format!("{name}: {}", line(&counts, elapsed));
            reporter.show(elapsed, &text, || json!({ "progress": name, "counts": counts }));
        }
        reporter.finish();
        worker.join().unwrap_or(Err(BackfillError::Broken))
    })
}

fn line(counts: &Counts, elapsed: Duration) -> String {
    let share = counts.done_us as f64 / counts.wanted_us.max(1) as f64;
    let left = match share {
        _ if counts.wanted_us == 0 => String::new(),
        share if share > 0.0 => {
            let left = elapsed.as_secs_f64() * (1.0 - share) / share;
            format!(" {:.0} %, {left:.0} s left,", share * 100.0)
        }
        _ => " 0 %,".to_owned(),
    };
    format!(
        "{}:{left} {}, {}, {}, {} tried again",
        counts.doing,
        counted(counts.windows, "window"),
        counted(counts.bars, "bar"),
        counted(counts.requests, "request"),
        grouped(counts.retries),
    )
}

fn show_plan(backfill: &Backfill, steps: &[Step], settles_us: Option<i64>, json: bool) {
    let windows = &backfill.bars.windows;
    if json {
        let symbols = steps.iter().map(|step| {
            let spans = windows.iter().zip(&step.need.windows).map(|(window, spans)| {
                (
                    window.name.clone(),
                    serde_json::Value::from_iter(spans.iter().map(|(from, to)| vec![from, to])),
                )
            });
            json!({
                "symbol": step.need.symbol,
                "listed_as": step.need.listed_as,
                "missing_us": serde_json::Map::from_iter(spans),
                "requests": step.requests,
                "weight": step.weight,
            })
        });
        println!(
            "{}",
            json!({ "plan": backfill.name, "symbols": symbols.collect::<Vec<_>>(), "settles_us": settles_us })
        );
        return;
    }
    println!("{}: tables of `{}` against {}", backfill.name, backfill.pipeline(), backfill.base_url);
    for step in steps {
        for (window, spans) in windows.iter().zip(&step.need.windows) {
            for (from, to) in spans.iter().take(GAPS_SHOWN) {
                let length = duration(to - from);
                println!("  {}  {}  {} to {}  {length}", step.need.symbol, window.name, time(from), time(to));
            }
            let more = spans.iter().count().saturating_sub(GAPS_SHOWN);
            if more > 0 {
                println!("  {}  {}  and {more} more", step.need.symbol, window.name);
            }
        }
        println!(
            "  {}  {} of weight {}; {} a minute are allowed",
            step.need.symbol,
            counted(step.requests, "request"),
            grouped(step.weight),
            grouped(backfill.asking.weight.into()),
        );
    }
    if steps.is_empty() {
        println!("  nothing is missing");
    }
}

/// The last word on a backfill; what could not be fetched is given back.
fn show_summary(backfill: &Backfill, summary: &Summary, counts: Counts, json: bool) -> Vec<String> {
    let name = &backfill.name;
    let refused = summary.refused.iter().map(|(symbol, why)| {
        format!("backfill `{name}`: {symbol} cannot be fetched from {}: {why}", backfill.base_url)
    });
    let spoiled = summary.spoiled.iter().map(|(symbol, windows)| {
        format!(
            "backfill `{name}`: {} of {symbol} kept as before, since messages in them are broken: see dead-letter/{}",
            counted(*windows, "window"),
            backfill.pipeline()
        )
    });
    let unproved = summary.unproved.iter().map(|(symbol, windows)| {
        format!(
            "backfill `{name}`: {windows} windows of {symbol} stay as they are, since {} answered with bars of another time",
            backfill.base_url
        )
    });
    let doubted = summary.doubted_us.iter().map(|(symbol, us)| {
        format!(
            "backfill `{name}`: {} has nothing for {} in which the stream has trades of {symbol}: the next run asks again",
            backfill.base_url,
            duration(*us)
        )
    });
    let unfinished = refused.chain(spoiled).chain(unproved).chain(doubted).collect();
    if json {
        println!(
            "{}",
            json!({
                "summary": name,
                "windows": summary.windows,
                "spoiled": summary.spoiled,
                "unproved": summary.unproved,
                "doubted_us": summary.doubted_us,
                "refused": summary.refused,
                "stopped": summary.stopped,
                "settles_us": summary.settles_us,
                "counts": counts,
            })
        );
        return unfinished;
    }
    if counts.commits == 0 && summary.refused.is_empty() && !summary.stopped {
        println!("{name}: nothing is missing");
        return unfinished;
    }
    println!(
        "{name}: {} published, {} the exchange does not have, {} in {}, {} tried again, {}",
        counted(counts.windows, "window"),
        grouped(counts.no_data),
        counted(counts.bars, "bar"),
        counted(counts.requests, "request"),
        grouped(counts.retries),
        counted(counts.commits, "commit"),
    );
    for (symbol, windows) in &summary.windows {
        println!("  {symbol}  {}", counted(*windows, "window"));
    }
    if summary.stopped {
        println!("  stopped: what was fetched is committed; run again for the rest");
    }
    unfinished
}
