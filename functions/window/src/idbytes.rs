//! The ids of a key as bytes, in the layout of today and in that of state version 1.

use std::collections::BTreeMap;

use rangemap::RangeInclusiveSet;
use tallow_contract::{Refusal, refuse};

use crate::bits::{Bits, Run};
use crate::bounds::{count, id, time};
use crate::bytes::{Reader, Writer};
use crate::chunk::{Chunk, MOST_RUNS};
use crate::ids::{KeyIds, MAX_ID};
use crate::idset::IdSet;
use crate::ring::{Entry, RING};

/// Writes the ids of a key: what is known of closed windows, the set, the ring.
pub fn write_ids(writer: &mut Writer, ids: &KeyIds) {
    let some = |value: i64| (value != i64::MIN).then_some(value);
    writer.option(ids.last_closed);
    writer.option(some(ids.closed_end_us));
    writer.option(some(ids.forgotten));
    writer.option(some(ids.floor));
    writer.unsigned(ids.untracked);
    write_set(writer, &ids.known);
    let entries = ids.ring.sorted();
    writer.unsigned(entries.len() as u64);
    let mut previous = 0;
    for entry in entries {
        writer.signed(entry.id - previous);
        writer.fixed(&entry.fingerprint.to_le_bytes());
        previous = entry.id;
    }
}

/// The highest range, the ranges of whole chunks, the other chunks.
fn write_set(writer: &mut Writer, set: &IdSet) {
    writer.flag(!set.is_empty());
    if let Some((first, last)) = set.top() {
        writer.signed(first);
        writer.unsigned(last.abs_diff(first));
    }
    writer.flag(set.lower().is_some());
    let Some(lower) = set.lower() else { return };
    writer.unsigned(lower.whole.len() as u64);
    let mut previous = 0;
    for whole in lower.whole.iter() {
        writer.signed(whole.start() - previous);
        writer.unsigned(whole.end().abs_diff(*whole.start()));
        previous = *whole.end();
    }
    writer.unsigned(lower.parts.len() as u64);
    let mut previous = 0;
    for (&number, chunk) in &lower.parts {
        writer.signed(number - previous);
        write_chunk(writer, chunk);
        previous = number;
    }
}

/// As runs or as bits, whichever is smaller in memory.
fn write_chunk(writer: &mut Writer, chunk: &Chunk) {
    writer.unsigned(chunk.count_of_runs() as u64);
    if let Some(bits) = chunk.bits() {
        bits.0.iter().for_each(|word| writer.fixed(&word.to_le_bytes()));
        return;
    }
    let mut next = 0;
    for (first, last) in chunk.runs() {
        writer.unsigned(u64::from(first) - next);
        writer.unsigned(u64::from(last - first));
        next = u64::from(last) + 1;
    }
}

/// Reads what [`write_ids`] wrote.
pub fn read_ids(reader: &mut Reader) -> Result<KeyIds, Refusal> {
    let mut ids = KeyIds { last_closed: some_id(reader)?, ..KeyIds::default() };
    ids.closed_end_us = reader.option()?.map(time).transpose()?.unwrap_or(i64::MIN);
    if ids.last_closed.is_some() != (ids.closed_end_us != i64::MIN) {
        refuse!("a key's last id and the end of its last window do not go together");
    }
    read_floors(reader, &mut ids)?;
    ids.known = read_set(reader)?;
    read_ring(reader, &mut ids)?;
    Ok(ids)
}

/// Reads the ids of state version 1, which did not note when the newest window of a key had ended: it is
/// taken to have ended at the watermark.
pub fn read_ids_v1(reader: &mut Reader, watermark_us: i64) -> Result<KeyIds, Refusal> {
    let mut ids = KeyIds { last_closed: some_id(reader)?, ..KeyIds::default() };
    if ids.last_closed.is_some() {
        ids.closed_end_us = watermark_us;
    }
    read_floors(reader, &mut ids)?;
    let mut previous: Option<i64> = None;
    for _ in 0..reader.unsigned()? {
        let (first, last) = read_range(reader, previous.unwrap_or(0))?;
        if previous.is_some_and(|previous| first <= previous + 1) {
            refuse!("ranges of ids overlap");
        }
        ids.known.insert(first, last);
        previous = Some(last);
    }
    read_ring(reader, &mut ids)?;
    Ok(ids)
}

fn some_id(reader: &mut Reader) -> Result<Option<i64>, Refusal> {
    reader.option()?.map(id).transpose()
}

fn read_floors(reader: &mut Reader, ids: &mut KeyIds) -> Result<(), Refusal> {
    ids.forgotten = some_id(reader)?.unwrap_or(i64::MIN);
    ids.floor = some_id(reader)?.unwrap_or(i64::MIN);
    ids.untracked = count(reader)?;
    Ok(())
}

/// A range that is given from another id on.
fn read_range(reader: &mut Reader, from: i64) -> Result<(i64, i64), Refusal> {
    let first = id(from.saturating_add(reader.signed()?))?;
    Ok((first, id(first.saturating_add_unsigned(reader.unsigned()?))?))
}

fn read_set(reader: &mut Reader) -> Result<IdSet, Refusal> {
    let top = if reader.flag()? { Some(read_range(reader, 0)?) } else { None };
    let (mut whole, mut parts) = (RangeInclusiveSet::new(), BTreeMap::new());
    if reader.flag()? {
        let mut previous = None;
        for _ in 0..reader.unsigned()? {
            let from = number(previous.unwrap_or(0), reader.signed()?)?;
            let to = number(from, i64::try_from(reader.unsigned()?).unwrap_or(i64::MAX))?;
            if previous.is_some_and(|previous| from <= previous + 1) {
                refuse!("ranges of chunks of ids overlap");
            }
            whole.insert(from..=to);
            previous = Some(to);
        }
        let mut previous = None;
        for _ in 0..reader.unsigned()? {
            let this = number(previous.unwrap_or(0), reader.signed()?)?;
            if previous.is_some_and(|previous| this <= previous) {
                refuse!("chunks of ids are out of order");
            }
            parts.insert(this, read_chunk(reader)?);
            previous = Some(this);
        }
        if whole.is_empty() && parts.is_empty() {
            refuse!("ids were announced, and there are none");
        }
    }
    IdSet::from_parts(top, whole, parts).ok_or_else(|| "ids are there twice, or in the wrong place".into())
}

/// A chunk's number, which is some more than another one.
fn number(from: i64, more: i64) -> Result<i64, Refusal> {
    let number = from.saturating_add(more);
    let far = number.unsigned_abs() >= MAX_ID as u64 >> 16;
    if far { refuse!("ids of chunk {number} are too large") } else { Ok(number) }
}

fn read_chunk(reader: &mut Reader) -> Result<Chunk, Refusal> {
    let count = reader.unsigned()?;
    if count > MOST_RUNS as u64 {
        let bytes = reader.fixed(Bits::BYTES)?;
        let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let chunk = Chunk::of_bits(Bits::from_words(words));
        let as_announced = chunk.count_of_runs() as u64 == count;
        return if as_announced { Ok(chunk) } else { refuse!("a chunk of ids has another number of runs") };
    }
    let mut runs: Vec<Run> = Vec::with_capacity(count as usize);
    let mut next = 0u64;
    for index in 0..count {
        let first = next.saturating_add(reader.unsigned()?);
        let last = first.saturating_add(reader.unsigned()?);
        if last > u64::from(u16::MAX) || (index > 0 && first == next) {
            refuse!("the ids of a chunk are out of order");
        }
        runs.push((first as u16, last as u16));
        next = last + 1;
    }
    Ok(Chunk::of_runs(runs))
}

fn read_ring(reader: &mut Reader, ids: &mut KeyIds) -> Result<(), Refusal> {
    let mut slots = vec![false; RING];
    let mut previous: Option<i64> = None;
    for _ in 0..reader.unsigned()? {
        let id = id(previous.unwrap_or(0).saturating_add(reader.signed()?))?;
        let fingerprint = u32::from_le_bytes(reader.array()?);
        let taken = std::mem::replace(&mut slots[id.rem_euclid(RING as i64) as usize], true);
        if taken || previous.is_some_and(|previous| id <= previous) {
            refuse!("fingerprints are out of order");
        }
        ids.ring.put(Entry { id, fingerprint });
        previous = Some(id);
    }
    ids.find_highest();
    Ok(())
}
