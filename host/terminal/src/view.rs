//! What the view knows: the newest window of each key, its recent history, and the counters.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::cell::Cell;
use super::number::places;

/// Keys kept a window definition; those that come later are not shown.
const MAX_KEYS: usize = 1_000;
/// Windows of a key that its chart remembers.
const MAX_HISTORY: usize = 120;

/// Decimal places that prices are shown with at least.
const MIN_PLACES: usize = 2;

/// Columns that say something about the window rather than of its market.
const BOOKKEEPING: [&str; 9] = [
    "window_start",
    "window_end",
    "first_id",
    "last_id",
    "missing",
    "complete",
    "filled",
    "unfilled",
    "revision",
];

/// Whether windows may still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Open,
    Closed,
}

/// A moment's counts, since the program's start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    pub records: u64,
    pub records_per_s: f64,
    pub rows: u64,
    /// (row, window) pairs that came too late.
    pub late: u64,
    pub duplicates: u64,
    pub conflicts: u64,
    pub dead_letters: u64,
    /// µs since 1970-01-01 UTC; none before any event.
    pub watermark_us: Option<i64>,
    /// Records that the topics hold and the pipeline has not taken; `None` if it is not known.
    pub lag: Option<u64>,
    /// Windows published.
    pub candles: u64,
    pub epochs: u64,
}

#[derive(Clone, Debug)]
pub struct View {
    pub(super) pipeline: String,
    pub counters: Counters,
    /// By window name, in the order of the manifest.
    pub(super) windows: Vec<Window>,
}

/// All keys of one window definition.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub name: String,
    pub aggregates: Vec<String>,
    /// Index of the aggregate that is charted: `close`, else the last one.
    pub chart: Option<usize>,
    pub keys: BTreeMap<Vec<String>, Key>,
    /// Some keys came when there were [`MAX_KEYS`] already.
    pub more_keys: bool,
}

/// The newest window of a key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub start_us: i64,
    pub end_us: i64,
    pub phase: Phase,
    /// The newest closed window.
    pub closed: Option<Closed>,
    pub cells: Vec<Cell>,
    /// Decimal places that each column's numbers have needed so far, so that they do not jump.
    pub places: Vec<usize>,
    /// The charted aggregate by window start.
    pub history: BTreeMap<i64, f64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    pub start_us: i64,
    /// None: not known.
    pub complete: Option<bool>,
    pub missing: i64,
}

impl View {
    /// `windows`: names in the order in which to show them.
    pub fn new<'a>(pipeline: &str, windows: impl IntoIterator<Item = &'a str>) -> Self {
        let windows = windows.into_iter().map(Window::new).collect();
        Self { pipeline: pipeline.to_owned(), counters: Counters::default(), windows }
    }

    /// Takes in a table of windows: keys, `window_start`, `window_end`, aggregates. Rows without a start say
    /// nothing and are passed over.
    pub fn show(&mut self, window: &str, batch: &RecordBatch, phase: Phase) {
        let at = self.windows.iter().position(|known| known.name == window).unwrap_or_else(|| {
            self.windows.push(Window::new(window));
            self.windows.len() - 1
        });
        self.windows[at].show(batch, phase);
    }
}

impl Window {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            aggregates: vec![],
            chart: None,
            keys: BTreeMap::new(),
            more_keys: false,
        }
    }

    fn show(&mut self, batch: &RecordBatch, phase: Phase) {
        let schema = batch.schema();
        let Ok(start) = schema.index_of("window_start") else { return };
        let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        self.aggregates = names[start..]
            .iter()
            .filter(|name| !BOOKKEEPING.contains(&name.as_str()))
            .map(|name| name.to_string())
            .collect();
        self.chart = self
            .aggregates
            .iter()
            .position(|name| name == "close")
            .or_else(|| self.aggregates.len().checked_sub(1));
        for row in 0..batch.num_rows() {
            let texts = names[..start].iter().map(|name| match Cell::of(batch, name, row) {
                Cell::Text(text) => text,
                _ => String::new(),
            });
            self.show_row(texts.collect(), batch, row, phase);
        }
    }

    fn show_row(&mut self, key: Vec<String>, batch: &RecordBatch, row: usize, phase: Phase) {
        let Cell::Time(start_us) = Cell::of(batch, "window_start", row) else { return };
        if !self.keys.contains_key(&key) && self.keys.len() >= MAX_KEYS {
            self.more_keys = true;
            return;
        }
        let cells: Vec<Cell> = self.aggregates.iter().map(|name| Cell::of(batch, name, row)).collect();
        let charted = self.chart.and_then(|chart| cells[chart].number());
        let known = self.keys.entry(key).or_insert_with(|| Key::new(start_us, cells.len()));
        if let Some(value) = charted {
            known.history.insert(start_us, value);
            while known.history.len() > MAX_HISTORY {
                known.history.pop_first();
            }
        }
        if phase == Phase::Closed && known.closed.is_none_or(|closed| closed.start_us <= start_us) {
            known.closed = Some(Closed::of(batch, row, start_us));
        }
        // The news of an open window may be older than its close.
        let stale = start_us == known.start_us && known.phase == Phase::Closed && phase == Phase::Open;
        if start_us < known.start_us || stale {
            return;
        }
        known.places.resize(cells.len(), MIN_PLACES);
        for (widest, cell) in known.places.iter_mut().zip(&cells) {
            *widest = (*widest).max(cell.number().map_or(0, places));
        }
        known.start_us = start_us;
        known.end_us = match Cell::of(batch, "window_end", row) {
            Cell::Time(end_us) => end_us,
            _ => start_us,
        };
        known.phase = phase;
        known.cells = cells;
    }
}

impl Closed {
    fn of(batch: &RecordBatch, row: usize, start_us: i64) -> Self {
        let complete = match Cell::of(batch, "complete", row) {
            Cell::Boolean(complete) => Some(complete),
            _ => None,
        };
        let missing = match Cell::of(batch, "missing", row) {
            Cell::Integer(missing) => missing,
            _ => 0,
        };
        Self { start_us, complete, missing }
    }
}

impl Key {
    fn new(start_us: i64, columns: usize) -> Self {
        Self {
            start_us,
            end_us: start_us,
            phase: Phase::Open,
            closed: None,
            cells: vec![Cell::Null; columns],
            places: vec![MIN_PLACES; columns],
            history: BTreeMap::new(),
        }
    }

    /// The charted values, oldest first, the newest `count` of them.
    pub fn recent(&self, count: usize) -> Vec<f64> {
        let skip = self.history.len().saturating_sub(count);
        self.history.values().skip(skip).copied().collect()
    }

    /// How the charted value moved since the window before; none for the first.
    pub fn change(&self) -> Option<std::cmp::Ordering> {
        let mut newest = self.history.values().rev();
        let (now, before) = (newest.next()?, newest.next()?);
        now.partial_cmp(before)
    }
}
