//! What a window keeps of its rows. Folding rows in and absorbing another cell give the same whatever the
//! order.

use std::cmp::Ordering;

use crate::columns::{ColumnType, Input, Values};
use crate::decimal::{Sum, divide_half_even};
use crate::feed::Feed;
use crate::order::{OrderKey, Places, Topics};
use crate::spec::{Op, Operation};

/// The value of the first or the last row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    pub order: OrderKey,
    pub value: i128,
}

/// The state of one aggregate of one window, pane or session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `first`, `last`.
    Pick(Option<Pick>),
    /// `min`, `max`.
    Extreme(Option<i128>),
    Count(u64),
    /// `sum`, `mean`.
    Sum {
        sum: Sum,
        count: u64,
    },
    /// `sum-product`, `vwap`. A product that leaves 128 bits makes it null.
    Product {
        product: Sum,
        weight: Sum,
        count: u64,
        overflow: bool,
    },
}

/// What folding needs besides the rows.
pub struct Context<'a> {
    pub feed: &'a Feed<'a>,
    pub inputs: &'a [Input<'a>],
    pub places: &'a Places<'a>,
    pub topics: &'a Topics,
}

/// The rows of one update that go into one pane.
pub struct Segment<'a> {
    pub rows: &'a [u32],
    /// Highest id of the key that is not tracked.
    floor: i64,
    /// First and last of `rows` by the order key, once they were looked for.
    ends: Option<(u32, u32)>,
}

impl<'a> Segment<'a> {
    pub fn new(rows: &'a [u32], floor: i64) -> Self {
        Segment { rows, floor, ends: None }
    }

    /// First and last row that have a value.
    fn ends(&mut self, input: &Input, context: &Context) -> Option<(u32, u32)> {
        if input.validity.is_some() {
            let valid: Vec<u32> = self.rows.iter().copied().filter(|&row| input.is_valid(row)).collect();
            return context.feed.ends(&valid, context.places, context.topics);
        }
        if self.ends.is_none() {
            self.ends = context.feed.ends(self.rows, context.places, context.topics);
        }
        self.ends
    }
}

impl Cell {
    pub fn new(operation: Operation) -> Cell {
        match operation {
            Operation::First | Operation::Last => Cell::Pick(None),
            Operation::Min | Operation::Max => Cell::Extreme(None),
            Operation::Count => Cell::Count(0),
            Operation::Sum | Operation::Mean => Cell::Sum { sum: Sum::default(), count: 0 },
            Operation::Vwap | Operation::SumProduct => {
                Cell::Product { product: Sum::default(), weight: Sum::default(), count: 0, overflow: false }
            }
        }
    }

    /// Takes rows of an update in.
    pub fn fold(&mut self, op: &Op, segment: &mut Segment, context: &Context) {
        let input = |slot: Option<usize>| slot.map(|slot| &context.inputs[slot]);
        match (self, input(op.column), input(op.by)) {
            (Cell::Count(count), None, _) => *count += segment.rows.len() as u64,
            (Cell::Count(count), Some(column), _) => *count += valid(segment.rows, column).count() as u64,
            (Cell::Pick(pick), Some(column), _) => {
                if let Some((first, last)) = segment.ends(column, context) {
                    let row = if op.operation == Operation::First { first } else { last };
                    let order = context.feed.order_key(row, segment.floor, context.places);
                    choose(pick, Pick { order, value: column.value(row) }, op.operation, context.topics);
                }
            }
            (Cell::Extreme(best), Some(column), _) => {
                let found = extreme(segment.rows, column, op.operation);
                *best = wider(*best, found, op.operation);
            }
            (Cell::Sum { sum, count }, Some(column), _) => *count += add_all(sum, segment.rows, column),
            (Cell::Product { product, weight, count, overflow }, Some(column), Some(by)) => {
                let rows = || valid(segment.rows, column).filter(|&row| by.is_valid(row));
                *count += multiply_all(product, overflow, rows(), column, by);
                if op.operation == Operation::Vwap {
                    rows().for_each(|row| weight.add(by.value(row)));
                }
            }
            _ => {}
        }
    }

    /// Takes in what another pane or session holds under the same aggregate.
    pub fn absorb(&mut self, other: &Cell, operation: Operation, topics: &Topics) {
        match (self, other) {
            (Cell::Pick(pick), Cell::Pick(Some(other))) => choose(pick, *other, operation, topics),
            (Cell::Extreme(best), Cell::Extreme(other)) => *best = wider(*best, *other, operation),
            (Cell::Count(count), Cell::Count(other)) => *count += other,
            (Cell::Sum { sum, count }, Cell::Sum { sum: other, count: others }) => {
                sum.merge(other);
                *count += others;
            }
            (
                Cell::Product { product, weight, count, overflow },
                Cell::Product { product: p, weight: w, count: c, overflow: o },
            ) => {
                product.merge(p);
                weight.merge(w);
                *count += c;
                *overflow |= o;
            }
            _ => {}
        }
    }

    /// The aggregate; none where it is null.
    pub fn finish(&self, operation: Operation) -> Option<i128> {
        match *self {
            Cell::Pick(pick) => pick.map(|pick| pick.value),
            Cell::Extreme(best) => best,
            Cell::Count(count) => Some(i128::from(count)),
            Cell::Sum { count: 0, .. } | Cell::Product { count: 0, .. } => None,
            Cell::Sum { sum, count } if operation == Operation::Mean => {
                divide_half_even(sum.value()?, i128::from(count))
            }
            Cell::Sum { sum, .. } => sum.value(),
            Cell::Product { overflow: true, .. } => None,
            Cell::Product { product, weight, .. } if operation == Operation::Vwap => {
                divide_half_even(product.value()?, weight.value()?)
            }
            Cell::Product { product, .. } => product.value(),
        }
    }
}

/// Type of an aggregate's column.
pub fn output_type(op: &Op, types: &[Option<ColumnType>]) -> ColumnType {
    let of = |slot: Option<usize>| slot.and_then(|slot| types[slot]).unwrap_or(ColumnType::Int64);
    let scale = |slot: Option<usize>| of(slot).sum_scale().unwrap_or(0);
    match op.operation {
        Operation::Count => ColumnType::Int64,
        Operation::First | Operation::Last | Operation::Min | Operation::Max => of(op.column),
        Operation::Sum | Operation::Mean | Operation::Vwap => ColumnType::Decimal(scale(op.column)),
        Operation::SumProduct => ColumnType::Decimal(scale(op.column) + scale(op.by)),
    }
}

fn choose(pick: &mut Option<Pick>, other: Pick, operation: Operation, topics: &Topics) {
    let wanted = if operation == Operation::First { Ordering::Less } else { Ordering::Greater };
    if pick.is_none_or(|known| other.order.compare(&known.order, topics) == wanted) {
        *pick = Some(other);
    }
}

fn wider(left: Option<i128>, right: Option<i128>, operation: Operation) -> Option<i128> {
    match (left, right) {
        (Some(left), Some(right)) if operation == Operation::Min => Some(left.min(right)),
        (Some(left), Some(right)) => Some(left.max(right)),
        (left, right) => left.or(right),
    }
}

fn valid<'a>(rows: &'a [u32], input: &'a Input) -> impl Iterator<Item = u32> + 'a {
    rows.iter().copied().filter(|&row| input.is_valid(row))
}

fn extreme(rows: &[u32], column: &Input, operation: Operation) -> Option<i128> {
    match (&column.values, &column.validity) {
        (Values::Narrow(values), None) => {
            let picked = rows.iter().map(|&row| values[row as usize]);
            let best = if operation == Operation::Min { picked.min() } else { picked.max() };
            best.map(i128::from)
        }
        _ => {
            let picked = valid(rows, column).map(|row| column.value(row));
            if operation == Operation::Min { picked.min() } else { picked.max() }
        }
    }
}

/// Adds the values to a sum; how many there were.
fn add_all(sum: &mut Sum, rows: &[u32], column: &Input) -> u64 {
    if let (Values::Narrow(values), None) = (&column.values, &column.validity) {
        // 2^32 rows of 64 bits stay within 128.
        sum.add(rows.iter().map(|&row| i128::from(values[row as usize])).sum());
        return rows.len() as u64;
    }
    let mut count = 0;
    for row in valid(rows, column) {
        sum.add(column.value(row));
        count += 1;
    }
    count
}

/// Adds the products of two columns to a sum; how many there were.
fn multiply_all(
    sum: &mut Sum,
    overflow: &mut bool,
    rows: impl Iterator<Item = u32>,
    column: &Input,
    by: &Input,
) -> u64 {
    let mut count = 0;
    if let (Values::Narrow(left), Values::Narrow(right)) = (&column.values, &by.values) {
        for row in rows {
            sum.add(i128::from(left[row as usize]) * i128::from(right[row as usize]));
            count += 1;
        }
        return count;
    }
    for row in rows {
        match column.value(row).checked_mul(by.value(row)) {
            Some(product) => sum.add(product),
            None => *overflow = true,
        }
        count += 1;
    }
    count
}
