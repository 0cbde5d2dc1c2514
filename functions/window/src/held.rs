//! What a spec holds: its keys, and the panes or sessions that are open under each.

use std::collections::BTreeMap;

use tallow_contract::ValueType;

use crate::aggregate::Cell;
use crate::ids::{KeyIds, Span};
use crate::kept::Kept;
use crate::keys::{GROUPS, Keys, group_of};
use crate::order::Topics;
use crate::spec::{Form, Plan};

/// Rows of one key in one pane or session.
#[derive(Clone, Debug, PartialEq)]
pub struct Pane {
    /// Index of the key.
    pub key: u32,
    /// The pane's start, or the session's first row.
    pub start_us: i64,
    /// The pane's end, or the session's: its last row plus the gap.
    pub end_us: i64,
    pub rows: u64,
    pub first_id: i64,
    pub last_id: i64,
    pub cells: Vec<Cell>,
    /// Its rows, where rows replace each other.
    pub kept: Option<Box<Kept>>,
    /// Whether rows came since `close-all` last gave it.
    pub pending: bool,
    /// How often `close-all` gave this session; the windows of panes are counted in [`KeyState::given`].
    pub given: u64,
    /// Version of the state at which the last row came.
    pub changed_at: u64,
}

impl Pane {
    pub fn new(plan: &Plan, key: u32, start_us: i64, end_us: i64) -> Pane {
        Pane {
            key,
            start_us,
            end_us,
            rows: 0,
            first_id: i64::MAX,
            last_id: i64::MIN,
            cells: plan.ops.iter().map(|op| Cell::new(op.operation)).collect(),
            kept: plan.latest.map(|_| Box::default()),
            pending: false,
            given: 0,
            changed_at: 0,
        }
    }

    /// Takes in the rows of another one.
    pub fn absorb(&mut self, other: &Pane, plan: &Plan, topics: &Topics) {
        self.rows += other.rows;
        self.first_id = self.first_id.min(other.first_id);
        self.last_id = self.last_id.max(other.last_id);
        self.pending |= other.pending;
        self.given = self.given.max(other.given);
        self.changed_at = self.changed_at.max(other.changed_at);
        self.absorb_cells(&other.cells, plan, topics);
        if let (Some(kept), Some(other)) = (&mut self.kept, &other.kept) {
            kept.absorb(other);
        }
    }

    /// Takes in what other rows add up to.
    pub fn absorb_cells(&mut self, cells: &[Cell], plan: &Plan, topics: &Topics) {
        for ((cell, other), op) in self.cells.iter_mut().zip(cells).zip(&plan.ops) {
            cell.absorb(other, op.operation, topics);
        }
    }
}

/// Panes by slot. A slot is used again after its pane is gone.
#[derive(Default)]
pub struct Panes {
    slots: Vec<Pane>,
    free: Vec<u32>,
}

impl Panes {
    pub fn add(&mut self, pane: Pane) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = pane;
                slot
            }
            None => {
                self.slots.push(pane);
                (self.slots.len() - 1) as u32
            }
        }
    }

    #[inline]
    pub fn get(&self, slot: u32) -> &Pane {
        &self.slots[slot as usize]
    }

    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> &mut Pane {
        &mut self.slots[slot as usize]
    }

    /// Frees a slot.
    pub fn release(&mut self, slot: u32) {
        let pane = &mut self.slots[slot as usize];
        (pane.cells, pane.kept) = (Vec::new(), None);
        self.free.push(slot);
    }

    pub fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

/// The pane or session that a key's last row went to: the next one mostly goes there too.
#[derive(Clone, Copy, Debug)]
pub struct Recent {
    /// `i64::MIN` for none.
    pub start_us: i64,
    pub slot: u32,
    /// Start of the session after it; `i64::MAX` for none.
    pub next_us: i64,
}

pub const NO_RECENT: Recent = Recent { start_us: i64::MIN, slot: 0, next_us: i64::MAX };

pub struct KeyState {
    pub group: u32,
    /// Slots of the open panes or sessions, by start.
    pub open: BTreeMap<i64, u32>,
    pub recent: Recent,
    pub ids: KeyIds,
    /// How often `close-all` gave an open window, by its start.
    pub given: BTreeMap<i64, u64>,
    /// The newest window that closed, where empty ones are filled.
    pub last: Option<Box<Pane>>,
}

/// The state of one spec.
pub struct SpecState {
    pub plan: Plan,
    /// Types of the plan's inputs, known from the first update on.
    pub types: Vec<Option<ValueType>>,
    pub keys: Keys,
    /// By index of the key.
    pub states: Vec<KeyState>,
    pub panes: Panes,
    /// Version at which each group last changed.
    pub changed_at: [u64; GROUPS as usize],
    /// Version at which `changed` was last called.
    pub shown_at: u64,
}

/// Whether no row that is in time can come any more whose window would ask for what is known of the key.
fn silent(plan: &Plan, key: &KeyState, watermark_us: i64) -> bool {
    let span_us = match plan.form {
        Form::Panes(grid) => grid.size_us,
        Form::Session { gap_us } => gap_us,
    };
    let after = |closed_end_us: i64, silence_us: u64| {
        let silence_us = i64::try_from(silence_us).unwrap_or(i64::MAX);
        watermark_us >= closed_end_us.saturating_add(silence_us).saturating_add(span_us)
    };
    let asks_ids =
        plan.spec.ids.as_ref().is_some_and(|columns| !after(key.ids.closed_end_us, columns.silence_us));
    let last = plan.fill.zip(key.last.as_deref());
    !asks_ids && last.is_none_or(|(fill, last)| after(last.end_us, fill.keep_us))
}

impl SpecState {
    pub fn new(plan: Plan) -> SpecState {
        SpecState {
            types: vec![None; plan.inputs.len()],
            plan,
            keys: Keys::default(),
            states: Vec::new(),
            panes: Panes::default(),
            changed_at: [0; GROUPS as usize],
            shown_at: 0,
        }
    }

    /// Index of a key, added with nothing under it if it is new.
    pub fn key(&mut self, text: &[u8]) -> u32 {
        if let Some(index) = self.keys.find(text) {
            return index;
        }
        let index = self.keys.add(text);
        let state = KeyState {
            group: group_of(text),
            open: BTreeMap::new(),
            recent: NO_RECENT,
            ids: KeyIds::default(),
            given: BTreeMap::new(),
            last: None,
        };
        match self.states.get_mut(index as usize) {
            Some(slot) => *slot = state,
            None => self.states.push(state),
        }
        index
    }

    /// Forgets a key of which nothing needs to be remembered: one without open windows, and without ids and filling
    /// or after a long silence.
    pub fn drop_if_idle(&mut self, key: u32, watermark_us: i64, version: u64) {
        let key_state = &mut self.states[key as usize];
        if !key_state.open.is_empty() {
            return;
        }
        key_state.open = BTreeMap::new();
        if silent(&self.plan, key_state, watermark_us) {
            self.touch(key, version);
            self.keys.drop_key(key);
            let key_state = &mut self.states[key as usize];
            (key_state.ids, key_state.last) = (KeyIds::default(), None);
        }
    }

    /// What the ids of a window or pane say that starts then.
    pub fn span(&self, key: u32, pane: &Pane, start_us: i64) -> Span {
        let closed_end_us = self.states[key as usize].ids.closed_end_us;
        let silence_us = self.plan.spec.ids.as_ref().map_or(u64::MAX, |ids| ids.silence_us);
        let since = u64::try_from(i128::from(start_us) - i128::from(closed_end_us)).unwrap_or(0);
        let after_silence = closed_end_us != i64::MIN && since >= silence_us;
        Span { first_id: pane.first_id, last_id: pane.last_id, after_silence }
    }

    pub fn touch(&mut self, key: u32, version: u64) {
        let group = self.states[key as usize].group;
        self.changed_at[group as usize] = version;
    }
}
