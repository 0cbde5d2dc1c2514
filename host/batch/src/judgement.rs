//! Whether what was made of a group's files may replace what was there. A file that is not what it should be
//! (an error page, a format that is not read, half a download) gives few rows or none, and no error.

use serde::{Deserialize, Serialize};

use crate::example::{Example, NAMED};
use crate::report::Report;

/// Of a hundred rows that a group had, so many may be missing.
const MOST_LOST_PERCENT: u64 = 5;
/// For each line that gives a row, so many may be dead letters.
const MOST_DEAD: u64 = 9;

/// What became of the lines of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCounts {
    pub lines: u64,
    /// Lines that gave rows.
    pub with_rows: u64,
    /// Lines that were rejected or set aside.
    pub dead: u64,
    /// The first of these.
    pub example: Option<Example>,
}

impl FileCounts {
    /// Counts a line that cannot be read.
    pub fn bury(&mut self, example: impl FnOnce() -> Example) {
        self.dead += 1;
        self.example.get_or_insert_with(example);
    }
}

/// Why a group must not be published; empty: it may. `files`: their names, and what became of their lines, in the same
/// order; of files without lines there may be no counts at the end. `before`: what the group was made of last.
pub fn doubts(files: &[&str], counts: &[FileCounts], now: &Report, before: Option<&Report>) -> Vec<String> {
    let bad = each(files, counts).filter_map(|(file, counts)| misread(file, counts));
    let mut doubts = named(bad.collect(), "files are like that");
    if now.rows == 0 && doubts.is_empty() {
        let empty = each(files, counts).map(|(file, counts)| match counts.lines {
            0 => format!("{file} is empty"),
            lines => format!("{file} holds no kline in {}", of_lines(lines)),
        });
        doubts.extend(named(empty.collect(), "files are like that"));
    }
    let Some(before) = before else { return doubts };
    let gone = before.spans_us.keys().filter(|symbol| !now.spans_us.contains_key(*symbol));
    let gone = gone.map(|symbol| format!("{symbol} had rows, and has none now"));
    doubts.extend(named(gone.collect(), "symbols are like that"));
    let (had, has) = (stood_for(before), stood_for(now));
    if u128::from(100 - MOST_LOST_PERCENT) * had > 100 * has {
        doubts.push(format!(
            "there were {} rows, and there are {} now: more than {MOST_LOST_PERCENT} % of them are lost",
            before.accepted, now.accepted
        ));
    }
    doubts
}

/// Names of the files that gave no row and nothing else either.
pub fn without_rows<'f>(files: &'f [&str], counts: &'f [FileCounts]) -> impl Iterator<Item = &'f str> {
    each(files, counts).filter(|(_, counts)| counts.with_rows == 0 && counts.dead == 0).map(|(file, _)| file)
}

fn each<'f>(files: &'f [&str], counts: &'f [FileCounts]) -> impl Iterator<Item = (&'f str, FileCounts)> {
    let counts = counts.iter().cloned().chain(std::iter::repeat_with(FileCounts::default));
    files.iter().copied().zip(counts)
}

fn misread(file: &str, counts: FileCounts) -> Option<String> {
    let FileCounts { lines, with_rows, dead, example } = counts;
    let example = example.map_or(String::new(), |it| format!(", such as {it}: {}", it.reason));
    (dead > MOST_DEAD * with_rows).then(|| match with_rows {
        0 => format!("{file} holds no kline that can be read in {}{example}", of_lines(lines)),
        _ => format!("{file}: {dead} of {} cannot be read{example}", of_lines(lines)),
    })
}

fn of_lines(lines: u64) -> String {
    if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") }
}

/// The time that the rows are for, where it is known how long one is; so that files of another interval are no loss.
fn stood_for(report: &Report) -> u128 {
    u128::from(report.accepted) * u128::from(report.interval_us.max(1).unsigned_abs())
}

fn named(mut all: Vec<String>, what: &str) -> Vec<String> {
    let more = all.len().saturating_sub(NAMED);
    if more > 0 {
        all.truncate(NAMED);
        all.push(format!("{more} more {what}"));
    }
    all
}

#[cfg(test)]
mod tests {
    use tallow_record::Place;

    use super::*;

    fn counts(lines: u64, with_rows: u64, dead: u64) -> FileCounts {
        FileCounts { lines, with_rows, dead, example: None }
    }

    fn report(accepted: u64, interval_us: i64, symbols: &[&str]) -> Report {
        let spans_us = symbols.iter().map(|symbol| (symbol.to_string(), (0, 1))).collect();
        Report { rows: accepted, accepted, interval_us, spans_us, ..Report::default() }
    }

    #[test]
    fn a_file_without_a_row_is_named_with_a_line_of_it() {
        let place = Place { topic: "a.csv".into(), partition: 0, offset: 1 };
        let example = Some(Example::new(&place, Some(b"<?xml\x1b[2J\r\n"), "time: no number"));
        let files = [FileCounts { lines: 2, with_rows: 0, dead: 2, example }, counts(5, 4, 0)];
        let now = report(4, 60, &["A"]);
        let names = ["a.csv", "b.csv", "c.csv"];
        assert_eq!(
            doubts(&names, &files, &now, None),
            [
                "a.csv holds no kline that can be read in 2 lines, such as a.csv:1: `<?xml\\u{1b}[2J`: time: no number",
            ]
        );
        assert_eq!(without_rows(&names, &files).collect::<Vec<_>>(), ["c.csv"]);
    }

    #[test]
    fn some_bad_lines_are_no_doubt_and_nearly_all_of_them_are() {
        let now = report(10, 60, &["A"]);
        let of = |file: FileCounts| doubts(&["a"], &[file], &now, None);
        assert!(of(counts(20, 2, 18)).is_empty() && of(counts(1_000, 1, 0)).is_empty());
        assert_eq!(of(counts(22, 2, 19)), ["a: 19 of 22 lines cannot be read"]);
        assert_eq!(of(counts(1, 0, 1)), ["a holds no kline that can be read in 1 line"]);
    }

    #[test]
    fn a_group_that_lost_many_rows_or_a_symbol_is_doubtful() {
        let before = report(1_000, 60, &["A", "B"]);
        let of = |now: &Report| doubts(&["a"], &[counts(9, 9, 0)], now, Some(&before));
        assert!(of(&report(950, 60, &["A", "B"])).is_empty());
        assert!(of(&report(2_000, 60, &["A", "B", "C"])).is_empty());
        // An hour for sixty minutes is no loss.
        assert!(of(&report(20, 3_600, &["A", "B"])).is_empty());
        let lost = "there were 1000 rows, and there are 949 now: more than 5 % of them are lost";
        assert_eq!(of(&report(949, 60, &["A", "B"])), [lost]);
        assert_eq!(of(&report(1_000, 60, &["A"])), ["B had rows, and has none now"]);
    }

    #[test]
    fn many_bad_files_are_counted_and_some_are_named() {
        let files = ["a", "b", "c", "d", "e"];
        let doubts = doubts(&files, &[], &Report::default(), None);
        assert_eq!(doubts, ["a is empty", "b is empty", "c is empty", "2 more files are like that"]);
    }
}
