//! Of the rows of a window, the one that counts.

use std::cmp::Reverse;

use crate::Source;
use crate::input::Fact;

/// A row of one of the tables at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub table: usize,
    pub row: usize,
}

/// The row that counts for its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub start_us: i64,
    pub place: Place,
    pub source: Source,
    pub complete: Option<bool>,
}

/// A window's best row, for each window that has one, by `window_start`. `tables`: the source of each table and the
/// facts of its rows; the first table has the place `first`.
pub fn choose(first: usize, tables: &[(Source, Vec<Option<Fact>>)]) -> Vec<Chosen> {
    let mut rows = Vec::with_capacity(tables.iter().map(|(_, facts)| facts.len()).sum());
    for (table, (source, facts)) in (first..).zip(tables) {
        for (row, fact) in facts.iter().enumerate() {
            let Some(fact) = fact else { continue };
            let place = Place { table, row };
            rows.push((fact.start_us, rank(*source, fact), place, *source, fact.complete));
        }
    }
    rows.sort_unstable_by_key(|(start_us, rank, place, ..)| (*start_us, *rank, *place));
    rows.dedup_by_key(|(start_us, ..)| *start_us);
    rows.into_iter()
        .map(|(start_us, _, place, source, complete)| Chosen { start_us, place, source, complete })
        .collect()
}

/// The lowest is the best: complete before unknown before partial, then batch before others, then the newest, then
/// backfill before speed.
fn rank(source: Source, fact: &Fact) -> (u8, bool, Reverse<i64>, bool) {
    let lack = match fact.complete {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    };
    (lack, source != Source::Batch, Reverse(fact.revision), source == Source::Speed)
}
