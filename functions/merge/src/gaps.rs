//! Windows for which there is no complete row: what a backfill should look for.

use std::collections::BTreeSet;

use crate::choose::Chosen;
use crate::series::missing;
use crate::{Gap, Lack, Range, Settings};

/// The gaps between and in the chosen rows, each at its longest. A row of which it is not known whether it is
/// complete is no gap, nor is a window in which nothing happened (`empty`, by its start). `from_us`: where what was given
/// before ends.
pub fn gaps(
    chosen: &[Chosen],
    from_us: Option<i64>,
    empty: &BTreeSet<i64>,
    step_us: i64,
    settings: &Settings,
) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut next_us = from_us;
    for row in chosen {
        if let Some(next_us) = next_us {
            push_missing(&mut gaps, (next_us, row.start_us), empty, step_us);
        }
        let partial = row.complete == Some(false);
        push(&mut gaps, Lack::Partial, row.start_us, partial.into(), step_us);
        next_us = Some(row.start_us + step_us);
    }
    if let (Some(next_us), Some(until_us)) = (next_us, settings.until_us) {
        push_missing(&mut gaps, (next_us, until_us), empty, step_us);
    }
    gaps
}

/// The windows between two moments that are not empty.
fn push_missing(gaps: &mut Vec<Gap>, (mut from_us, to_us): (i64, i64), empty: &BTreeSet<i64>, step_us: i64) {
    if from_us < to_us {
        let on_grid = |start_us: &&i64| (**start_us - from_us) % step_us == 0;
        let empty: Vec<i64> = empty.range(from_us..to_us).filter(on_grid).copied().collect();
        for start_us in empty {
            push(gaps, Lack::Missing, from_us, missing(from_us, start_us, step_us), step_us);
            from_us = start_us.saturating_add(step_us);
        }
    }
    push(gaps, Lack::Missing, from_us, missing(from_us, to_us, step_us), step_us);
}

fn push(gaps: &mut Vec<Gap>, lack: Lack, from_us: i64, windows: i64, step_us: i64) {
    if windows == 0 {
        return;
    }
    let to_us = from_us.saturating_add(windows.saturating_mul(step_us));
    match gaps.last_mut() {
        Some(last) if last.lack == lack && last.span.to_us == from_us => {
            last.span.to_us = to_us;
            last.windows += windows as u64;
        }
        _ => gaps.push(Gap { lack, span: Range { from_us, to_us }, windows: windows as u64 }),
    }
}
