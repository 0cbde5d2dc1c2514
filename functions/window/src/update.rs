//! Takes rows in: judges each (late, duplicate, conflict), finds its pane, then folds pane by pane.

use crate::aggregate::{Context, Segment};
use crate::feed::{Feed, Ids};
use crate::held::{Pane, SpecState};
use crate::ids::{Judgement, KeyIds};
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

impl Report {
    /// Counts a row's assignments that are not late; whether it is taken in.
    #[inline]
    fn count(&mut self, judgement: Judgement, row: u32, assignments: u64) -> bool {
        match judgement {
            Judgement::New | Judgement::Untracked => self.accepted += assignments,
            Judgement::Duplicate => self.duplicate += assignments,
            Judgement::Conflict => {
                self.conflict += assignments;
                self.conflict_rows.push(row);
            }
        }
        matches!(judgement, Judgement::New | Judgement::Untracked)
    }
}

const UNKNOWN: u32 = u32::MAX;

/// The accepted rows of an update with the slots of their panes.
struct Accepted {
    rows: Vec<u32>,
    slots: Vec<u32>,
    /// Sessions that were merged into others.
    merged: Vec<(u32, u32)>,
}

impl Accepted {
    fn for_rows(rows: usize) -> Accepted {
        Accepted { rows: Vec::with_capacity(rows), slots: Vec::with_capacity(rows), merged: Vec::new() }
    }
}

/// Takes an update's rows into a spec's state, under the watermark of the last advance.
pub fn update(state: &mut SpecState, context: &Context, watermark_us: i64, version: u64) -> Report {
    let feed = context.feed;
    let prints = feed.fingerprints.as_slice();
    // Each arm is compiled for itself, so that no row asks again what kind of ids there are.
    let (mut report, accepted) = match feed.ids {
        Ids::None => assign(state, context, watermark_us, |_, _| Judgement::New),
        Ids::One(ids) => assign(state, context, watermark_us, |key, row| key.take_one(ids[row], prints[row])),
        Ids::Range(first, last) => assign(state, context, watermark_us, |key, row| {
            key.take_range(first[row], last[row], prints[row])
        }),
    };
    report.assignments = report.accepted + report.late + report.duplicate + report.conflict;
    fold(state, context, accepted, version);
    report
}

fn assign(
    state: &mut SpecState,
    context: &Context,
    watermark_us: i64,
    judge: impl Fn(&mut KeyIds, usize) -> Judgement,
) -> (Report, Accepted) {
    let feed = context.feed;
    let mut report = Report { taken: feed.taken, invalid: feed.invalid.clone(), ..Report::default() };
    let accepted = match state.plan.form {
        Form::Panes(grid) => assign_panes(state, feed, grid, watermark_us, &mut report, judge),
        Form::Session { gap_us } => {
            assign_sessions(state, context, (gap_us, watermark_us), &mut report, judge)
        }
    };
    (report, accepted)
}

fn assign_panes(
    state: &mut SpecState,
    feed: &Feed,
    grid: Grid,
    watermark_us: i64,
    report: &mut Report,
    judge: impl Fn(&mut KeyIds, usize) -> Judgement,
) -> Accepted {
    let mut accepted = Accepted::for_rows(feed.rows.len());
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
        let key_state = &mut state.states[key as usize];
        let judgement = judge(&mut key_state.ids, row as usize);
        if !report.count(judgement, row, windows) {
            continue;
        }
        let recent = key_state.recent;
        let slot = if (time_us.wrapping_sub(recent.start_us) as u64) < grid.pane_us as u64 {
            recent.slot
        } else {
            find_pane(state, grid, key, time_us)
        };
        accepted.rows.push(row);
        accepted.slots.push(slot);
    }
    accepted
}

fn assign_sessions(
    state: &mut SpecState,
    context: &Context,
    (gap_us, watermark_us): (i64, i64),
    report: &mut Report,
    judge: impl Fn(&mut KeyIds, usize) -> Judgement,
) -> Accepted {
    let feed = context.feed;
    let mut accepted = Accepted::for_rows(feed.rows.len());
    let mut lookup = vec![UNKNOWN; feed.codes];
    for &row in &feed.rows {
        let time_us = feed.time_us[row as usize];
        if time_us + gap_us <= watermark_us {
            report.late += 1;
            report.late_rows.push(row);
            continue;
        }
        let key = key_of(state, feed, &mut lookup, row);
        let SpecState { states, panes, plan, .. } = state;
        let key_state = &mut states[key as usize];
        let judgement = judge(&mut key_state.ids, row as usize);
        if !report.count(judgement, row, 1) {
            continue;
        }
        let at = (key, time_us, gap_us);
        let slot = join(key_state, panes, plan, context.topics, at, &mut accepted.merged);
        accepted.rows.push(row);
        accepted.slots.push(slot);
    }
    accepted
}

#[inline]
fn key_of(state: &mut SpecState, feed: &Feed, lookup: &mut [u32], row: u32) -> u32 {
    let known = &mut lookup[feed.key_codes[row as usize] as usize];
    if *known == UNKNOWN {
        *known = find_key(state, feed, row);
    }
    *known
}

#[cold]
fn find_key(state: &mut SpecState, feed: &Feed, row: u32) -> u32 {
    let mut text = Vec::new();
    feed.encode_key(row, &mut text);
    state.key(&text)
}

#[cold]
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
        let floor = state.states[pane.key as usize].ids.floor;
        let mut segment = Segment::new(&rows[start..end], floor);
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
