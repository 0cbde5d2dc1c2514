//! Closes windows that the watermark has passed, and views those that are open.

use std::collections::BTreeSet;

use crate::aggregate::Cell;
use crate::held::{NO_RECENT, Pane, SpecState};
use crate::ids::Missing;
use crate::order::Topics;
use crate::pane::Grid;
use crate::spec::Form;

/// One window's row of the output.
#[derive(Clone, Debug)]
pub struct Candle {
    pub key: Box<[u8]>,
    pub start_us: i64,
    pub end_us: i64,
    pub rows: u64,
    pub first_id: i64,
    pub last_id: i64,
    pub cells: Vec<Cell>,
    /// None where ids are not named or no longer tracked.
    pub missing: Option<Missing>,
    pub open: bool,
    pub revision: u64,
}

/// Closes every window whose end is at or before the watermark; `before_us` is the watermark that held
/// until now.
pub fn advance(
    state: &mut SpecState,
    topics: &Topics,
    before_us: i64,
    watermark_us: i64,
    version: u64,
) -> Vec<Candle> {
    let mut candles = Vec::new();
    for key in state.keys.indices() {
        let closed = match state.plan.form {
            Form::Panes(grid) => {
                close_panes(state, topics, grid, key, (before_us, watermark_us), &mut candles)
            }
            Form::Session { .. } => close_sessions(state, key, watermark_us, &mut candles),
        };
        let capped = state.states[key as usize].ids.cap();
        if closed || capped {
            state.touch(key, version);
            state.drop_if_idle(key);
        }
    }
    sort(&mut candles);
    candles
}

/// The open windows that hold a wanted pane or session.
pub fn views(
    state: &SpecState,
    topics: &Topics,
    watermark_us: i64,
    wanted: impl Fn(&Pane) -> bool,
) -> Vec<Candle> {
    let mut candles = Vec::new();
    for key in state.keys.indices() {
        let key_state = &state.states[key as usize];
        let wanted = key_state.open.values().copied().filter(|&slot| wanted(state.panes.get(slot)));
        match state.plan.form {
            Form::Session { .. } => {
                for slot in wanted {
                    let session = state.panes.get(slot);
                    candles.push(candle(state, key, session.clone(), session.given, true));
                }
            }
            Form::Panes(grid) => {
                let starts: BTreeSet<i64> = wanted
                    .flat_map(|slot| {
                        let (oldest, newest) = grid.windows_of(state.panes.get(slot).start_us);
                        let open = oldest.max(first_open(grid, watermark_us));
                        (open..=newest).step_by(grid.slide_us as usize)
                    })
                    .collect();
                for start_us in starts {
                    if let Some(window) = window(state, topics, grid, key, start_us) {
                        let given = key_state.given.get(&start_us).copied().unwrap_or(0);
                        candles.push(candle(state, key, window, given, true));
                    }
                }
            }
        }
    }
    sort(&mut candles);
    candles
}

/// Gives the open windows that changed since they were last given, and counts that they were.
pub fn close_all(state: &mut SpecState, topics: &Topics, watermark_us: i64, version: u64) -> Vec<Candle> {
    let candles = views(state, topics, watermark_us, |pane| pane.pending);
    let panes_are_windows = matches!(state.plan.form, Form::Session { .. });
    for candle in &candles {
        if let Some(key) = state.keys.find(&candle.key) {
            let key_state = &mut state.states[key as usize];
            if panes_are_windows {
                if let Some(&slot) = key_state.open.get(&candle.start_us) {
                    state.panes.get_mut(slot).given += 1;
                }
            } else {
                *key_state.given.entry(candle.start_us).or_insert(0) += 1;
            }
            state.touch(key, version);
        }
    }
    let slots: Vec<u32> = state.states.iter().flat_map(|key| key.open.values().copied()).collect();
    for slot in slots {
        state.panes.get_mut(slot).pending = false;
    }
    candles
}

/// The oldest window start whose end is after the watermark.
fn first_open(grid: Grid, watermark_us: i64) -> i64 {
    grid.window_at(watermark_us - grid.size_us) + grid.slide_us
}

fn close_panes(
    state: &mut SpecState,
    topics: &Topics,
    grid: Grid,
    key: u32,
    (before_us, watermark_us): (i64, i64),
    candles: &mut Vec<Candle>,
) -> bool {
    let mut start_us = first_open(grid, before_us);
    let mut closed = false;
    let mut left = Left::default();
    while let Some((&oldest_pane, _)) = state.states[key as usize].open.first_key_value() {
        start_us = start_us.max(grid.windows_of(oldest_pane).0);
        if start_us + grid.size_us > watermark_us {
            break;
        }
        if let Some(window) = window(state, topics, grid, key, start_us) {
            let given = state.states[key as usize].given.remove(&start_us).unwrap_or(0);
            candles.push(candle(state, key, window, given, false));
            closed = true;
        }
        drop_panes(state, grid, key, start_us, &mut left);
        start_us += grid.slide_us;
    }
    closed
}

/// Drops the panes of which a window that closed was the newest.
fn drop_panes(state: &mut SpecState, grid: Grid, key: u32, window_us: i64, left: &mut Left) {
    state.states[key as usize].recent = NO_RECENT;
    while let Some((&pane_us, &slot)) = state.states[key as usize].open.first_key_value() {
        if grid.windows_of(pane_us).1 > window_us {
            break;
        }
        let lowest = left.after_next(state, key);
        let key_state = &mut state.states[key as usize];
        key_state.open.remove(&pane_us);
        let last_id = state.panes.get(slot).last_id;
        state.panes.release(slot);
        key_state.ids.close(last_id, lowest);
    }
}

fn close_sessions(state: &mut SpecState, key: u32, watermark_us: i64, candles: &mut Vec<Candle>) -> bool {
    let mut closed = false;
    let mut left = Left::default();
    while let Some((&start_us, &slot)) = state.states[key as usize].open.first_key_value() {
        let session = state.panes.get(slot).clone();
        if session.end_us > watermark_us {
            break;
        }
        let last_id = session.last_id;
        let given = session.given;
        candles.push(candle(state, key, session, given, false));
        let lowest = left.after_next(state, key);
        state.panes.release(slot);
        let key_state = &mut state.states[key as usize];
        key_state.recent = NO_RECENT;
        key_state.open.remove(&start_us);
        key_state.ids.close(last_id, lowest);
        closed = true;
    }
    closed
}

/// The lowest id of the panes or sessions that are left, while the oldest are dropped one after the other: looked for
/// once, since a key may have many open and close many at a time.
#[derive(Default)]
struct Left {
    /// After the next one is dropped, and so on; the last first. Empty until it is asked for.
    lowest: Vec<Option<i64>>,
}

impl Left {
    /// The lowest id once the oldest that is open is dropped.
    fn after_next(&mut self, state: &SpecState, key: u32) -> Option<i64> {
        if self.lowest.is_empty() {
            let mut lowest = None;
            for &slot in state.states[key as usize].open.values().rev() {
                self.lowest.push(lowest);
                let first_id = state.panes.get(slot).first_id;
                lowest = Some(lowest.map_or(first_id, |lowest: i64| lowest.min(first_id)));
            }
        }
        self.lowest.pop().flatten()
    }
}

/// Combines a window from its panes; none where it has no rows.
fn window(state: &SpecState, topics: &Topics, grid: Grid, key: u32, start_us: i64) -> Option<Pane> {
    let end_us = start_us + grid.size_us;
    let mut panes = state.states[key as usize].open.range(start_us..end_us).map(|(_, &slot)| slot);
    let mut window = state.panes.get(panes.next()?).clone();
    for slot in panes {
        window.absorb(state.panes.get(slot), &state.plan, topics);
    }
    (window.start_us, window.end_us) = (start_us, end_us);
    Some(window)
}

fn candle(state: &SpecState, key: u32, window: Pane, revision: u64, open: bool) -> Candle {
    let ids = &state.states[key as usize].ids;
    let tracked = state.plan.spec.ids.is_some();
    Candle {
        key: state.keys.text(key).into(),
        start_us: window.start_us,
        end_us: window.end_us,
        rows: window.rows,
        first_id: window.first_id,
        last_id: window.last_id,
        cells: window.cells,
        missing: if tracked { ids.missing(window.first_id, window.last_id) } else { None },
        open,
        revision,
    }
}

fn sort(candles: &mut [Candle]) {
    candles.sort_by(|a, b| (a.start_us, &a.key).cmp(&(b.start_us, &b.key)));
}
