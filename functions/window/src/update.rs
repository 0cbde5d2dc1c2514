//! Takes rows in: judges each (late, duplicate, conflict), finds its pane, then folds pane by pane.

use crate::aggregate::{Context, Segment};
use crate::feed::{Feed, Ids};
use crate::held::{Pane, SpecState};
use crate::ids::Judgement;
use crate::order::Topics;
use crate::pane::Grid;
use crate::session::{join, survivors};
use crate::spec::Form;

/// What became of an update's rows under one spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of a kind that the spec takes.
    pub taken: u64,
    /// Taken rows without a usable event time, key or id, ascending.
    pub invalid: Vec<u32>,
    /// (row, window) pairs of all other taken rows: the sum of the four below.
    pub assignments: u64,
    pub accepted: u64,
    pub late: u64,
    pub duplicate: u64,
    pub conflict: u64,
    /// Rows with a late assignment, ascending.
    pub late_rows: Vec<u32>,
    /// Rows whose id was seen with other content, ascending.
    pub conflict_rows: Vec<u32>,
}

const UNKNOWN: u32 = u32::MAX;

/// The accepted rows of an update with the slots of their panes.
#[derive(Default)]
struct Accepted {
    rows: Vec<u32>,
    slots: Vec<u32>,
    /// Sessions that were merged into others.
    merged: Vec<(u32, u32)>,
}

/// Takes an update's rows into a spec's state, under the watermark of the last advance.
pub fn update(state: &mut SpecState, context: &Context, watermark_us: i64, version: u64) -> Report {
    let feed = context.feed;
    let mut report = Report { taken: feed.taken, invalid: feed.invalid.clone(), ..Report::default() };
    let mut accepted = Accepted {
        rows: Vec::with_capacity(feed.rows.len()),
        slots: Vec::with_capacity(feed.rows.len()),
        merged: Vec::new(),
    };
    match state.plan.form {
        Form::Panes(grid) => assign_panes(state, feed, grid, watermark_us, &mut report, &mut accepted),
        Form::Session { gap_us } => {
            let under = (gap_us, watermark_us);
            assign_sessions(state, feed, context.topics, under, &mut report, &mut accepted);
        }
    }
    report.assignments = report.accepted + report.late + report.duplicate + report.conflict;
    fold(state, context, accepted, version);
    report
}

fn assign_panes(
    state: &mut SpecState,
    feed: &Feed,
    grid: Grid,
    watermark_us: i64,
    report: &mut Report,
    accepted: &mut Accepted,
) {
    let mut lookup = vec![UNKNOWN; feed.codes];
    let late_before = grid.late_before(watermark_us);
    for &row in &feed.rows {
        let time_us = feed.time_us[row as usize];
        let mut windows = match grid.windows_a_row() {
            Some(windows) => windows,
            None => grid.count_of(grid.pane_of(time_us)),
        };
        if time_us < late_before {
            let late = grid.late_of(grid.pane_of(time_us), watermark_us);
            report.late += late;
            report.late_rows.push(row);
            windows -= late;
            if windows == 0 {
                continue;
            }
        }
        let key = key_of(state, feed, &mut lookup, row);
        if !take_id(state, feed, key, row, windows, report) {
            continue;
        }
        let recent = state.states[key as usize].recent;
        let slot = if (time_us.wrapping_sub(recent.start_us) as u64) < grid.pane_us as u64 {
            recent.slot
        } else {
            find_pane(state, grid, key, time_us)
        };
        accepted.rows.push(row);
        accepted.slots.push(slot);
    }
}

fn assign_sessions(
    state: &mut SpecState,
    feed: &Feed,
    topics: &Topics,
    (gap_us, watermark_us): (i64, i64),
    report: &mut Report,
    accepted: &mut Accepted,
) {
    let mut lookup = vec![UNKNOWN; feed.codes];
    for &row in &feed.rows {
        let time_us = feed.time_us[row as usize];
        if time_us + gap_us <= watermark_us {
            report.late += 1;
            report.late_rows.push(row);
            continue;
        }
        let key = key_of(state, feed, &mut lookup, row);
        if !take_id(state, feed, key, row, 1, report) {
            continue;
        }
        let SpecState { states, panes, plan, .. } = state;
        let at = (key, time_us, gap_us);
        let slot = join(&mut states[key as usize], panes, plan, topics, at, &mut accepted.merged);
        accepted.rows.push(row);
        accepted.slots.push(slot);
    }
}

#[inline]
fn key_of(state: &mut SpecState, feed: &Feed, lookup: &mut [u32], row: u32) -> u32 {
    let known = &mut lookup[feed.key_codes[row as usize] as usize];
    if *known == UNKNOWN {
        let mut text = Vec::new();
        feed.encode_key(row, &mut text);
        *known = state.key(&text);
    }
    *known
}

/// Judges a row by its id, and counts its assignments that are not late; whether it is taken in.
#[inline]
fn take_id(
    state: &mut SpecState,
    feed: &Feed,
    key: u32,
    row: u32,
    assignments: u64,
    report: &mut Report,
) -> bool {
    let ids = &mut state.states[key as usize].ids;
    let at = row as usize;
    let judgement = match feed.ids {
        Ids::None => Judgement::New,
        Ids::One(id) => ids.take_one(id[at], feed.fingerprints[at]),
        Ids::Range(first, last) => ids.take_range(first[at], last[at], feed.fingerprints[at]),
    };
    match judgement {
        Judgement::New | Judgement::Untracked => {
            report.accepted += assignments;
            true
        }
        Judgement::Duplicate => {
            report.duplicate += assignments;
            false
        }
        Judgement::Conflict => {
            report.conflict += assignments;
            report.conflict_rows.push(row);
            false
        }
    }
}

fn find_pane(state: &mut SpecState, grid: Grid, key: u32, time_us: i64) -> u32 {
    let SpecState { states, panes, plan, .. } = state;
    let state = &mut states[key as usize];
    let start_us = grid.pane_of(time_us);
    let slot = *state
        .open
        .entry(start_us)
        .or_insert_with(|| panes.add(Pane::new(plan, key, start_us, start_us + grid.pane_us)));
    state.recent.start_us = start_us;
    state.recent.slot = slot;
    slot
}

/// Folds the accepted rows, pane by pane, so that each aggregate runs in a tight loop.
fn fold(state: &mut SpecState, context: &Context, mut accepted: Accepted, version: u64) {
    if !accepted.merged.is_empty() {
        let survivors = survivors(&accepted.merged);
        for slot in &mut accepted.slots {
            *slot = survivors.get(slot).copied().unwrap_or(*slot);
        }
        for &(from, _) in &accepted.merged {
            state.panes.release(from);
        }
    }
    let (order, segments) = by_pane(state, &accepted);
    let rows = order.as_deref().unwrap_or(&accepted.rows);
    for (slot, start, end) in segments {
        let pane = state.panes.get_mut(slot);
        let mut segment = Segment::new(&rows[start..end]);
        let (first_id, last_id) = context.feed.id_bounds(segment.rows);
        pane.rows += segment.rows.len() as u64;
        pane.first_id = pane.first_id.min(first_id);
        pane.last_id = pane.last_id.max(last_id);
        pane.pending = true;
        pane.changed_at = version;
        for (cell, op) in pane.cells.iter_mut().zip(&state.plan.ops) {
            cell.fold(op, &mut segment, context);
        }
        let key = pane.key;
        state.touch(key, version);
    }
}

/// The rows sorted by pane (none where one pane has them all), and each pane's part of them.
#[allow(clippy::type_complexity)]
fn by_pane(state: &mut SpecState, accepted: &Accepted) -> (Option<Vec<u32>>, Vec<(u32, usize, usize)>) {
    let panes = &mut state.panes;
    let mut segments: Vec<(u32, usize, usize)> = Vec::new();
    for &slot in &accepted.slots {
        let pane = panes.get_mut(slot);
        if pane.arriving == 0 {
            segments.push((slot, 0, 0));
        }
        pane.arriving += 1;
    }
    let mut next = 0;
    for (slot, start, end) in &mut segments {
        let pane = panes.get_mut(*slot);
        *start = next;
        next += pane.arriving as usize;
        *end = next;
        pane.arriving = *start as u32;
    }
    let mut order = None;
    if segments.len() > 1 {
        let mut sorted = vec![0; accepted.rows.len()];
        for (&row, &slot) in accepted.rows.iter().zip(&accepted.slots) {
            let cursor = &mut panes.get_mut(slot).arriving;
            sorted[*cursor as usize] = row;
            *cursor += 1;
        }
        order = Some(sorted);
    }
    for (slot, ..) in &segments {
        panes.get_mut(*slot).arriving = 0;
    }
    (order, segments)
}
