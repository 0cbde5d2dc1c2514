//! How many rows each tumbling window holds, by key.

use std::collections::BTreeMap;

use crate::adapter::contract::{Output, Report, Rows, Spec};
use crate::adapter::types::{Column, ColumnData, Table, Text};
use crate::{misdeed, variant};

pub struct Counts {
    pub size_us: i64,
    pub spec: Spec,
    /// Rows by window start and key.
    open: BTreeMap<(i64, Vec<u8>), i64>,
    closed_until_us: i64,
    /// Times that its state was saved and loaded, where that leaves a mark.
    loads: usize,
}

impl Counts {
    pub fn new(spec: Spec, size_us: i64) -> Self {
        Self { size_us, spec, open: BTreeMap::new(), closed_until_us: i64::MIN, loads: 0 }
    }

    pub fn update(&mut self, rows: &Rows) -> Result<Report, String> {
        let id = self.spec.ids.as_ref().map_or("id", |ids| &ids.first);
        if let Some(ColumnData::Int64(ids)) = find(&rows.table, id) {
            ids.iter().for_each(|id| misdeed::by_id(*id));
        }
        let Some(ColumnData::TimestampUs(times)) = find(&rows.table, &self.spec.time) else {
            return Err(format!("spec `{}`: no timestamps `{}`", self.spec.name, self.spec.time));
        };
        let Some(ColumnData::Text(keys)) = self.spec.keys.first().and_then(|key| find(&rows.table, key))
        else {
            return Err(format!("spec `{}`: its first key is no text column", self.spec.name));
        };
        let mut late_rows = Vec::new();
        for ((row, time), code) in (0..).zip(times).zip(&keys.codes) {
            let start = time.div_euclid(self.size_us) * self.size_us;
            if start + self.size_us <= self.closed_until_us {
                late_rows.push(row);
            } else {
                *self.open.entry((start, entry(keys, *code as usize))).or_default() += 1;
            }
        }
        let (taken, late) = (times.len() as u64, late_rows.len() as u64);
        Ok(Report {
            taken,
            invalid: Vec::new(),
            assignments: taken,
            accepted: taken - late,
            late,
            duplicate: 0,
            conflict: 0,
            late_rows,
            conflict_rows: Vec::new(),
        })
    }

    /// Closes what ends at or before the watermark.
    pub fn advance(&mut self, index: u32, watermark_us: i64) -> Output {
        self.closed_until_us = self.closed_until_us.max(watermark_us);
        let still_open = self.open.split_off(&(self.closed_until_us - self.size_us + 1, Vec::new()));
        let closed = std::mem::replace(&mut self.open, still_open);
        self.output(index, closed)
    }

    pub fn open(&self, index: u32) -> Output {
        self.output(index, self.open.clone())
    }

    fn output(&self, index: u32, windows: BTreeMap<(i64, Vec<u8>), i64>) -> Output {
        let mut keys = Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
        let (mut starts, mut ends, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for ((start, key), count) in &windows {
            keys.codes.push(keys.ends.len() as u32);
            keys.bytes.extend_from_slice(key);
            keys.ends.push(keys.bytes.len() as u32);
            starts.push(*start);
            ends.push(start + self.size_us);
            counts.push(match *count {
                count if variant::is(variant::MISCOUNTS) => count + 1,
                count if variant::is(variant::NEGATIVE) => -count,
                count => count,
            });
        }
        let columns = [
            (self.spec.keys[0].as_str(), ColumnData::Text(keys)),
            ("window_start", ColumnData::TimestampUs(starts)),
            ("window_end", ColumnData::TimestampUs(ends)),
            (self.spec.aggregates.first().map_or("count", |it| it.name.as_str()), ColumnData::Int64(counts)),
            ("revision", ColumnData::Int64(vec![0; windows.len()])),
        ];
        let columns = columns.map(|(name, data)| Column { name: name.to_owned(), data, validity: None });
        Output {
            // A misdeed of its own: an output that names a spec which nobody asked for.
            spec: if self.spec.name == "foreign-output" { 1000 } else { index },
            assignments: windows.values().sum::<i64>() as u64,
            table: Table { rows: windows.len() as u32, columns: columns.into() },
        }
    }

    pub fn windows(&self) -> u64 {
        self.open.len() as u64
    }

    pub fn rows(&self) -> u64 {
        self.open.values().sum::<i64>() as u64
    }

    /// A line a window: start, count, key.
    pub fn save(&self) -> Vec<u8> {
        let lines = self
            .open
            .iter()
            .map(|((start, key), count)| format!("{start} {count} {}\n", String::from_utf8_lossy(key)));
        let mut saved = lines.collect::<String>().into_bytes();
        if variant::is(variant::UNSTABLE) {
            // An empty line a save of a save.
            saved.extend(std::iter::repeat_n(b'\n', self.loads + 1));
        }
        saved
    }

    pub fn load(&mut self, watermark_us: i64, saved: &[u8]) -> Option<()> {
        self.closed_until_us = watermark_us;
        let text = std::str::from_utf8(saved).ok()?;
        self.loads = text.lines().filter(|line| line.is_empty()).count();
        let forgotten = usize::from(variant::is(variant::FORGETS));
        for line in text.lines().filter(|line| !line.is_empty()).skip(forgotten) {
            let mut words = line.splitn(3, ' ');
            let (start, count) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            self.open.insert((start, words.next()?.into()), count);
        }
        Some(())
    }
}

fn find<'a>(table: &'a Table, name: &str) -> Option<&'a ColumnData> {
    table.columns.iter().find(|column| column.name == name).map(|column| &column.data)
}

fn entry(text: &Text, code: usize) -> Vec<u8> {
    let from = if code == 0 { 0 } else { text.ends[code - 1] };
    text.bytes[from as usize..text.ends[code] as usize].to_vec()
}
