//! All windows in a row, with the missing ones between.

use std::collections::BTreeSet;

use tallow_contract::{Refusal, refuse};

use crate::choose::{Chosen, Place};
use crate::{Settings, Source};

/// Windows that one call may make up. More come of a step or a time in the wrong unit, not of a market.
const MOST_FILLED: i64 = 10_000_000;

/// A window of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub start_us: i64,
    /// Its row; of a filled window, the one that it is carried from.
    pub place: Place,
    /// `None` if it is filled.
    pub source: Option<Source>,
    pub complete: Option<bool>,
}

impl Window {
    pub fn is_filled(&self) -> bool {
        self.source.is_none()
    }
}

/// Where an earlier call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// End of its last window: start of the next one.
    pub end_us: i64,
    pub last: Place,
}

/// The chosen rows, each at its window, with the missing windows between if they are wanted. `empty`: windows in
/// which nothing happened, by their start: filled ones of these are complete.
pub fn series(
    chosen: &[Chosen],
    before: Option<Before>,
    empty: &BTreeSet<i64>,
    step_us: i64,
    settings: &Settings,
) -> Result<Vec<Window>, Refusal> {
    check_grid(chosen, before, step_us)?;
    let mut windows = Vec::with_capacity(chosen.len());
    let mut next = before;
    for row in chosen {
        if settings.fill {
            fill(&mut windows, next, row.start_us, empty, step_us)?;
        }
        let Chosen { start_us, place, source, complete } = *row;
        windows.push(Window { start_us, place, source: Some(source), complete });
        next = Some(Before { end_us: start_us + step_us, last: place });
    }
    if settings.fill
        && let Some(until_us) = settings.until_us
    {
        fill(&mut windows, next, until_us, empty, step_us)?;
    }
    Ok(windows)
}

/// The windows from `next` on that start before `to_us`.
fn fill(
    windows: &mut Vec<Window>,
    next: Option<Before>,
    to_us: i64,
    empty: &BTreeSet<i64>,
    step_us: i64,
) -> Result<(), Refusal> {
    let Some(Before { end_us, last }) = next else { return Ok(()) };
    let missing = missing(end_us, to_us, step_us);
    if missing > MOST_FILLED {
        refuse!(
            "{missing} windows are missing from {end_us} µs to {to_us} µs: {MOST_FILLED} are filled at most; are \
             `step` and the times right?"
        );
    }
    windows.extend((0..missing).map(|index| end_us + index * step_us).map(|start_us| Window {
        start_us,
        place: last,
        source: None,
        complete: Some(empty.contains(&start_us)),
    }));
    Ok(())
}

/// How many windows start from `from_us` on and before `to_us`.
pub fn missing(from_us: i64, to_us: i64, step_us: i64) -> i64 {
    let span = i128::from(to_us) - i128::from(from_us);
    let step = i128::from(step_us);
    i64::try_from((span.max(0) + step - 1) / step).unwrap_or(i64::MAX)
}

fn check_grid(chosen: &[Chosen], before: Option<Before>, step_us: i64) -> Result<(), Refusal> {
    let Some(first) = chosen.first() else { return Ok(()) };
    let origin_us = before.map_or(first.start_us, |before| before.end_us);
    if first.start_us < origin_us {
        let start_us = first.start_us;
        refuse!("the window at {start_us} µs comes before the end of what was given: {origin_us} µs");
    }
    let off = |row: &&Chosen| (i128::from(row.start_us) - i128::from(origin_us)) % i128::from(step_us) != 0;
    match chosen.iter().find(off) {
        None => Ok(()),
        Some(row) => refuse!(
            "the window at {} µs does not lie on the grid of the others: {origin_us} µs and steps of {step_us} µs. \
             Only tumbling windows can be merged",
            row.start_us
        ),
    }
}
