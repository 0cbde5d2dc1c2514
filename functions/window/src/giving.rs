//! Closes and shows windows piece by piece: no call's time and answer grow with all that is held. What the calls for
//! one answer give is, put together, what a single call would have given.

use tallow_contract::window::{OutputPiece, Portion};

use crate::candle::Candle;
use crate::close::{Left, close, first_open, give, next_to_close, view, wanted};
use crate::fill;
use crate::held::SpecState;
use crate::keys::FixedMap;
use crate::order::Topics;
use crate::output::output;
use crate::queue::Queue;
use crate::spec::Form;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Advance { watermark_us: i64 },
    CloseAll,
    Changed,
}

/// An answer that is given in pieces.
pub struct Giving {
    pub asked: Asked,
    /// The watermark that held before.
    before_us: i64,
    spec: usize,
    /// The next key to look at: until all keys were, nothing is given.
    next_key: u32,
    found: Queue,
    /// Of keys that close several windows.
    left: FixedMap<u32, Left>,
}

/// What holds while windows are given.
#[derive(Clone, Copy)]
pub struct Under<'a> {
    pub topics: &'a Topics,
    pub watermark_us: i64,
    pub version: u64,
}

/// What a call may still do. Work is counted, since there is no clock: about as much as a key that is looked at.
struct Room {
    work: u64,
    windows: u64,
    bytes: u64,
}

/// A window costs as much as so many keys that are looked at and have none to give.
const WINDOW_WORK: u64 = 16;

impl Room {
    fn of(portion: Portion) -> Room {
        let windows = u64::from(portion.windows);
        Room { work: windows * WINDOW_WORK, windows, bytes: portion.bytes }
    }

    fn is_left(&self) -> bool {
        self.work > 0 && self.windows > 0 && self.bytes > 0
    }

    fn take(&mut self, work: u64, windows: u64, bytes: u64) {
        self.work = self.work.saturating_sub(work);
        self.windows = self.windows.saturating_sub(windows);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Giving {
    pub fn new(asked: Asked, before_us: i64) -> Giving {
        Giving { asked, before_us, spec: 0, next_key: 0, found: Queue::default(), left: FixedMap::default() }
    }

    /// The next piece; nothing more is to come once `more` is false.
    pub fn piece(&mut self, specs: &mut [SpecState], under: Under, portion: Portion) -> OutputPiece {
        let mut room = Room::of(portion);
        let mut outputs = Vec::new();
        while let Some(state) = specs.get_mut(self.spec) {
            self.find(state, under, &mut room);
            let candles = self.take_found(state, under, &mut room);
            outputs.extend(output(self.spec as u32, state, &candles));
            if !self.found.is_empty() || (self.next_key as usize) < state.states.len() {
                return OutputPiece { outputs, more: true };
            }
            if self.asked == Asked::Changed {
                state.shown_at = under.version;
            }
            self.spec += 1;
            self.next_key = 0;
        }
        OutputPiece { outputs, more: false }
    }

    /// Looks for windows to give, key by key.
    fn find(&mut self, state: &mut SpecState, under: Under, room: &mut Room) {
        while (self.next_key as usize) < state.states.len() && room.is_left() {
            let key = self.next_key;
            self.next_key += 1;
            room.take(1, 0, 0);
            if !state.keys.is_there(key) {
                continue;
            }
            match self.asked {
                Asked::Advance { .. } => {
                    let from_us = match state.plan.form {
                        Form::Panes(grid) => first_open(grid, self.before_us),
                        Form::Session { .. } => i64::MIN,
                    };
                    self.find_next(state, key, from_us, under);
                }
                Asked::CloseAll => {
                    self.find_open(state, key, under, room, |pane| pane.pending);
                    settle(state, key);
                }
                Asked::Changed => {
                    let shown_at = state.shown_at;
                    self.find_open(state, key, under, room, |pane| pane.changed_at > shown_at);
                }
            }
        }
    }

    fn find_open(
        &mut self,
        state: &SpecState,
        key: u32,
        under: Under,
        room: &mut Room,
        changed: impl Fn(&crate::held::Pane) -> bool,
    ) {
        for start_us in wanted(state, key, under.watermark_us, changed) {
            room.take(1, 0, 0);
            self.found.push(start_us, key, &state.keys);
        }
    }

    /// Queues the key's next window that closes, or the first empty one before it that is filled; without one the key is
    /// finished.
    fn find_next(&mut self, state: &mut SpecState, key: u32, from_us: i64, under: Under) {
        match next_to_close(state, key, from_us, under.watermark_us) {
            Some(start_us) => {
                let first_us = fill::first_empty(state, key, start_us).unwrap_or(start_us);
                self.found.push(first_us, key, &state.keys);
            }
            None => {
                self.left.remove(&key);
                state.drop_if_idle(key, under.watermark_us, under.version);
            }
        }
    }

    /// Gives windows that were found, once all of the spec's were.
    fn take_found(&mut self, state: &mut SpecState, under: Under, room: &mut Room) -> Vec<Candle> {
        let mut candles = Vec::new();
        if (self.next_key as usize) < state.states.len() {
            return candles;
        }
        while room.is_left()
            && let Some((start_us, key)) = self.found.pop()
        {
            let work = WINDOW_WORK + panes_of_a_window(state, key);
            let candle = match self.asked {
                Asked::Advance { .. } => self.close(state, under, key, start_us),
                Asked::CloseAll => give(state, under.topics, key, start_us, under.version),
                Asked::Changed => view(state, under.topics, key, start_us),
            };
            let bytes = candle.as_ref().map_or(0, Candle::output_bytes);
            room.take(work, 1, bytes);
            candles.extend(candle);
        }
        candles
    }

    fn close(&mut self, state: &mut SpecState, under: Under, key: u32, start_us: i64) -> Option<Candle> {
        if let Some((candle, next_us)) = fill::filled(state, key, start_us) {
            self.found.push(next_us, key, &state.keys);
            return Some(candle);
        }
        let mut left = self.left.remove(&key).unwrap_or_default();
        let candle = close(state, under.topics, key, start_us, &mut left);
        state.touch(key, under.version);
        self.left.insert(key, left);
        let next_us = match state.plan.form {
            Form::Panes(grid) => start_us + grid.slide_us,
            Form::Session { .. } => start_us,
        };
        self.find_next(state, key, next_us, under);
        candle
    }
}

/// How many panes are combined for a window of a key, at most.
fn panes_of_a_window(state: &SpecState, key: u32) -> u64 {
    match state.plan.form {
        Form::Panes(grid) => {
            let open = state.states[key as usize].open.len() as u64;
            open.min((grid.size_us / grid.pane_us) as u64)
        }
        Form::Session { .. } => 1,
    }
}

/// What a key's open windows hold is given, or about to be.
fn settle(state: &mut SpecState, key: u32) {
    let SpecState { states, panes, .. } = state;
    for &slot in states[key as usize].open.values() {
        panes.get_mut(slot).pending = false;
    }
}
