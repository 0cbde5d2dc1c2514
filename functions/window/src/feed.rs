//! What several specs read alike of an update: which rows they take, sorted by key, with their times, ids,
//! fingerprints and inputs. Candles of a minute and of a day over the same trades share one feed, and what
//! its rows add up to.

mod by_key;
mod fingerprint;
mod select;

use std::cell::OnceCell;
use std::ops::Range;

use by_key::{by_key, combine};
use fingerprint::fingerprints;
pub use select::Aside;
use select::{Needed, Selection, asides, select};
use tallow_contract::Refusal;

use crate::aggregate::Cell;
use crate::block::{Block, Ids};
use crate::columns::Input;
use crate::keys::encode;
use crate::spec::{IdColumns, Plan};
use crate::table::{Column, Rows, Text};

/// The rows of one key.
pub struct Group {
    /// Where they are in the feed's block, in the order in which they came.
    pub range: Range<usize>,
    pub earliest_us: i64,
    pub latest_us: i64,
    /// Whether every row comes after the one before by its time and id.
    pub ascends: bool,
    /// Whether every row's ids come after those of the one before.
    pub ids_ascend: bool,
    /// What the rows add up to, once a spec has asked.
    pub cells: OnceCell<Vec<Cell>>,
    /// Fingerprints of the last rows, once a spec has asked.
    recent: OnceCell<Vec<u64>>,
}

pub struct Feed<'a> {
    /// How many rows are of a kind that is taken.
    pub taken: u64,
    /// Taken rows without a time, a key or an id, or what they replace each other by.
    pub invalid: Vec<u32>,
    /// The other taken rows, by key.
    pub block: Block<'a>,
    /// Fingerprint of each row of the block, once a row had to be told from another.
    fingerprints: OnceCell<Vec<u64>>,
    pub groups: Vec<Group>,
    pub asides: Vec<Aside>,
    pub inputs: Vec<Input<'a>>,
    keys: Vec<&'a Text>,
}

/// Whether two plans can share a feed.
pub fn shares(left: &Plan, right: &Plan) -> bool {
    let (a, b) = (&left.spec, &right.spec);
    let ids = |ids: &Option<IdColumns>| ids.as_ref().map(|ids| (ids.first.clone(), ids.last.clone()));
    (&a.kinds, &a.keys, &a.time, ids(&a.ids)) == (&b.kinds, &b.keys, &b.time, ids(&b.ids))
        && (&left.inputs, &left.ops, left.latest) == (&right.inputs, &right.ops, right.latest)
}

impl<'a> Feed<'a> {
    /// Reads a plan's rows out of an update.
    pub fn new(plan: &Plan, rows: &'a Rows, inputs: Vec<Input<'a>>) -> Result<Feed<'a>, Refusal> {
        let table = &rows.table;
        let mut validities = Vec::new();
        let mut column = |name: &str| {
            let column = table.column(name)?;
            validities.extend(column.validity.as_deref());
            Ok::<&Column, Refusal>(column)
        };
        let time_us = column(&plan.spec.time)?.times_us()?;
        let ids = match &plan.spec.ids {
            None => Ids::None,
            Some(ids) if ids.first == ids.last => Ids::One(column(&ids.first)?.int64s()?),
            Some(ids) => Ids::Range(column(&ids.first)?.int64s()?, column(&ids.last)?.int64s()?),
        };
        let mut keys = Vec::with_capacity(plan.spec.keys.len());
        for name in &plan.spec.keys {
            keys.push(column(name)?.texts()?);
        }
        if let Some(latest) = plan.latest {
            column(&plan.inputs[latest])?;
        }
        let (codes, distinct) = combine(&keys, table.rows as usize);
        let validity = both(&validities);
        let needed = Needed { time_us, ids, validity: validity.as_deref() };
        let Selection { taken, rows: usable, invalid } = select(plan, rows, needed)?;
        let (sorted, ranges) = match &usable {
            Some(rows) => by_key(rows.iter().copied(), &codes, distinct)?,
            None => by_key(0..table.rows, &codes, distinct)?,
        };
        let block = Block::gather(sorted, time_us, ids, &inputs);
        let groups = ranges.into_iter().map(|range| group(&block, range)).collect();
        let asides = asides(plan, rows, needed);
        Ok(Feed { taken, invalid, block, fingerprints: OnceCell::new(), groups, asides, inputs, keys })
    }

    /// Fingerprint of a row of the block; the block has ids.
    pub fn fingerprint(&self, at: usize) -> u64 {
        self.fingerprints.get_or_init(|| fingerprints(&self.block, 0..self.block.rows.len(), &self.inputs))
            [at]
    }

    /// Fingerprints of the last `count` rows of a group, the same number for every spec.
    pub fn recent<'g>(&self, group: &'g Group, count: usize) -> &'g [u64] {
        let of = group.range.end - count..group.range.end;
        group.recent.get_or_init(|| fingerprints(&self.block, of, &self.inputs))
    }

    /// Writes the encoded key of a group.
    pub fn encode_key(&self, group: &Group, key: &mut Vec<u8>) {
        self.encode_key_of(self.block.rows[group.range.start], key);
    }

    /// Writes the encoded key of a row.
    pub fn encode_key_of(&self, row: u32, key: &mut Vec<u8>) {
        let row = row as usize;
        key.clear();
        for text in &self.keys {
            encode(text.entry(text.codes[row]), key);
        }
    }
}

fn group(block: &Block, range: Range<usize>) -> Group {
    let times = &block.time_us[range.clone()];
    let ascends = block.ascends(range.clone());
    let (earliest, latest) = match (times.first(), times.last()) {
        (Some(&first), Some(&last)) if ascends => (first, last),
        _ => (times.iter().copied().min().unwrap_or(0), times.iter().copied().max().unwrap_or(0)),
    };
    let ids_ascend = !block.first_ids.is_empty() && {
        let next = &block.first_ids[range.start + 1..range.end];
        let last = &block.last_ids()[range.start..range.end - 1];
        next.iter().zip(last).fold(true, |ascends, (next, last)| ascends & (last < next))
    };
    let (cells, recent) = (OnceCell::new(), OnceCell::new());
    Group { range, earliest_us: earliest, latest_us: latest, ascends, ids_ascend, cells, recent }
}

/// Rows that have a value in every column.
fn both(validities: &[&[u8]]) -> Option<Vec<u8>> {
    let (first, rest) = validities.split_first()?;
    let mut bits = first.to_vec();
    for other in rest {
        bits.iter_mut().zip(*other).for_each(|(bit, other)| *bit &= other);
    }
    Some(bits)
}
