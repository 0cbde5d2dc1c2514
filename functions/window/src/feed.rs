//! What several specs read alike of an update: which rows they take, their keys, times, ids and
//! fingerprints. Candles of a minute and of a day over the same trades share one feed.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::columns::{Input, Values};
use crate::ids::MAX_ID;
use crate::keys::encode;
use crate::order::{OrderKey, Place, Places, Topics};
use crate::pane::MAX_TIME_US;
use crate::spec::{IdColumns, Plan};
use crate::table::{ColumnData, Rows, Table, Text, is_valid};

/// The ids of an update's rows.
#[derive(Clone, Copy)]
pub enum Ids<'a> {
    None,
    /// One id a row.
    One(&'a [i64]),
    /// First and last id of each row.
    Range(&'a [i64], &'a [i64]),
}

pub struct Feed<'a> {
    /// How many rows are of a kind that is taken.
    pub taken: u64,
    /// Taken rows that have a time, a key and an id.
    pub rows: Vec<u32>,
    /// Taken rows that lack one of these.
    pub invalid: Vec<u32>,
    pub time_us: &'a [i64],
    pub ids: Ids<'a>,
    /// Fingerprint of each row; empty without ids.
    pub fingerprints: Vec<u32>,
    /// For each row a number that stands for its key within this update, below `codes`.
    pub key_codes: Cow<'a, [u32]>,
    pub codes: usize,
    keys: Vec<&'a Text>,
}

/// Whether two plans can share a feed.
pub fn shares(left: &Plan, right: &Plan) -> bool {
    let (a, b) = (&left.spec, &right.spec);
    (&a.kinds, &a.keys, &a.time, &a.ids, &left.inputs) == (&b.kinds, &b.keys, &b.time, &b.ids, &right.inputs)
}

impl<'a> Feed<'a> {
    /// Reads a plan's rows out of an update.
    ///
    /// # Errors
    /// Which column is missing, broken or of a wrong type.
    pub fn new(plan: &Plan, rows: &'a Rows, inputs: &[Input]) -> Result<Feed<'a>, String> {
        let table = &rows.table;
        let mut validities = Vec::new();
        let time_us = time_column(table, &plan.spec.time, &mut validities)?;
        let ids = id_columns(table, plan.spec.ids.as_ref(), &mut validities)?;
        let mut keys = Vec::with_capacity(plan.spec.keys.len());
        for name in &plan.spec.keys {
            keys.push(key_column(table, name, &mut validities)?);
        }
        let validity = both(&validities);
        let (key_codes, codes) = combine(&keys, table.rows as usize);
        let mut feed = Feed {
            taken: 0,
            rows: Vec::with_capacity(table.rows as usize),
            invalid: Vec::new(),
            time_us,
            ids,
            fingerprints: Vec::new(),
            key_codes,
            codes,
            keys,
        };
        feed.select(plan, rows, validity.as_deref())?;
        feed.fingerprint(inputs);
        Ok(feed)
    }

    /// Sorts the rows into taken, invalid and others.
    fn select(&mut self, plan: &Plan, rows: &Rows, validity: Option<&[u8]>) -> Result<(), String> {
        let kinds = &rows.kinds;
        kinds.check().map_err(|wrong| format!("`kinds` {wrong}"))?;
        let count = rows.table.rows as usize;
        if kinds.codes.len() != count {
            return Err(format!("`kinds` has {} entries for {count} rows", kinds.codes.len()));
        }
        let takes: Vec<bool> = (0..kinds.ends.len() as u32)
            .map(|code| plan.spec.kinds.iter().any(|kind| kind.as_bytes() == kinds.entry(code)))
            .collect();
        for (row, &kind) in kinds.codes.iter().enumerate() {
            match takes.get(kind as usize) {
                None => return Err(format!("`kinds` has code {kind} in a dictionary of {}", takes.len())),
                Some(false) => continue,
                Some(true) => self.taken += 1,
            }
            let usable = is_valid(validity, row)
                && self.time_us[row].unsigned_abs() < MAX_TIME_US as u64
                && self.has_ids(row);
            if usable {
                self.rows.push(row as u32);
            } else {
                self.invalid.push(row as u32);
            }
        }
        match self.rows.iter().find(|&&row| self.key_codes[row as usize] as usize >= self.codes) {
            Some(row) => Err(format!("row {row} has a key code beyond its dictionary")),
            None => Ok(()),
        }
    }

    #[inline]
    fn has_ids(&self, row: usize) -> bool {
        match self.ids {
            Ids::None => true,
            Ids::One(ids) => ids[row].unsigned_abs() < MAX_ID as u64,
            Ids::Range(first, last) => {
                first[row] <= last[row]
                    && first[row].unsigned_abs() < MAX_ID as u64
                    && last[row].unsigned_abs() < MAX_ID as u64
            }
        }
    }

    /// A fingerprint covers what makes two rows of one id the same: time, ids and all inputs.
    fn fingerprint(&mut self, inputs: &[Input]) {
        let mut hashes: Vec<u64> = match self.ids {
            Ids::None => return,
            Ids::One(first) => first.iter().map(|&id| mix(0, id)).collect(),
            Ids::Range(first, last) => first.iter().zip(last).map(|(&f, &l)| mix(mix(0, f), l)).collect(),
        };
        let each = |hashes: &mut [u64], values: &[i64]| {
            hashes.iter_mut().zip(values).for_each(|(hash, &value)| *hash = mix(*hash, value));
        };
        each(&mut hashes, self.time_us);
        for input in inputs {
            match (&input.values, &input.validity) {
                (Values::Narrow(values), None) => each(&mut hashes, values),
                _ => {
                    for (row, hash) in hashes.iter_mut().enumerate() {
                        *hash = mix_value(*hash, input, row as u32);
                    }
                }
            }
        }
        self.fingerprints = hashes.into_iter().map(|hash| (hash ^ (hash >> 32)) as u32).collect();
    }

    /// Writes a row's encoded key.
    pub fn encode_key(&self, row: u32, key: &mut Vec<u8>) {
        key.clear();
        for text in &self.keys {
            encode(text.entry(text.codes[row as usize]), key);
        }
    }

    #[inline]
    fn first_id(&self, row: u32) -> i64 {
        match self.ids {
            Ids::None => 0,
            Ids::One(first) | Ids::Range(first, _) => first[row as usize],
        }
    }

    /// Lowest and highest id of some rows; (0, 0) without ids.
    pub fn id_bounds(&self, rows: &[u32]) -> (i64, i64) {
        let bounds = |first: &[i64], last: &[i64]| {
            let lowest = rows.iter().map(|&row| first[row as usize]).min();
            let highest = rows.iter().map(|&row| last[row as usize]).max();
            (lowest.unwrap_or(0), highest.unwrap_or(0))
        };
        match self.ids {
            Ids::None => (0, 0),
            Ids::One(ids) => bounds(ids, ids),
            Ids::Range(first, last) => bounds(first, last),
        }
    }

    /// A row's order key. Rows above the floor are told apart by their ids, the others by their places.
    pub fn order_key(&self, row: u32, floor: i64, places: &Places) -> OrderKey {
        let id = self.first_id(row);
        let by_place = matches!(self.ids, Ids::None) || id <= floor;
        let place = if by_place { places.place(row) } else { Place::ANY };
        OrderKey { time_us: self.time_us[row as usize], id, place }
    }

    /// First and last of some rows by the order key.
    pub fn ends(&self, rows: &[u32], places: &Places, topics: &Topics) -> Option<(u32, u32)> {
        let sortable = |row: u32| {
            let id = (self.first_id(row) as u64) ^ (1 << 63);
            (i128::from(self.time_us[row as usize]) << 64) | i128::from(id)
        };
        let &start = rows.first()?;
        let (mut first, mut last) = (start, start);
        let (mut low, mut high) = (sortable(start), sortable(start));
        for &row in &rows[1..] {
            let rank = sortable(row);
            if rank <= low && (rank < low || places.compare(row, first, topics) == Ordering::Less) {
                (low, first) = (rank, row);
            }
            if rank >= high && (rank > high || places.compare(row, last, topics) == Ordering::Greater) {
                (high, last) = (rank, row);
            }
        }
        Some((first, last))
    }
}

#[inline]
fn mix(hash: u64, value: i64) -> u64 {
    (hash.rotate_left(23) ^ value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Mixes one value in, the same way whether or not its column has nulls or high halves in this update.
fn mix_value(hash: u64, input: &Input, row: u32) -> u64 {
    const NULL: i64 = 0x6e75_6c6c;
    if !input.is_valid(row) {
        return mix(hash, NULL);
    }
    if matches!(input.values, Values::Opaque) {
        return hash;
    }
    let value = input.value(row);
    match i64::try_from(value) {
        Ok(narrow) => mix(hash, narrow),
        Err(_) => mix(mix(hash, value as i64), (value >> 64) as i64),
    }
}

type Validities<'a> = Vec<&'a [u8]>;

fn time_column<'a>(
    table: &'a Table,
    name: &str,
    validities: &mut Validities<'a>,
) -> Result<&'a [i64], String> {
    let column = table.column(name)?;
    validities.extend(column.validity.as_deref());
    match &column.data {
        ColumnData::TimestampUs(values) => Ok(values),
        other => Err(format!("column `{name}` is {}: an event time is a timestamp-us", other.type_name())),
    }
}

fn id_columns<'a>(
    table: &'a Table,
    names: Option<&IdColumns>,
    validities: &mut Validities<'a>,
) -> Result<Ids<'a>, String> {
    let mut read = |name: &str| {
        let column = table.column(name)?;
        validities.extend(column.validity.as_deref());
        match &column.data {
            ColumnData::Int64(values) => Ok(values.as_slice()),
            other => Err(format!("column `{name}` is {}: an id is an int64", other.type_name())),
        }
    };
    match names {
        None => Ok(Ids::None),
        Some(names) if names.first == names.last => Ok(Ids::One(read(&names.first)?)),
        Some(names) => Ok(Ids::Range(read(&names.first)?, read(&names.last)?)),
    }
}

fn key_column<'a>(table: &'a Table, name: &str, validities: &mut Validities<'a>) -> Result<&'a Text, String> {
    let column = table.column(name)?;
    validities.extend(column.validity.as_deref());
    match &column.data {
        ColumnData::Text(text) => Ok(text),
        other => Err(format!("column `{name}` is {}: a key is a text", other.type_name())),
    }
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

/// One code a row for any number of key columns, and how many codes there are.
fn combine<'a>(keys: &[&'a Text], rows: usize) -> (Cow<'a, [u32]>, usize) {
    let Some((first, rest)) = keys.split_first() else {
        return (Cow::Owned(vec![0; rows]), 1);
    };
    let mut codes: Cow<'a, [u32]> = Cow::Borrowed(&first.codes);
    let mut count = first.ends.len();
    for text in rest {
        let mut pairs: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut joined = Vec::with_capacity(rows);
        let mut previous = None;
        for pair in codes.iter().copied().zip(text.codes.iter().copied()) {
            let known = match previous {
                Some((last, code)) if last == pair => code,
                _ => {
                    let next = pairs.len() as u32;
                    let inside = (pair.0 as usize) < count && (pair.1 as usize) < text.ends.len();
                    if inside { *pairs.entry(pair).or_insert(next) } else { u32::MAX }
                }
            };
            previous = Some((pair, known));
            joined.push(known);
        }
        codes = Cow::Owned(joined);
        count = pairs.len();
    }
    (codes, count)
}
