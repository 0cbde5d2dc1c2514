//! A naive reading of the semantics over all rows, and the function beside it, on random rows, watermarks
//! and cuts: they give the same reports and windows, and the ledger adds up at every point.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use support::{Candle, OHLCV, Row, Type, Value, by_spec, spec};
use window::Windows;
use window::spec::{Shape, Sliding};

#[derive(Clone, Debug, PartialEq)]
struct Trade {
    symbol: u8,
    time: i64,
    id: i64,
    price: Option<i64>,
    quantity: i64,
    place: (u8, i32, i64),
}

#[derive(Clone, Debug)]
enum Step {
    Update(Vec<Trade>),
    Advance(i64),
}

/// A row that was taken in: the windows that hold it, or for a session whether it is still open.
struct Held {
    trade: Trade,
    windows: BTreeSet<i64>,
}

#[derive(Default, Debug, PartialEq)]
struct Counts {
    accepted: u64,
    late: u64,
    duplicate: u64,
    conflict: u64,
}

/// What is remembered of a symbol's windows that closed for good.
#[derive(Clone, Debug)]
struct Closed {
    /// The highest id since ids last restarted.
    highest: i64,
    /// Their ids that are above one that is open, or were.
    kept: BTreeSet<i64>,
    /// The highest id that is not kept.
    forgotten: Option<i64>,
}

struct Oracle {
    shape: Shape,
    ids: bool,
    watermark: i64,
    held: Vec<Held>,
    /// Every id ever taken in, with its row.
    seen: BTreeMap<(u8, i64), Trade>,
    /// What is remembered of what closed for good, by symbol.
    closed: BTreeMap<u8, Closed>,
    closed_assignments: u64,
    refused: u64,
}

impl Oracle {
    fn windows_of(&self, time: i64) -> Vec<(i64, i64)> {
        let (size, slide) = match self.shape {
            Shape::Tumbling(size_us) => (size_us as i64, size_us as i64),
            Shape::Sliding(Sliding { size_us, slide_us }) => (size_us as i64, slide_us as i64),
            Shape::Session(gap_us) => return vec![(time, time + gap_us as i64)],
        };
        (-1000..1000)
            .map(|index| (index * slide, index * slide + size))
            .filter(|&(start, end)| start <= time && time < end)
            .collect()
    }

    fn update(&mut self, trades: &[Trade]) -> Counts {
        let mut counts = Counts::default();
        for trade in trades {
            let all = self.windows_of(trade.time);
            let (late, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|&(_, end)| end <= self.watermark);
            counts.late += late.len() as u64;
            if open.is_empty() {
                continue;
            }
            let assignments = open.len() as u64;
            match self.seen.get(&(trade.symbol, trade.id)).filter(|_| self.ids) {
                Some(known) if same(known, trade) => counts.duplicate += assignments,
                Some(_) => counts.conflict += assignments,
                None => {
                    counts.accepted += assignments;
                    self.seen.insert((trade.symbol, trade.id), trade.clone());
                    let windows = open.into_iter().map(|(start, _)| start).collect();
                    self.held.push(Held { trade: trade.clone(), windows });
                }
            }
        }
        self.refused += counts.late + counts.duplicate + counts.conflict;
        counts
    }

    /// The windows that are open: (start, symbol, end) with the rows of each.
    fn open(&self) -> BTreeMap<(i64, u8, i64), Vec<usize>> {
        let mut open: BTreeMap<(i64, u8, i64), Vec<usize>> = BTreeMap::new();
        let Shape::Session(gap_us) = self.shape else {
            for (index, held) in self.held.iter().enumerate() {
                for &(start, end) in &self.windows_of(held.trade.time) {
                    if held.windows.contains(&start) {
                        open.entry((start, held.trade.symbol, end)).or_default().push(index);
                    }
                }
            }
            return open;
        };
        let mut rows: Vec<usize> = (0..self.held.len()).collect();
        rows.sort_by_key(|&row| (self.held[row].trade.symbol, self.held[row].trade.time));
        let mut session: Vec<usize> = Vec::new();
        let mut sessions = Vec::new();
        for row in rows {
            let trade = &self.held[row].trade;
            let apart = session.last().is_some_and(|&last| {
                let last = &self.held[last].trade;
                last.symbol != trade.symbol || trade.time - last.time > gap_us as i64
            });
            if apart {
                sessions.push(std::mem::take(&mut session));
            }
            session.push(row);
        }
        sessions.push(session);
        for session in sessions.into_iter().filter(|session| !session.is_empty()) {
            let (first, last) = (&self.held[session[0]].trade, &self.held[session[session.len() - 1]].trade);
            open.insert((first.time, first.symbol, last.time + gap_us as i64), session);
        }
        open
    }

    fn advance(&mut self, watermark: i64) -> Vec<Candle> {
        self.watermark = self.watermark.max(watermark);
        let mut candles = Vec::new();
        for symbol in 0..4 {
            loop {
                let open = self.open();
                let next = open.iter().find(|((_, of, end), _)| *of == symbol && *end <= self.watermark);
                let Some((&window, rows)) = next else { break };
                candles.push((window, self.candle(window, rows)));
                self.close(window, rows);
            }
        }
        candles.sort_by_key(|(window, _)| *window);
        candles.into_iter().map(|(_, candle)| candle).collect()
    }

    fn close(&mut self, (start, symbol, _): (i64, u8, i64), rows: &[usize]) {
        self.closed_assignments += rows.len() as u64;
        let session = matches!(self.shape, Shape::Session(_));
        for &row in rows {
            self.held[row].windows.remove(&start);
            if session {
                self.held[row].windows.clear();
            }
        }
        // The slices of a sliding window that no open window needs any more go one by one.
        let mut gone: BTreeMap<i64, i64> = BTreeMap::new();
        for held in self.held.iter().filter(|held| held.windows.is_empty()) {
            let slice = if session { start } else { slice_of(self.shape, held.trade.time) };
            let last = gone.entry(slice).or_insert(i64::MIN);
            *last = (*last).max(held.trade.id);
        }
        for (slice, last) in gone {
            let shape = self.shape;
            let this = |held: &Held| {
                held.windows.is_empty()
                    && held.trade.symbol == symbol
                    && (session || slice_of(shape, held.trade.time) == slice)
            };
            let ids: BTreeSet<i64> =
                self.held.iter().filter(|held| this(held)).map(|held| held.trade.id).collect();
            let first = *ids.first().unwrap();
            let restarts = self.restarts(symbol, first, last);
            self.held.retain(|held| !this(held));
            let open: BTreeSet<i64> = self
                .held
                .iter()
                .filter(|held| held.trade.symbol == symbol)
                .map(|held| held.trade.id)
                .collect();
            let new = Closed { highest: last, kept: BTreeSet::new(), forgotten: None };
            let mut closed = self.closed.remove(&symbol).unwrap_or(new);
            if restarts {
                // What is above the ids of today is of the time before.
                let highest = open.last().map_or(last, |&open| open.max(last));
                self.seen.retain(|&(of, id), _| of != symbol || id <= highest);
                closed.kept.retain(|&id| id <= highest);
                (closed.highest, closed.forgotten) = (last, None);
            }
            closed.kept.extend(ids);
            closed.highest = closed.highest.max(last);
            let through = open.first().map_or(closed.highest, |&lowest| closed.highest.min(lowest - 1));
            let gone = closed.kept.iter().copied().filter(|&id| id <= through).max();
            closed.forgotten = closed.forgotten.max(gone);
            closed.kept.retain(|&id| id > through);
            self.closed.insert(symbol, closed);
        }
    }

    /// Whether ids begin below those that closed, after one that never came.
    fn restarts(&self, symbol: u8, first: i64, last: i64) -> bool {
        let follows = self.seen.contains_key(&(symbol, first - 1));
        self.closed.get(&symbol).is_some_and(|closed| last < closed.highest && !follows)
    }

    fn candle(&self, (start, symbol, end): (i64, u8, i64), rows: &[usize]) -> Candle {
        let mut trades: Vec<&Trade> = rows.iter().map(|&row| &self.held[row].trade).collect();
        trades.sort_by_key(|trade| {
            if self.ids { (trade.time, trade.id, (0, 0, 0)) } else { (trade.time, 0, trade.place) }
        });
        let prices: Vec<i64> = trades.iter().filter_map(|trade| trade.price).collect();
        let decimal =
            |value: Option<i128>, scale| value.map_or(Value::Null, |value| Value::Decimal(value, scale));
        let price = |value: Option<&i64>| decimal(value.map(|&value| i128::from(value)), 2);
        let products =
            trades.iter().filter_map(|t| t.price.map(|price| i128::from(price) * i128::from(t.quantity)));
        let mut candle = Candle::from([
            ("symbol".into(), Value::Text(name(symbol))),
            ("window_start".into(), Value::Int(start)),
            ("window_end".into(), Value::Int(end)),
            ("open".into(), price(prices.first())),
            ("high".into(), price(prices.iter().max())),
            ("low".into(), price(prices.iter().min())),
            ("close".into(), price(prices.last())),
            ("volume".into(), decimal(Some(trades.iter().map(|t| i128::from(t.quantity)).sum()), 3)),
            ("quote_volume".into(), decimal(products.reduce(|a, b| a + b), 5)),
            ("trades".into(), Value::Int(trades.len() as i64)),
            ("missing".into(), Value::Null),
            ("complete".into(), Value::Null),
            ("revision".into(), Value::Int(0)),
        ]);
        if self.ids {
            let first = trades.iter().map(|trade| trade.id).min().unwrap();
            let last = trades.iter().map(|trade| trade.id).max().unwrap();
            // Ids of what is open, and of what closed as far as they are kept.
            let closed = self.closed.get(&symbol);
            let open = self.held.iter().filter(|held| held.trade.symbol == symbol).map(|held| held.trade.id);
            let known: BTreeSet<i64> =
                open.chain(closed.iter().flat_map(|closed| closed.kept.iter().copied())).collect();
            let from = closed.map_or(first, |closed| first.min(closed.highest + 1));
            let forgotten = closed.and_then(|closed| closed.forgotten).filter(|&forgotten| forgotten < last);
            let from = forgotten.map_or(from, |forgotten| from.max(forgotten + 1));
            let missing = (from..=last).filter(|id| !known.contains(id)).count();
            let next = known.range(last + 1..).next();
            let followed = next.is_none_or(|&id| id == last + 1);
            let follows = closed
                .is_some_and(|closed| first > closed.highest || self.seen.contains_key(&(symbol, first - 1)));
            let complete = missing == 0 && followed && follows;
            candle.insert("first_id".into(), Value::Int(first));
            candle.insert("last_id".into(), Value::Int(last));
            candle.insert("missing".into(), Value::Int(missing as i64));
            candle.insert("complete".into(), Value::Bool(complete));
        }
        candle
    }

    fn open_assignments(&self) -> u64 {
        self.open().values().map(|rows| rows.len() as u64).sum()
    }
}

/// The slice of a sliding window that a time lies in; all times are in one slice of the other shapes.
fn slice_of(shape: Shape, time: i64) -> i64 {
    match shape {
        Shape::Sliding(Sliding { size_us, slide_us }) => {
            let slice = (1..=slide_us).rev().find(|slice| size_us % slice == 0 && slide_us % slice == 0);
            time.div_euclid(slice.unwrap() as i64)
        }
        _ => 0,
    }
}

fn same(left: &Trade, right: &Trade) -> bool {
    (left.time, left.price, left.quantity) == (right.time, right.price, right.quantity)
}

fn name(symbol: u8) -> String {
    ["", "ADA", "B", "BTC"][symbol as usize].to_owned()
}

fn schema() -> Vec<(String, Type)> {
    let columns = [
        ("symbol", Type::Text),
        ("time", Type::TimestampUs),
        ("id", Type::Int64),
        ("price", Type::Decimal(2)),
        ("quantity", Type::Decimal(3)),
    ];
    columns.map(|(name, kind)| (name.to_owned(), kind)).to_vec()
}

fn row(trade: &Trade) -> Row {
    let (topic, partition, offset) = trade.place;
    Row {
        kind: "trade".to_owned(),
        topic: ["a", "b"][topic as usize].to_owned(),
        partition,
        offset,
        values: vec![
            Value::Text(name(trade.symbol)),
            Value::Int(trade.time),
            Value::Int(trade.id),
            trade.price.map_or(Value::Null, |price| Value::Decimal(i128::from(price), 2)),
            Value::Decimal(i128::from(trade.quantity), 3),
        ],
    }
}

/// Rows whose ids grow with time, roughly; some ids repeat with the same or other content, some are left
/// out, some rows are late.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let trade = (0u8..4, 0i64..40, -12i64..12, prop::option::weighted(0.9, -5i64..5), 0i64..2);
    let update = prop::collection::vec((trade, 0u8..10), 0..25);
    let step = (update, prop::option::of(0i64..14));
    prop::collection::vec(step, 1..8).prop_map(|raw| {
        let mut steps = Vec::new();
        let mut base = -20;
        let mut offset = 0;
        let mut before: Vec<Trade> = Vec::new();
        for (update, advance) in raw {
            let mut trades = Vec::new();
            for ((symbol, ahead, shift, price, quantity), again) in update {
                offset += 1;
                let place = ((offset % 2) as u8, (offset % 3) as i32, offset);
                let time = base + ahead / 3 + shift;
                let fresh = Trade { symbol, time, id: base + ahead, price, quantity, place };
                let trade = match before.len().checked_sub(1 + ahead as usize % 7) {
                    Some(index) if again == 0 => Trade { place, ..before[index].clone() },
                    _ => fresh,
                };
                before.push(trade.clone());
                trades.push(trade);
            }
            steps.push(Step::Update(trades));
            if let Some(on) = advance {
                base += on;
                steps.push(Step::Advance(base - 6));
            }
        }
        steps.push(Step::Advance(base + 100));
        steps
    })
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (1u64..20).prop_map(Shape::Tumbling),
        (1u64..12, 1u64..12)
            .prop_map(|(a, b)| Shape::Sliding(Sliding { size_us: a.max(b), slide_us: a.min(b) })),
        (1u64..6).prop_map(Shape::Session),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_function_agrees_with_a_naive_reading(
        shape in shapes(), ids: bool, steps in steps(), restart_at in 0usize..16,
    ) {
        let specs = vec![spec("w", shape, ids.then_some(("id", "id")), &OHLCV)];
        let mut windows = Windows::open(specs.clone()).unwrap();
        let mut oracle = Oracle {
            shape, ids, watermark: i64::MIN, held: Vec::new(), seen: BTreeMap::new(),
            closed: BTreeMap::new(), closed_assignments: 0, refused: 0,
        };
        let mut offered = 0;
        for (index, step) in steps.iter().enumerate() {
            if index == restart_at {
                let parts = windows.snapshot(0).parts;
                windows = Windows::restore(specs.clone(), oracle.watermark, &parts).unwrap();
                prop_assert_eq!(windows.snapshot(0).parts, parts);
            }
            match step {
                Step::Update(trades) => {
                    let rows: Vec<Row> = trades.iter().map(row).collect();
                    let report = windows.update(&support::rows(&schema(), &rows)).unwrap().remove(0);
                    let counts = Counts {
                        accepted: report.accepted, late: report.late,
                        duplicate: report.duplicate, conflict: report.conflict,
                    };
                    prop_assert_eq!(counts, oracle.update(trades));
                    offered += report.assignments;
                }
                Step::Advance(watermark) => {
                    let given = by_spec(&windows.advance(*watermark), 1).remove(0);
                    prop_assert_eq!(given, oracle.advance(*watermark), "at {}", watermark);
                }
            }
            let stats = windows.stats()[0];
            prop_assert_eq!(stats.open_assignments, oracle.open_assignments());
            prop_assert_eq!(stats.open_windows, oracle.open().len() as u64);
            prop_assert_eq!(offered, oracle.closed_assignments + stats.open_assignments + oracle.refused);
        }
    }
}
