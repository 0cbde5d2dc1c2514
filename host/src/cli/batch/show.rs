//! How a batch shows its progress and its report.

use serde_json::json;
use tallow_batch::{Outcome, Progress, Report};
use tallow_sink::ReasonKind;

use crate::cli::report::{counted, grouped, time};

/// Gaps that people are shown; `--json` gives more.
const SHOWN_GAPS: usize = 10;

pub fn progress(progress: &Progress) -> String {
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

pub fn progress_as_json(progress: &Progress) -> serde_json::Value {
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

pub fn outcome(name: &str, outcome: &Outcome, lake: &str, table: &str, json: bool) {
    let seconds = outcome.elapsed.as_secs_f64();
    if json {
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
