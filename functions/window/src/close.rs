//! Closes windows that the watermark has passed, and views those that are open.

use std::collections::BTreeSet;

use crate::candle::Candle;
use crate::fill;
use crate::held::{NO_RECENT, Pane, SpecState};
use crate::ids::Span;
use crate::order::Topics;
use crate::pane::Grid;
use crate::spec::Form;

/// Start of the key's oldest window, from `from_us` on, that ends at or before the watermark.
pub fn next_to_close(state: &SpecState, key: u32, from_us: i64, watermark_us: i64) -> Option<i64> {
    let (&oldest_us, &slot) = state.states[key as usize].open.first_key_value()?;
    match state.plan.form {
        Form::Panes(grid) => {
            let start_us = from_us.max(grid.windows_of(oldest_us).0);
            (start_us + grid.size_us <= watermark_us).then_some(start_us)
        }
        Form::Session { .. } => (state.panes.get(slot).end_us <= watermark_us).then_some(oldest_us),
    }
}

/// Closes a key's oldest open window, for good; `None` if it holds no rows. `left` is the same for all windows of the
/// key that close together.
pub fn close(
    state: &mut SpecState,
    topics: &Topics,
    key: u32,
    start_us: i64,
    left: &mut Left,
) -> Option<Candle> {
    match state.plan.form {
        Form::Panes(grid) => {
            let closed = window(state, topics, grid, key, start_us).map(|window| {
                let given = state.states[key as usize].given.remove(&start_us).unwrap_or(0);
                let unfilled = fill::unfilled(state, key, start_us);
                fill::remember(state, key, &window.0);
                Candle { unfilled, ..candle(state, key, window, given, false) }
            });
            drop_panes(state, grid, key, start_us, left);
            closed
        }
        Form::Session { .. } => close_session(state, key, start_us, left),
    }
}

/// Starts of a key's open windows that hold a wanted pane or session.
pub fn wanted(
    state: &SpecState,
    key: u32,
    watermark_us: i64,
    wanted: impl Fn(&Pane) -> bool,
) -> BTreeSet<i64> {
    let open = state.states[key as usize].open.iter();
    let panes = open.filter(|&(_, &slot)| wanted(state.panes.get(slot))).map(|(&start_us, _)| start_us);
    match state.plan.form {
        Form::Session { .. } => panes.collect(),
        Form::Panes(grid) => {
            let windows = panes.flat_map(|pane_us| {
                let (oldest, newest) = grid.windows_of(pane_us);
                let open = oldest.max(first_open(grid, watermark_us));
                (open..=newest).step_by(grid.slide_us as usize)
            });
            windows.collect()
        }
    }
}

/// A key's open window as it is.
pub fn view(state: &SpecState, topics: &Topics, key: u32, start_us: i64) -> Option<Candle> {
    let key_state = &state.states[key as usize];
    match state.plan.form {
        Form::Session { .. } => {
            let session = state.panes.get(*key_state.open.get(&start_us)?);
            let span = state.span(key, session, session.start_us);
            Some(candle(state, key, (session.clone(), span), session.given, true))
        }
        Form::Panes(grid) => {
            let given = key_state.given.get(&start_us).copied().unwrap_or(0);
            Some(candle(state, key, window(state, topics, grid, key, start_us)?, given, true))
        }
    }
}

/// A key's open window as it is, which is counted as given: its close is the next revision.
pub fn give(state: &mut SpecState, topics: &Topics, key: u32, start_us: i64, version: u64) -> Option<Candle> {
    let candle = view(state, topics, key, start_us)?;
    let SpecState { states, panes, plan, .. } = &mut *state;
    let key_state = &mut states[key as usize];
    match plan.form {
        Form::Session { .. } => {
            if let Some(&slot) = key_state.open.get(&start_us) {
                panes.get_mut(slot).given += 1;
            }
        }
        Form::Panes(_) => *key_state.given.entry(start_us).or_insert(0) += 1,
    }
    state.touch(key, version);
    Some(candle)
}

/// The oldest window start whose end is after the watermark.
pub fn first_open(grid: Grid, watermark_us: i64) -> i64 {
    grid.window_at(watermark_us - grid.size_us) + grid.slide_us
}

/// Drops the panes of which a window that closed was the newest.
fn drop_panes(state: &mut SpecState, grid: Grid, key: u32, window_us: i64, left: &mut Left) {
    state.states[key as usize].recent = NO_RECENT;
    while let Some((&pane_us, &slot)) = state.states[key as usize].open.first_key_value() {
        if grid.windows_of(pane_us).1 > window_us {
            break;
        }
        let open = left.after_next(state, key);
        let pane = state.panes.get(slot);
        let (span, end_us) = (state.span(key, pane, pane_us), pane.end_us);
        state.panes.release(slot);
        let key_state = &mut state.states[key as usize];
        key_state.open.remove(&pane_us);
        key_state.ids.close(span, end_us, open);
    }
}

fn close_session(state: &mut SpecState, key: u32, start_us: i64, left: &mut Left) -> Option<Candle> {
    let slot = *state.states[key as usize].open.get(&start_us)?;
    let session = state.panes.get(slot).clone();
    let span = state.span(key, &session, start_us);
    let (given, end_us) = (session.given, session.end_us);
    let candle = candle(state, key, (session, span), given, false);
    let open = left.after_next(state, key);
    state.panes.release(slot);
    let key_state = &mut state.states[key as usize];
    key_state.recent = NO_RECENT;
    key_state.open.remove(&start_us);
    key_state.ids.close(span, end_us, open);
    Some(candle)
}

/// The lowest and the highest id of the panes or sessions that are left, while the oldest are dropped one after the
/// other: looked for once, since a key may have many open and close many at a time.
#[derive(Default)]
pub struct Left {
    /// After the next one is dropped, and so on; the last first. Empty until it is asked for.
    bounds: Vec<Option<(i64, i64)>>,
}

impl Left {
    /// The bounds once the oldest that is open is dropped.
    fn after_next(&mut self, state: &SpecState, key: u32) -> Option<(i64, i64)> {
        if self.bounds.is_empty() {
            let mut bounds: Option<(i64, i64)> = None;
            for &slot in state.states[key as usize].open.values().rev() {
                self.bounds.push(bounds);
                let Pane { first_id, last_id, .. } = *state.panes.get(slot);
                let (lowest, highest) = bounds.unwrap_or((first_id, last_id));
                bounds = Some((lowest.min(first_id), highest.max(last_id)));
            }
        }
        self.bounds.pop().flatten()
    }
}

/// Combines a window from its panes, with what its ids say; `None` if it has no rows.
fn window(state: &SpecState, topics: &Topics, grid: Grid, key: u32, start_us: i64) -> Option<(Pane, Span)> {
    let end_us = start_us + grid.size_us;
    let mut panes = state.states[key as usize].open.range(start_us..end_us).map(|(_, &slot)| slot);
    let mut window = state.panes.get(panes.next()?).clone();
    for slot in panes {
        window.absorb(state.panes.get(slot), &state.plan, topics);
    }
    let span = state.span(key, &window, window.start_us);
    (window.start_us, window.end_us) = (start_us, end_us);
    Some((window, span))
}

fn candle(state: &SpecState, key: u32, (window, span): (Pane, Span), revision: u64, open: bool) -> Candle {
    let ids = &state.states[key as usize].ids;
    let missing = if state.plan.spec.ids.is_some() { ids.missing(span) } else { None };
    Candle {
        key: state.keys.text(key).into(),
        start_us: window.start_us,
        end_us: window.end_us,
        rows: window.rows,
        first_id: window.first_id,
        last_id: window.last_id,
        cells: window.cells,
        missing: missing.map(|missing| missing.ids),
        complete: if open { Some(false) } else { missing.map(|missing| missing.whole) },
        revision,
        filled: false,
        unfilled: None,
    }
}
