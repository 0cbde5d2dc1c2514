//! What several specs read alike of an update: which rows they take, sorted by key, with their times, ids,
//! fingerprints and inputs. Candles of a minute and of a day over the same trades share one feed, and what
//! its rows add up to.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::aggregate::Cell;
use crate::block::{Block, Ids};
use crate::columns::{Input, Values};
use crate::ids::MAX_ID;
use crate::keys::encode;
use crate::pane::MAX_TIME_US;
use crate::spec::{IdColumns, Plan};
use crate::table::{ColumnData, Rows, Table, Text, is_valid};

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

/// Ids that are not missing, of a row that no window takes otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Aside {
    pub row: u32,
    pub time_us: i64,
    pub first: i64,
    pub last: i64,
}

/// How the name of a kind ends whose rows only tell that their ids are not missing. Windows of the kind before it
/// take note of these.
pub const IDS_ONLY: &str = ":ids";

pub struct Feed<'a> {
    /// How many rows are of a kind that is taken.
    pub taken: u64,
    /// Taken rows that lack a time, a key or an id.
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
        && (&left.inputs, &left.ops) == (&right.inputs, &right.ops)
}

impl<'a> Feed<'a> {
    /// Reads a plan's rows out of an update.
    ///
    /// # Errors
    /// Which column is missing, broken or of a wrong type.
    pub fn new(plan: &Plan, rows: &'a Rows, inputs: Vec<Input<'a>>) -> Result<Feed<'a>, String> {
        let table = &rows.table;
        let mut validities = Vec::new();
        let time_us = time_column(table, &plan.spec.time, &mut validities)?;
        let ids = id_columns(table, plan.spec.ids.as_ref(), &mut validities)?;
        let mut keys = Vec::with_capacity(plan.spec.keys.len());
        for name in &plan.spec.keys {
            keys.push(key_column(table, name, &mut validities)?);
        }
        let (codes, distinct) = combine(&keys, table.rows as usize);
        let validity = both(&validities);
        let selection = select(plan, rows, time_us, ids, validity.as_deref())?;
        let (sorted, ranges) = match &selection.rows {
            Some(rows) => by_key(rows.iter().copied(), &codes, distinct)?,
            None => by_key(0..table.rows, &codes, distinct)?,
        };
        let block = Block::gather(sorted, time_us, ids, &inputs);
        let groups = ranges.into_iter().map(|range| group(&block, range)).collect();
        let asides = asides(plan, rows, time_us, ids, validity.as_deref());
        let Selection { taken, invalid, .. } = selection;
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

/// The rows of which only the ids count, those without a time, a key or ids left out.
fn asides(plan: &Plan, rows: &Rows, time_us: &[i64], ids: Ids, validity: Option<&[u8]>) -> Vec<Aside> {
    let kinds = &rows.kinds;
    let is_one = |code: u32| {
        let kind = kinds.entry(code);
        let of = kind.strip_suffix(IDS_ONLY.as_bytes());
        let named = |wanted: &[u8]| plan.spec.kinds.iter().any(|kind| kind.as_bytes() == wanted);
        of.is_some_and(named) && !named(kind)
    };
    let codes: Vec<u32> = (0..kinds.ends.len() as u32).filter(|&code| is_one(code)).collect();
    let mut asides = Vec::new();
    for code in codes.into_iter().filter(|code| kinds.codes.contains(code)) {
        let of_it = (0..rows.table.rows).filter(|&row| kinds.codes[row as usize] == code);
        asides.extend(of_it.filter_map(|row| {
            let at = row as usize;
            let usable = is_valid(validity, at) && within(&time_us[at..=at], MAX_TIME_US) && has_ids(ids, at);
            let (first, last) = match ids {
                Ids::None => return None,
                Ids::One(ids) => (ids[at], ids[at]),
                Ids::Range(first, last) => (first[at], last[at]),
            };
            usable.then_some(Aside { row, time_us: time_us[at], first, last })
        }));
    }
    asides
}

struct Selection {
    taken: u64,
    /// None for all rows of the update.
    rows: Option<Vec<u32>>,
    invalid: Vec<u32>,
}

/// Sorts the rows into taken, invalid and others.
fn select(
    plan: &Plan,
    rows: &Rows,
    time_us: &[i64],
    ids: Ids,
    validity: Option<&[u8]>,
) -> Result<Selection, String> {
    let kinds = &rows.kinds;
    kinds.check().map_err(|wrong| format!("`kinds` {wrong}"))?;
    let count = rows.table.rows;
    if kinds.codes.len() != count as usize {
        return Err(format!("`kinds` has {} entries for {count} rows", kinds.codes.len()));
    }
    let takes: Vec<bool> = (0..kinds.ends.len() as u32)
        .map(|code| plan.spec.kinds.iter().any(|kind| kind.as_bytes() == kinds.entry(code)))
        .collect();
    if let Some(&code) = kinds.codes.iter().max().filter(|&&code| code as usize >= takes.len()) {
        return Err(format!("`kinds` has code {code} in a dictionary of {}", takes.len()));
    }
    let all_usable = validity.is_none() && within(time_us, MAX_TIME_US) && ids_within(ids);
    if all_usable && !takes.contains(&false) {
        return Ok(Selection { taken: u64::from(count), rows: None, invalid: Vec::new() });
    }
    let (mut taken, mut usable, mut invalid) = (0, Vec::with_capacity(count as usize), Vec::new());
    for (row, &kind) in kinds.codes.iter().enumerate() {
        if !takes[kind as usize] {
            continue;
        }
        taken += 1;
        let is_usable = all_usable
            || (is_valid(validity, row) && within(&time_us[row..=row], MAX_TIME_US) && has_ids(ids, row));
        let list = if is_usable { &mut usable } else { &mut invalid };
        list.push(row as u32);
    }
    Ok(Selection { taken, rows: Some(usable), invalid })
}

/// Whether all values are nearer to 0 than `far`, a power of 2.
fn within(values: &[i64], far: i64) -> bool {
    let bits = values.iter().fold(0, |bits, &value| bits | (value ^ (value >> 63)));
    bits < far
}

fn has_ids(ids: Ids, row: usize) -> bool {
    match ids {
        Ids::None => true,
        Ids::One(ids) => ids_within(Ids::One(&ids[row..=row])),
        Ids::Range(first, last) => ids_within(Ids::Range(&first[row..=row], &last[row..=row])),
    }
}

fn ids_within(ids: Ids) -> bool {
    match ids {
        Ids::None => true,
        Ids::One(ids) => within(ids, MAX_ID),
        Ids::Range(first, last) => {
            let ordered = first.iter().zip(last).all(|(first, last)| first <= last);
            ordered && within(first, MAX_ID) && within(last, MAX_ID)
        }
    }
}

/// The rows sorted by their key's code, in the order in which they came under each, and where each key's are.
fn by_key(
    rows: impl ExactSizeIterator<Item = u32> + Clone,
    codes: &[u32],
    distinct: usize,
) -> Result<(Vec<u32>, Vec<Range<usize>>), String> {
    if let Some(first) = rows.clone().next().map(|row| codes[row as usize])
        && (first as usize) < distinct
        && codes.iter().fold(true, |one, code| one & (*code == first))
    {
        let whole = 0..rows.len();
        return Ok((rows.collect(), vec![whole]));
    }
    let mut counts = vec![0u32; distinct];
    for row in rows.clone() {
        match counts.get_mut(codes[row as usize] as usize) {
            Some(count) => *count += 1,
            None => return Err(format!("row {row} has a key code beyond its dictionary")),
        }
    }
    let mut ranges = Vec::new();
    let mut cursors = counts;
    let mut next = 0;
    for cursor in &mut cursors {
        let start = next;
        next += *cursor as usize;
        *cursor = start as u32;
        if next > start {
            ranges.push(start..next);
        }
    }
    let mut sorted = vec![0; next];
    for row in rows {
        let cursor = &mut cursors[codes[row as usize] as usize];
        sorted[*cursor as usize] = row;
        *cursor += 1;
    }
    Ok((sorted, ranges))
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

/// A fingerprint covers what makes two rows of one id the same: time, ids and all inputs.
fn fingerprints(block: &Block, of: Range<usize>, inputs: &[Input]) -> Vec<u64> {
    const NULL: i64 = 0x6e75_6c6c;
    let with = |hashes: &mut [u64], values: &[i64]| {
        hashes.iter_mut().zip(values).for_each(|(hash, &value)| *hash = mix(*hash, value));
    };
    let rows = block.first_ids[of.clone()].iter().zip(&block.time_us[of.clone()]);
    let mut hashes: Vec<u64> = rows.map(|(&id, &time_us)| mix(mix(0, id), time_us)).collect();
    if let Some(last_ids) = block.last_ids.get(of.clone()) {
        with(&mut hashes, last_ids);
    }
    for (index, input) in inputs.iter().enumerate() {
        match block.plain(index, &of) {
            Some(values) => with(&mut hashes, values),
            None if input.is_empty => hashes.iter_mut().for_each(|hash| *hash = mix(*hash, NULL)),
            None => {
                let each = hashes.iter_mut().zip(&block.rows[of.clone()]);
                each.for_each(|(hash, &row)| *hash = mix_value(*hash, input, row, NULL));
            }
        }
    }
    hashes
}

/// Mixes one value in, the same way whether or not its column has nulls or high halves in this update.
fn mix_value(hash: u64, input: &Input, row: u32, null: i64) -> u64 {
    if !input.is_valid(row) {
        return mix(hash, null);
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

#[inline]
fn mix(hash: u64, value: i64) -> u64 {
    (hash.rotate_left(23) ^ value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
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
