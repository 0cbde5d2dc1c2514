//! Tumbling windows of one definition: which row belongs where, and what closes when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Operation, Order};

/// Event times beyond this (36,000 years) are invalid: with them window ends could overflow.
const MAX_TIME_US: u64 = 1 << 60;

/// A window definition, as far as this function does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pub size_us: i64,
    pub offset_us: i64,
    pub operations: Vec<Operation>,
}

/// A row of a kind that the definition takes.
pub struct Row {
    pub order: Order,
    /// `None` if the event time is null.
    pub is_timed: bool,
    /// `None` if a key column is null.
    pub key: Option<Vec<String>>,
    /// A value for each operation.
    pub values: Vec<Option<i128>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub start_us: i64,
    pub key: Vec<String>,
    pub rows: u64,
    pub cells: Vec<Cell>,
    /// How often it was given while it was open: the number of its next revision.
    pub given: u64,
    /// Whether it changed since it was last given.
    pub is_changed: bool,
    /// Whether it changed since it was last shown; all are shown again after a restore.
    #[serde(skip)]
    pub is_shown: bool,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Accepted,
    Late,
    Invalid,
}

pub struct Windows {
    pub spec: Spec,
    pub watermark_us: i64,
    open: BTreeMap<(i64, Vec<String>), Window>,
}

impl Windows {
    pub fn new(spec: Spec, watermark_us: i64, open: Vec<Window>) -> Self {
        let open = open.into_iter().map(|window| ((window.start_us, window.key.clone()), window));
        Self { spec, watermark_us, open: open.collect() }
    }

    pub fn take(&mut self, row: &Row) -> Fate {
        let time_us = row.order.time_us;
        let Some(key) = row.key.as_ref().filter(|_| row.is_timed && time_us.unsigned_abs() < MAX_TIME_US) else {
            return Fate::Invalid;
        };
        let Spec { size_us, offset_us, .. } = self.spec;
        let start_us = (time_us - offset_us).div_euclid(size_us) * size_us + offset_us;
        if start_us + size_us <= self.watermark_us {
            return Fate::Late;
        }
        let window = self.open.entry((start_us, key.clone())).or_insert_with(|| Window {
            start_us,
            key: key.clone(),
            rows: 0,
            cells: self.spec.operations.iter().map(|operation| Cell::new(*operation)).collect(),
            given: 0,
            is_changed: false,
            is_shown: false,
        });
        window.rows += 1;
        (window.is_changed, window.is_shown) = (true, false);
        for (cell, value) in window.cells.iter_mut().zip(&row.values) {
            cell.take(&row.order, *value);
        }
        Fate::Accepted
    }

    /// The oldest windows that end at or before the watermark, `most` of them, sorted by start and key; they are
    /// closed. The watermark never goes back.
    pub fn advance(&mut self, watermark_us: i64, most: usize) -> Vec<Window> {
        self.watermark_us = self.watermark_us.max(watermark_us);
        let mut closed = Vec::new();
        while let Some(oldest) = self.open.first_entry() {
            if closed.len() == most || oldest.get().start_us + self.spec.size_us > self.watermark_us {
                break;
            }
            closed.push(oldest.remove());
        }
        closed
    }

    /// Open windows that changed since they were last given, `most` of them, as they are now.
    pub fn give_changed(&mut self, most: usize) -> Vec<Window> {
        let changed = self.open.values_mut().filter(|window| window.is_changed).take(most);
        changed
            .map(|window| {
                let given = window.clone();
                (window.is_changed, window.given) = (false, window.given + 1);
                given
            })
            .collect()
    }

    /// Open windows that changed since they were last shown, `most` of them.
    pub fn show_changed(&mut self, most: usize) -> Vec<Window> {
        let new = self.open.values_mut().filter(|window| !window.is_shown).take(most);
        new.map(|window| {
            window.is_shown = true;
            window.clone()
        })
        .collect()
    }

    /// Sorted by start and key.
    pub fn open(&self) -> impl Iterator<Item = &Window> {
        self.open.values()
    }
}
