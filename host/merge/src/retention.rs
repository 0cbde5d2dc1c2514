//! Speed files that may go: many small files are the price of streaming, and the served table has their rows.

use std::collections::BTreeMap;

use tallow_lake::{Partition, Partitioned};

use crate::notes::Notes;
use crate::speed::{self, Day};

const DAY_US: i64 = 86_400_000_000;

/// The days of `files` that are old enough and that the served table covers for every key that they have rows of: the
/// table continues beyond the day, and no window of it is missing or partial.
pub fn droppable(
    notes: &Notes,
    files: &BTreeMap<String, Day>,
    serving: &Partitioned,
    now_us: i64,
    retention_us: i64,
) -> Vec<String> {
    let droppable = |day: &&String| {
        let (Some(year), Some(from_us)) = (speed::year(day), speed::start_us(day)) else { return false };
        let to_us = from_us + DAY_US;
        let old = to_us.checked_add(retention_us).is_some_and(|due_us| due_us <= now_us);
        let covered = |key: &String| {
            let path = serving.path(&Partition { key: key.clone(), year });
            notes.partitions.get(&path).is_some_and(|served| {
                let lacking = served.gaps.iter().any(|gap| gap.from_us < to_us && from_us < gap.to_us);
                served.sound && served.end_us >= to_us && !lacking
            })
        };
        old && notes.days.get(*day).is_some_and(|note| !note.keys.is_empty() && note.keys.iter().all(covered))
    };
    files.keys().filter(droppable).cloned().collect()
}

#[cfg(test)]
mod tests {
    use tallow_store::Digest;

    use super::*;
    use crate::notes::{DayNote, GapNote, PartitionNote};

    fn day_us(day: &str) -> i64 {
        speed::start_us(day).unwrap()
    }

    /// Two keys have rows on each of three days; both are served to the end of the third.
    fn bench() -> (Notes, BTreeMap<String, Day>, Partitioned) {
        let serving = Partitioned::serving("daily", "symbol");
        let mut notes = Notes::default();
        let mut files = BTreeMap::new();
        for day in ["2025-01-01", "2025-01-02", "2025-01-03"] {
            let keys = ["A", "B"].map(str::to_owned).into();
            notes.days.insert(day.to_owned(), DayNote { tag: Digest::of(b""), keys, dropped: false });
            files.insert(day.to_owned(), Day { files: Vec::new(), tag: Digest::of(b"") });
        }
        for key in ["A", "B"] {
            let note = PartitionNote {
                tail: Digest::of(b""),
                end_us: day_us("2025-01-04"),
                gaps: Vec::new(),
                sound: true,
            };
            notes.partitions.insert(serving.path(&Partition::of(key, 2025)), note);
        }
        (notes, files, serving)
    }

    fn at(now: &str, change: impl FnOnce(&mut PartitionNote)) -> Vec<String> {
        let (mut notes, files, serving) = bench();
        change(notes.partitions.get_mut(&serving.path(&Partition::of("B", 2025))).unwrap());
        droppable(&notes, &files, &serving, day_us(now), DAY_US)
    }

    #[test]
    fn a_day_goes_once_it_is_old_enough() {
        assert_eq!(at("2025-01-02", |_| {}), [""; 0]);
        assert_eq!(at("2025-01-03", |_| {}), ["2025-01-01"]);
        assert_eq!(at("2025-01-05", |_| {}), ["2025-01-01", "2025-01-02", "2025-01-03"]);
    }

    #[test]
    fn a_day_of_which_any_key_lacks_a_window_stays() {
        let gap = GapNote {
            from_us: day_us("2025-01-02") + 3_600_000_000,
            to_us: day_us("2025-01-02") + 7_200_000_000,
            partial: true,
            windows: 1,
        };
        assert_eq!(at("2025-02-01", |note| note.gaps = vec![gap]), ["2025-01-01", "2025-01-03"]);
        assert_eq!(at("2025-02-01", |note| note.end_us -= 1), ["2025-01-01", "2025-01-02"]);
        assert_eq!(at("2025-02-01", |note| note.sound = false), [""; 0]);
        let (mut notes, files, serving) = bench();
        notes.partitions.remove(&serving.path(&Partition::of("A", 2025)));
        assert_eq!(droppable(&notes, &files, &serving, day_us("2025-02-01"), DAY_US), [""; 0]);
    }
}
