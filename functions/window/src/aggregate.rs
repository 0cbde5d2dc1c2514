//! What a window keeps of its rows. Folding rows in and absorbing another cell give the same whatever the
//! order.

use std::cmp::Ordering;
use std::ops::Range;

use tallow_contract::ValueType;

use crate::block::Block;
use crate::columns::{Input, sum_scale};
use crate::decimal::{Sum, divide_half_even, sum_of, sum_of_products};
use crate::order::{OrderKey, Place, Places, Topics};
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

/// Rows of one key that go into one pane.
pub struct Slice<'a> {
    pub block: &'a Block<'a>,
    pub range: Range<usize>,
    /// Whether every row comes after the one before by its time and id.
    pub ascends: bool,
    /// Highest id of the key that is not tracked.
    pub floor: i64,
    pub inputs: &'a [Input<'a>],
    pub places: &'a Places<'a>,
    pub topics: &'a Topics,
}

impl Slice<'_> {
    /// What the rows add up to, a cell an aggregate.
    pub fn fold(&self, ops: &[Op]) -> Vec<Cell> {
        let all = if self.ascends {
            Some((self.range.start, self.range.end - 1))
        } else {
            self.block.ends(self.range.clone(), self.places, self.topics)
        };
        ops.iter().map(|op| self.cell(op, all)).collect()
    }

    fn cell(&self, op: &Op, ends: Option<(usize, usize)>) -> Cell {
        let mut cell = Cell::new(op.operation);
        if [op.column, op.by].into_iter().flatten().any(|input| self.inputs[input].is_empty) {
            return cell;
        }
        match (&mut cell, op.column, op.by) {
            (Cell::Count(count), None, _) => *count = self.range.len() as u64,
            (Cell::Count(count), Some(column), _) => *count = self.valid(column).count() as u64,
            (Cell::Pick(pick), Some(column), _) => *pick = self.pick(op.operation, column, ends),
            (Cell::Extreme(best), Some(column), _) => *best = self.extreme(op.operation, column),
            (Cell::Sum { sum, count }, Some(column), _) => *count = self.add_all(sum, column),
            (Cell::Product { product, weight, count, overflow }, Some(column), Some(by)) => {
                *count = self.multiply_all(product, overflow, column, by);
                if op.operation == Operation::Vwap {
                    self.add_weights(weight, column, by);
                }
            }
            _ => {}
        }
        cell
    }

    /// The positions where an input has a value.
    fn valid(&self, input: usize) -> impl Iterator<Item = usize> + '_ {
        let input = &self.inputs[input];
        self.range.clone().filter(|&at| input.is_valid(self.block.rows[at]))
    }

    fn value(&self, input: usize, at: usize) -> i128 {
        self.inputs[input].value(self.block.rows[at])
    }

    fn pick(&self, operation: Operation, column: usize, all: Option<(usize, usize)>) -> Option<Pick> {
        let ends = match self.inputs[column].validity {
            None => all,
            Some(_) => self.block.ends(self.valid(column), self.places, self.topics),
        };
        let (first, last) = ends?;
        let at = if operation == Operation::First { first } else { last };
        let order = self.block.order_key(at, self.floor, self.places);
        Some(Pick { order, value: self.value(column, at) })
    }

    fn extreme(&self, operation: Operation, column: usize) -> Option<i128> {
        let smallest = operation == Operation::Min;
        if let Some(values) = self.block.plain(column, &self.range) {
            let values = values.iter().copied();
            return if smallest { values.min() } else { values.max() }.map(i128::from);
        }
        let values = self.valid(column).map(|at| self.value(column, at));
        if smallest { values.min() } else { values.max() }
    }

    /// Adds the values to a sum; how many there are.
    fn add_all(&self, sum: &mut Sum, column: usize) -> u64 {
        if let Some(values) = self.block.plain(column, &self.range) {
            sum.add(sum_of(values));
            return values.len() as u64;
        }
        let mut count = 0;
        for at in self.valid(column) {
            sum.add(self.value(column, at));
            count += 1;
        }
        count
    }

    /// The positions where both inputs have a value.
    fn both(&self, column: usize, by: usize) -> impl Iterator<Item = usize> + '_ {
        let by = &self.inputs[by];
        self.valid(column).filter(|&at| by.is_valid(self.block.rows[at]))
    }

    /// Adds the products of two inputs to a sum; how many there are.
    fn multiply_all(&self, sum: &mut Sum, overflow: &mut bool, column: usize, by: usize) -> u64 {
        let plain = self.block.plain(column, &self.range).zip(self.block.plain(by, &self.range));
        if let Some((left, right)) = plain {
            sum.merge(&sum_of_products(left, right));
            return left.len() as u64;
        }
        let mut count = 0;
        for at in self.both(column, by) {
            match self.value(column, at).checked_mul(self.value(by, at)) {
                Some(product) => sum.add(product),
                None => *overflow = true,
            }
            count += 1;
        }
        count
    }

    fn add_weights(&self, weight: &mut Sum, column: usize, by: usize) {
        let plain = self.block.plain(column, &self.range).and(self.block.plain(by, &self.range));
        match plain {
            Some(weights) => weight.add(sum_of(weights)),
            None => self.both(column, by).for_each(|at| weight.add(self.value(by, at))),
        }
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

    /// What one row adds, of which nothing but the time tells it from others of its key. `values`: of the plan's inputs.
    pub fn of_row(op: &Op, time_us: i64, values: &[Option<i128>]) -> Cell {
        let mut cell = Cell::new(op.operation);
        let of = |input: Option<usize>| input.and_then(|input| values[input]);
        match (&mut cell, of(op.column)) {
            (Cell::Count(count), value) => *count = u64::from(op.column.is_none() || value.is_some()),
            (_, None) => {}
            (Cell::Pick(pick), Some(value)) => {
                *pick = Some(Pick { order: OrderKey { time_us, id: 0, place: Place::ANY }, value });
            }
            (Cell::Extreme(best), value) => *best = value,
            (Cell::Sum { sum, count }, Some(value)) => {
                sum.add(value);
                *count = 1;
            }
            (Cell::Product { product, weight, count, overflow }, Some(value)) => {
                if let Some(by) = of(op.by) {
                    *count = 1;
                    weight.add(by);
                    match value.checked_mul(by) {
                        Some(value) => product.add(value),
                        None => *overflow = true,
                    }
                }
            }
        }
        cell
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

    /// The aggregate; `None` if it is null.
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
pub fn output_type(op: &Op, types: &[Option<ValueType>]) -> ValueType {
    let of = |slot: Option<usize>| slot.and_then(|slot| types[slot]).unwrap_or(ValueType::Int64);
    let scale = |slot: Option<usize>| sum_scale(of(slot)).unwrap_or(0);
    match op.operation {
        Operation::Count => ValueType::Int64,
        Operation::First | Operation::Last | Operation::Min | Operation::Max => of(op.column),
        // Counts stay counts, whatever adds them up.
        Operation::Sum if of(op.column) == ValueType::Int64 => ValueType::Int64,
        Operation::Sum | Operation::Mean | Operation::Vwap => ValueType::Decimal(scale(op.column)),
        Operation::SumProduct => ValueType::Decimal(scale(op.column) + scale(op.by)),
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
