//! `tallow verify`: proves commits by computing them again, and the files that they gave.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::compose::Host;
use super::report::{LineReporter, counted, grouped};
use super::{Failure, settings};

use tallow_verify::range::Ask;
use tallow_verify::report::{Report, Unprovable, Verdict, Wrong};
use tallow_verify::{Step, VerifyError, verify};

/// Wrong and unprovable things that are told one by one.
const SHOWN: usize = 50;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Prove only this pipeline
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Prove one commit
    #[arg(long, value_name = "SEQ", conflicts_with_all = ["from", "to", "last"])]
    commit: Option<u64>,
    /// Prove from this commit on
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// Prove up to this commit
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// Prove the newest N commits
    #[arg(long, value_name = "N", conflicts_with_all = ["from", "to"])]
    last: Option<u64>,
    /// Print progress and the result as JSON lines
    #[arg(long)]
    json: bool,
}

impl Args {
    fn ask(&self) -> Ask {
        match (self.commit, self.last, self.from, self.to) {
            (Some(seq), ..) => Ask::One(seq),
            (_, Some(count), ..) => Ask::Last(count),
            (_, _, None, None) => Ask::All,
            (_, _, from, to) => Ask::Between { from, to },
        }
    }
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let host = Host::new(&manifest, Arc::new(AtomicBool::new(false)))?;
    let mut reports = Vec::new();
    for pipeline in settings::pipelines(&manifest, args.pipeline.as_deref())? {
        let verifier = host.verifier(&manifest, pipeline)?;
        let mut reporter = LineReporter::new(args.json);
        let begun = host.clock.ticks();
        let done = verify(&verifier, args.ask(), &mut |step: Step| {
            let Step { commit, done, of, records } = step;
            let text = format!(
                "{}: commit {commit}, {} of {}, {} computed again",
                pipeline.id,
                grouped(done),
                grouped(of),
                counted(records, "record")
            );
            reporter.show(host.clock.ticks().since(begun), &text, || {
                json!({ "progress": pipeline.id, "commit": commit, "done": done, "of": of, "records": records })
            });
        });
        reporter.finish();
        let report = done.map_err(|error| match error {
            VerifyError::Asked { .. } => Failure::usage(error),
            VerifyError::Pipeline(error) => Failure::from(error),
        })?;
        if args.json {
            println!("{}", as_json(&report, host.store.url()));
        } else {
            print(&report, host.store.url());
        }
        reports.push(report);
    }
    outcome(&reports)
}

fn as_json(report: &Report, lake: &str) -> serde_json::Value {
    json!({ "verified": report.pipeline, "verdict": report.verdict(), "lake": lake, "report": report })
}

fn print(report: &Report, lake: &str) {
    let commits = report.commits.map_or("no commit".to_owned(), |it| range(it.from, it.through));
    println!("{}: {commits} of chain {} in {lake}", report.pipeline, report.chain);
    println!(
        "  log      {}, each whole and followed by the one after it",
        counted(report.log_records, "record")
    );
    println!(
        "  files    {} with {}: their bytes, rows and footers are what was committed",
        grouped(report.files),
        counted(report.file_rows, "row")
    );
    if report.sent > 0 {
        println!("  topics   {}, each there once, as it was committed", counted(report.sent, "record"));
    }
    if report.points > 0 {
        println!(
            "  points   {}, as they were committed; InfluxDB is not read back",
            counted(report.points, "point")
        );
    }
    println!(
        "  epochs   {} ({} from the archive) computed again from {}: the same {}, ledger and state",
        grouped(report.epochs),
        grouped(report.from_archive),
        counted(report.records, "record"),
        counted(report.rows, "row")
    );
    for (role, digests) in &report.functions {
        let short: Vec<String> = digests.iter().map(|digest| format!("{digest:.12}")).collect();
        println!("           {role:<8} sha256 {}", short.join(", "));
    }
    let notes = [
        (
            report.swaps,
            "swap of the window function",
            "the state is the old one as the new function writes it",
        ),
        (report.set_aside, "record", "left out, as the log says: a function trapped or ran out of time"),
        (report.held, "file", "held until a probation ends"),
        (report.due, "file", "committed and not published yet: the owner does so now, or at its next start"),
    ];
    for (count, thing, note) in notes.iter().filter(|(count, ..)| *count > 0) {
        println!("  note     {}, {note}", counted(*count, thing));
    }
    for void in &report.void {
        println!("  note     {}: void, a rollback came after", range(void.from, void.through));
    }
    print_faults(report);
}

fn print_faults(report: &Report) {
    for Wrong { commit, part, object, why } in report.wrong.iter().take(SHOWN) {
        println!("  WRONG    commit {commit}, {}: {object}: {why}", part.as_str());
    }
    report.unprovable.iter().take(SHOWN).for_each(|gone| println!("  GONE     {}", unprovable(gone)));
    report.beyond.iter().take(SHOWN).for_each(|gone| println!("  BEYOND   {}", unprovable(gone)));
    let lists = [
        (report.wrong.len(), "wrong"),
        (report.unprovable.len(), "that cannot be proved"),
        (report.beyond.len(), "beyond the topics' retention"),
    ];
    for (list, what) in lists {
        if list > SHOWN {
            println!("  and {} more {what}; --json has all", grouped((list - SHOWN) as u64));
        }
    }
    if let Some(why) = &report.unreachable {
        println!("  LATER    {} still to be computed again: {why}", counted(report.unread, "commit"));
    }
    println!(
        "{}",
        match report.verdict() {
            Verdict::Proved if !report.beyond.is_empty() =>
                "proved, as far back as the topics go; `--from` asks for what is beyond, `archive = true` keeps it",
            Verdict::Proved => "proved",
            Verdict::Wrong => "WRONG: something is not what it should be",
            Verdict::Unreachable => "not proved: the topics cannot be read now; try again",
            Verdict::NotAllProved =>
                "nothing is wrong, but not everything can be proved any more: GONE above says what",
        }
    );
}

fn unprovable(Unprovable { commits, part, offsets, why, .. }: &Unprovable) -> String {
    let offsets = offsets.as_ref().map_or(String::new(), |it| {
        format!(", {}/{} offsets {} to {}", it.topic, it.partition, it.from, it.to - 1)
    });
    format!("{}, {}{offsets}: {why}", range(commits.from, commits.through), part.as_str())
}

fn range(from: u64, through: u64) -> String {
    if from == through { format!("commit {from}") } else { format!("commits {from} to {through}") }
}

/// The worst of several pipelines: what is wrong comes before what is unreachable, and that before what is gone.
fn outcome(reports: &[Report]) -> Result<(), Failure> {
    let worst = [Verdict::Wrong, Verdict::Unreachable, Verdict::NotAllProved];
    let found = worst.iter().find_map(|verdict| reports.iter().find(|it| it.verdict() == *verdict));
    match found {
        None => Ok(()),
        Some(report) => {
            let text = match report.verdict() {
                Verdict::Wrong if report.wrong.len() == 1 => "one thing is not what it should be".to_owned(),
                Verdict::Wrong => format!("{} things are not what they should be", report.wrong.len()),
                Verdict::Unreachable => report.unreachable.clone().unwrap_or_default(),
                _ => "not everything can be proved any more".to_owned(),
            };
            Err(Failure::new(report.exit_code(), format!("pipeline `{}`: {text}", report.pipeline)))
        }
    }
}
