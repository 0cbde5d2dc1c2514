//! Windows without rows between two windows of a key that have some, given when the second one closes. So they depend
//! on the rows alone, and not on when the watermark moved.

use tallow_contract::ValueType;
use tallow_contract::fill::{Fill, FillWith};

use crate::aggregate::Cell;
use crate::candle::Candle;
use crate::held::{Pane, SpecState};
use crate::pane::Grid;
use crate::spec::{Form, Operation};

/// What is filled before a window of a key that closes.
struct Gap<'a> {
    fill: Fill,
    grid: Grid,
    last: &'a Pane,
    silence_us: u64,
}

impl Gap<'_> {
    fn is_filled(&self) -> bool {
        self.silence_us > 0 && self.silence_us <= self.fill.for_us
    }
}

/// The time without rows before a window; `None` where nothing is filled, and for the first window of a key. A key that
/// may be forgotten is taken to be: whether it is depends on when the watermark moved.
fn gap(state: &SpecState, key: u32, start_us: i64) -> Option<Gap<'_>> {
    let Form::Panes(grid) = state.plan.form else { return None };
    let fill = state.plan.fill?;
    let last = state.states[key as usize].last.as_deref()?;
    let silence_us = u64::try_from(start_us - last.end_us).ok()?;
    (silence_us < fill.keep_us).then_some(Gap { fill, grid, last, silence_us })
}

/// The first of the empty windows that are given before one that closes.
pub fn first_empty(state: &SpecState, key: u32, start_us: i64) -> Option<i64> {
    gap(state, key, start_us).filter(Gap::is_filled).map(|gap| gap.last.end_us)
}

/// How many empty windows before one that closes are not given; `None` if it is not known.
pub fn unfilled(state: &SpecState, key: u32, start_us: i64) -> Option<u64> {
    let gap = gap(state, key, start_us)?;
    Some(if gap.is_filled() { 0 } else { gap.silence_us / gap.grid.size_us as u64 })
}

/// An empty window of a key, and the start of the next one; `None` if the window has rows.
pub fn filled(state: &SpecState, key: u32, start_us: i64) -> Option<(Candle, i64)> {
    let Form::Panes(grid) = state.plan.form else { return None };
    let key_state = &state.states[key as usize];
    let (&next_us, &slot) = key_state.open.first_key_value()?;
    if state.plan.fill.is_none() || start_us >= next_us {
        return None;
    }
    let last = key_state.last.as_deref()?;
    let tracked = state.plan.spec.ids.is_some();
    let span = state.span(key, state.panes.get(slot), next_us);
    let complete = if tracked { key_state.ids.follows(span) } else { None };
    let end_us = start_us + grid.size_us;
    let candle = Candle {
        key: state.keys.text(key).into(),
        start_us,
        end_us,
        rows: 0,
        first_id: 0,
        last_id: 0,
        cells: last.cells.clone(),
        missing: complete.filter(|complete| *complete).map(|_| 0),
        complete,
        revision: 0,
        filled: true,
        unfilled: Some(0),
    };
    Some((candle, end_us))
}

/// Keeps a window that closes, for those that are filled after it.
pub fn remember(state: &mut SpecState, key: u32, window: &Pane) {
    let Some(fill) = state.plan.fill else { return };
    let last = match fill.with {
        FillWith::Previous => window.clone(),
        // What it holds is not asked for.
        FillWith::Null | FillWith::Zero => {
            Pane { first_id: 0, last_id: 0, ..Pane::new(&state.plan, key, window.start_us, window.end_us) }
        }
    };
    let last = Pane { pending: false, changed_at: 0, given: 0, ..last };
    state.states[key as usize].last = Some(Box::new(last));
}

/// What a filled window has for an aggregate; `cell`: of the window before. `None` if it is null.
pub fn value(with: FillWith, operation: Operation, kind: ValueType, cell: &Cell) -> Option<i128> {
    let adds = matches!(operation, Operation::Sum | Operation::Count | Operation::SumProduct);
    match with {
        FillWith::Null => None,
        FillWith::Zero => (kind != ValueType::TimestampUs).then_some(0),
        FillWith::Previous if adds => Some(0),
        FillWith::Previous => cell.finish(operation),
    }
}
