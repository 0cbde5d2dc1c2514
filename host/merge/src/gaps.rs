//! What the served table lacks, and what of it was mended.

use std::collections::BTreeMap;

use tallow_engine::{Gap, Lack};
use tallow_lake::{Partitioned, hive, tables};
use tallow_table::Wanted;

use crate::Settings;
use crate::notes::{GapNote, Healed, Notes, PartitionNote};

impl From<&Gap> for GapNote {
    fn from(gap: &Gap) -> Self {
        Self {
            from_us: gap.span.from_us,
            to_us: gap.span.to_us,
            partial: gap.lack == Lack::Partial,
            windows: gap.windows,
        }
    }
}

/// The key's value of a served partition; as the path has it where that cannot be decoded.
fn key_of(table: &Partitioned, path: &str) -> Option<String> {
    let partition = table.partition(path)?;
    Some(hive::decode(&partition.key).unwrap_or(partition.key))
}

/// Every gap by key and time.
pub fn all<'a>(settings: &Settings, notes: &'a Notes) -> Vec<(String, &'a GapNote)> {
    let table = settings.serving_table();
    let of_partition = |(path, note): (&String, &'a PartitionNote)| {
        let key = key_of(&table, path).unwrap_or_default();
        note.gaps.iter().map(move |gap| (key.clone(), gap))
    };
    let mut gaps: Vec<_> = notes.partitions.iter().flat_map(of_partition).collect();
    gaps.sort();
    gaps
}

/// What a backfill should fetch: windows of gaps that have ended by now.
pub fn wanted(settings: &Settings, notes: &Notes, now_us: i64) -> Vec<Wanted> {
    let Some(speed) = &settings.speed else { return Vec::new() };
    let step_us = settings.step_us as i64;
    let table = tables::speed_table(speed);
    all(settings, notes)
        .into_iter()
        .filter_map(|(key, gap)| {
            let ended = (gap.to_us.min(now_us) - gap.from_us).max(0) / step_us * step_us;
            (ended > 0).then(|| Wanted {
                table: table.clone(),
                key,
                from_us: gap.from_us,
                to_us: gap.from_us + ended,
                partial: gap.partial,
            })
        })
        .collect()
}

/// Gaps of the last run of which no window is lacking any more.
pub fn healed(settings: &Settings, before: &Notes, after: &Notes, at_us: i64) -> Vec<Healed> {
    let mut left: BTreeMap<String, Vec<&GapNote>> = BTreeMap::new();
    for (key, gap) in all(settings, after) {
        left.entry(key).or_default().push(gap);
    }
    let served = |path: &String| after.partitions.contains_key(path);
    let table = settings.serving_table();
    let gone = before.partitions.iter().filter(|(path, _)| served(path)).flat_map(|(path, note)| {
        let key = key_of(&table, path).unwrap_or_default();
        note.gaps.iter().map(move |gap| (key.clone(), gap))
    });
    gone.filter(|(key, gap)| {
        let overlaps = |other: &&GapNote| other.from_us < gap.to_us && gap.from_us < other.to_us;
        !left.get(key).is_some_and(|left| left.iter().any(overlaps))
    })
    .map(|(key, gap)| Healed { key, from_us: gap.from_us, to_us: gap.to_us, at_us })
    .collect()
}
