//! `tallow merge`: one served table of a batch table and a pipeline's window.

use std::sync::Arc;

use serde_json::json;
use tallow_manifest::{Manifest, Merge};
use tallow_merge::{MergeError, Merger, Report};

use super::compose::Host;
use super::report::{LineReporter, counted};
use super::{Failure, again, settings};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// The merge to run; without it all of the manifest's
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Bring the tables back to how that run left them; `tallow status` lists the runs
    #[arg(long, value_name = "RUN", requires = "name")]
    restore: Option<u64>,
    /// Print progress and reports as JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let merges = merges(&manifest, args.name.as_deref())?;
    // A signal ends it at once: the next run completes what this one began.
    let host = Host::new(&manifest, Arc::default())?;
    host.check_lake()?;
    let Some(run) = args.restore else { return run_each(&host, &manifest, merges.into_iter(), args.json) };
    for merge in merges {
        let merger = host.merger(&manifest, merge)?;
        let report = merger.restore(run).map_err(|error| failure(&merger, &error))?;
        print(&report, merger.store.url(), Some(&again::with_same_options("status")), args.json);
    }
    Ok(())
}

/// Runs merges one after the other, and says what each did.
pub fn run_each<'a>(
    host: &Host,
    manifest: &Manifest,
    merges: impl Iterator<Item = &'a Merge>,
    json: bool,
) -> Result<(), Failure> {
    let status = again::with_same_options("status");
    { merges }.try_for_each(|merge| run_and_print(host, manifest, merge, Some(&status), json))
}

/// Runs a merge and says what it did; `status` is the command that shows more of it, if there is one.
pub fn run_and_print(
    host: &Host,
    manifest: &Manifest,
    merge: &Merge,
    status: Option<&str>,
    json: bool,
) -> Result<(), Failure> {
    let merger = host.merger(manifest, merge)?;
    let report = merge_one(host, &merger, json)?;
    print(&report, merger.store.url(), status, json);
    Ok(())
}

/// The merges to run: all, or the one that was named.
fn merges<'a>(manifest: &'a Manifest, only: Option<&str>) -> Result<Vec<&'a Merge>, Failure> {
    match only {
        Some(only) => Ok(vec![settings::named(manifest, "merge", &manifest.merges, |it| &it.name, only)?]),
        None if manifest.merges.is_empty() => Err(Failure::usage(format!(
            "{}: there is no [application.trigger.kafka.merge.NAME]: nothing to merge",
            manifest.path.display()
        ))),
        None => Ok(manifest.merges.iter().collect()),
    }
}

fn merge_one(host: &Host, merger: &Merger, json: bool) -> Result<Report, Failure> {
    let start = host.clock.ticks();
    let mut line = LineReporter::new(json);
    let name = merger.settings.name.as_str();
    let report = merger.run(&mut |step| {
        let elapsed = host.clock.ticks().since(start);
        let text = format!("{name}: {} of {} partitions, {} {}", step.done, step.all, step.key, step.year);
        line.show(elapsed, &text, || json!({ "progress": name, "done": step.done, "all": step.all }));
    });
    line.finish();
    report.map_err(|error| failure(merger, &error))
}

fn failure(merger: &Merger, error: &MergeError) -> Failure {
    Failure::new(error.exit_code(), format!("merge `{}`: {error}", merger.settings.name))
}

fn print(report: &Report, lake: &str, status: Option<&str>, json: bool) {
    if json {
        println!("{}", json!({ "summary": report, "lake": lake }));
        return;
    }
    let Report { merge, keys, partitions, rows, .. } = report;
    let what = match report.run {
        Some(run) => {
            let (written, removed) = (report.written.len(), report.removed.len());
            format!("run {run}: {} written, {removed} removed", counted(written as u64, "file"))
        }
        None => "nothing to write".to_owned(),
    };
    println!("{merge}: {what}; {} of {} merged again", report.merged, counted(*partitions, "partition"));
    println!("  {} of {} in {lake}/serving/{merge}", counted(*rows, "row"), counted(*keys, "symbol"));
    if report.gaps > 0 {
        let listed = status.map_or_else(String::new, |status| format!(": see `{status}`"));
        println!("  {}{listed}", counted(report.gaps, "gap"));
    }
    for healed in &report.healed {
        println!("  mended: {}", super::merge_status::span(&healed.key, healed.from_us, healed.to_us));
    }
    if report.dropped_files > 0 {
        println!("  {} removed: the served table has the rows", counted(report.dropped_files, "speed file"));
    }
}
