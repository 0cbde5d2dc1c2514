//! How a long run shows its progress: in place on a terminal, as plain lines elsewhere, as JSON lines on request.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tallow_env::{Clock, Ticks};
use tallow_terminal::Screen;
use unicode_width::UnicodeWidthStr;

use crate::say;
use tallow_pipeline::progress::{Counts, Refused};
pub use tallow_pipeline::words::{duration, time};

/// How often a line is printed where it cannot be updated in place.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const RATE_OVER: Duration = Duration::from_millis(500);

/// How a run shows its progress.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Text,
    Json,
    Nothing,
}

pub struct Reporter {
    clock: Arc<dyn Clock>,
    show: Show,
    stop: Arc<AtomicBool>,
    draws: bool,
    last: Mutex<Last>,
}

struct Last {
    /// Looks since a stop was asked for, or a pipeline failed.
    looks_since_stop: u32,
    printed: Ticks,
    rate: Rate,
}

/// Records a second, as of the last interval.
pub struct Rate {
    every: Duration,
    looked: Ticks,
    records: u64,
    per_s: f64,
}

impl Rate {
    pub fn new(every: Duration, now: Ticks) -> Self {
        Self { every, looked: now, records: 0, per_s: 0.0 }
    }

    /// `records`: how many there have been up to now.
    pub fn look(&mut self, now: Ticks, records: u64) -> f64 {
        let elapsed = now.since(self.looked);
        if elapsed >= self.every {
            self.per_s = (records - self.records) as f64 / elapsed.as_secs_f64();
            (self.looked, self.records) = (now, records);
        }
        self.per_s
    }
}

impl Reporter {
    /// `stop`: set once the run was asked to stop.
    pub fn new(show: Show, clock: Arc<dyn Clock>, stop: Arc<AtomicBool>) -> Self {
        let now = clock.ticks();
        Self {
            clock,
            show,
            stop,
            draws: draws(show != Show::Text),
            last: Mutex::new(Last { looks_since_stop: 0, printed: now, rate: Rate::new(RATE_OVER, now) }),
        }
    }

    /// Waits a moment, then shows how far the pipelines are.
    pub fn progress<'a>(&self, pipelines: impl Iterator<Item = (&'a str, Counts)>) {
        self.clock.sleep(LOOK_EVERY);
        let pipelines: Vec<_> = pipelines.collect();
        let records = pipelines.iter().map(|(_, counts)| counts.records).sum();
        let mut last = self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let now = self.clock.ticks();
        let rate = last.rate.look(now, records);
        if self.stop.load(Ordering::Relaxed) {
            self.stopping(&mut last);
        } else if self.draws {
            let rate = format!("{} records/s", grouped(rate as u64));
            let text = |(name, counts): &(&str, Counts)| {
                let pieces = counted_pieces(counts);
                let told: Vec<String> = pieces.into_iter().filter(|it| !it.starts_with("0 ")).collect();
                format!("{name}: {}", told.join(", "))
            };
            draw(std::iter::once(rate).chain(pipelines.iter().map(text)));
        } else if now.since(last.printed) >= PLAIN_EVERY {
            last.printed = now;
            for (name, counts) in &pipelines {
                match self.show {
                    Show::Text => {
                        eprintln!("{name}: {} records/s, {}", grouped(rate as u64), line(counts));
                    }
                    Show::Json => {
                        println!("{}", json!({ "progress": name, "records_per_s": rate, "counts": counts }));
                    }
                    Show::Nothing => {}
                }
            }
        }
    }

    /// Draws no more: under `spin up` the terminal may be a shell's again, or another trigger's.
    fn stopping(&self, last: &mut Last) {
        last.looks_since_stop += 1;
        match last.looks_since_stop {
            1 => say::clear(),
            // A pipeline that failed stops the others, too: where nothing is left to finish, its error is all there is to say.
            2 if self.show == Show::Text => {
                eprintln!("stopping: the current epoch is finished and committed first")
            }
            _ => {}
        }
    }

    /// What a pipeline did, at its end.
    pub fn summary(&self, name: &str, counts: &Counts, lake: &str) {
        say::clear();
        match self.show {
            Show::Text => {}
            Show::Json => {
                println!("{}", json!({ "summary": name, "counts": counts, "lake": lake }));
                return;
            }
            Show::Nothing => return,
        }
        if !counts.began {
            println!("{name}: stopped before it began: nothing was read");
            return;
        }
        println!("{name}: {}", line(counts));
        if counts.partitions == 0 {
            println!("  no topic matches `topic-pattern`: nothing was read");
        }
        let several = counts.windows.len() > 1;
        for (window, refused) in counts.windows.iter().filter(|(_, it)| several && **it != Refused::default())
        {
            let Refused { late, duplicates, conflicts, untracked: doubtful } = *refused;
            let (late, duplicates, conflicts) = (grouped(late), grouped(duplicates), grouped(conflicts));
            let doubtful = untracked(doubtful).map_or_else(String::new, |text| format!(", {text}"));
            println!(
                "  window       {window}: {late} late, {duplicates} duplicates, {conflicts} conflicts{doubtful}"
            );
        }
        if let Some(held) = counts.held.as_ref().filter(|held| held.matters()) {
            println!("  held back    by {}", held.told());
        }
        for (reason, records) in &counts.reasons {
            println!("  dead letter  {:>10}  {reason}", grouped(*records));
        }
        println!("  tables are in {lake}");
    }
}

/// One line of progress for a command that does one thing.
pub struct LineReporter {
    json: bool,
    draws: bool,
    printed: Duration,
}

impl LineReporter {
    pub fn new(json: bool) -> Self {
        Self { json, draws: draws(json), printed: Duration::ZERO }
    }

    /// In place on a terminal; elsewhere every few seconds.
    pub fn show(&mut self, elapsed: Duration, text: &str, as_json: impl FnOnce() -> serde_json::Value) {
        if self.draws {
            draw(std::iter::once(text.to_owned()));
        } else if elapsed >= self.printed + PLAIN_EVERY {
            self.printed = elapsed;
            if self.json { println!("{}", as_json()) } else { eprintln!("{text}") }
        }
    }

    pub fn finish(&self) {
        say::clear();
    }
}

fn draw(texts: impl Iterator<Item = String>) {
    let (width, _) = Screen::stderr().size();
    let lines: Vec<String> = texts.flat_map(|text| folded(&text, width)).collect();
    say::draw(&lines);
}

/// Whether lines can be drawn in place.
fn draws(json: bool) -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !dumb && !json
}

fn line(counts: &Counts) -> String {
    counted_pieces(counts).join(", ")
}

fn counted_pieces(counts: &Counts) -> Vec<String> {
    let watermark = counts.watermark_us.map_or("none yet".to_owned(), time);
    let mut pieces = vec![
        counted(counts.records, "record"),
        counted(counts.candles, "candle"),
        format!("{} late", grouped(counts.most(|window| window.late))),
        counted(counts.most(|window| window.duplicates), "duplicate"),
        counted(counts.most(|window| window.conflicts), "conflict"),
        counted(counts.dead_letters, "dead letter"),
        counted(counts.open_windows, "open window"),
        counted(counts.epochs, "epoch"),
        format!("watermark {watermark}"),
    ];
    if counts.rekeyed > 0 {
        pieces.insert(1, format!("{} under another key", grouped(counts.rekeyed)));
    }
    pieces.extend(untracked(counts.most(|window| window.untracked)));
    if counts.filled > 0 {
        pieces.push(format!("{} filled (windows without rows)", grouped(counts.filled)));
    }
    if counts.unfilled > 0 {
        pieces.push(format!(
            "{} not filled (their keys were silent for longer than `fill-for`)",
            grouped(counts.unfilled)
        ));
    }
    pieces
}

/// What is to be said where rows were counted that may be duplicates.
pub fn untracked(assignments: u64) -> Option<String> {
    (assignments > 0).then(|| {
        format!(
            "{} untracked (rows counted whose ids were no longer known; their windows have `complete` = null; raise \
             `limits.memory`)",
            grouped(assignments)
        )
    })
}

/// The text on as many lines as it needs, broken at commas: a line that the terminal folds cannot be drawn over.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in text.split(", ") {
        match lines.last_mut() {
            Some(line) if line.width() + piece.width() + 3 <= width => line.push_str(&format!(", {piece}")),
            Some(line) => {
                line.push(',');
                lines.push(format!("  {piece}"));
            }
            None => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// A count of things: `1 file`, `1 234 files`, `2 batches`, `3 entries`.
pub fn counted(number: u64, thing: &str) -> String {
    if number == 1 {
        return format!("1 {thing}");
    }
    let number = grouped(number);
    match thing.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ if ["s", "x", "tch", "sh"].iter().any(|end| thing.ends_with(end)) => format!("{number} {thing}es"),
        _ => format!("{number} {thing}s"),
    }
}

/// A number with its thousands apart: 1 234 567.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_singular_and_any_other_number_is_not() {
        let table = [
            (1, "file", "1 file"),
            (0, "file", "0 files"),
            (1_234_567, "dead letter", "1 234 567 dead letters"),
            (2, "batch", "2 batches"),
            (2, "epoch", "2 epochs"),
            (2, "entry", "2 entries"),
            (2, "day", "2 days"),
        ];
        for (number, thing, text) in table {
            assert_eq!(counted(number, thing), text);
        }
    }

    #[test]
    fn a_line_is_folded_at_commas_before_the_terminal_folds_it() {
        let text = "candles: 3 922 records, 4 open windows, 11 epochs";
        assert_eq!(folded(text, 30), ["candles: 3 922 records,", "  4 open windows, 11 epochs"]);
        assert_eq!(folded(text, 200), [text]);
        assert_eq!(folded("a, b", 1), ["a,", "  b"]);
    }
}
