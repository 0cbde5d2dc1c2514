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
    /// Windows that closed last: to be closed again, by habit.
    last: BTreeMap<(i64, Vec<u8>), i64>,
    /// The time of the row that came first, which nothing may depend on.
    first_us: i64,
}

impl Counts {
    pub fn new(spec: Spec, size_us: i64) -> Self {
        Self {
            size_us,
            spec,
            open: BTreeMap::new(),
            closed_until_us: i64::MIN,
            loads: 0,
            last: BTreeMap::new(),
            first_us: 0,
        }
    }

    /// Whether the spec's name asks for a habit.
    fn has(&self, habit: &str) -> bool {
        self.spec.name == habit
    }

    pub fn update(&mut self, rows: &Rows) -> Result<Report, String> {
        let id = self.spec.ids.as_ref().map_or("id", |ids| &ids.first);
        if let Some((ColumnData::Int64(ids), _)) = find(&rows.table, id) {
            ids.iter().for_each(|id| misdeed::by_id(*id));
        }
        let Some((ColumnData::TimestampUs(times), valid_times)) = find(&rows.table, &self.spec.time) else {
            return Err(format!("spec `{}`: no timestamps `{}`", self.spec.name, self.spec.time));
        };
        let keys = self.spec.keys.iter().map(|key| match find(&rows.table, key) {
            Some((ColumnData::Text(text), valid)) => Ok((text, valid)),
            _ => Err(format!("spec `{}`: no text column `{key}`", self.spec.name)),
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let mut report = crate::adapter::no_report();
        for (row, time) in times.iter().enumerate() {
            let kind = entry(&rows.kinds, rows.kinds.codes[row] as usize);
            if !self.spec.kinds.iter().any(|it| it.as_bytes() == kind) {
                continue;
            }
            report.taken += 1;
            let valid = valid_times.at(row) && keys.iter().all(|(_, valid)| valid.at(row));
            let far = time.unsigned_abs() > 1 << 60;
            if !valid || far {
                report.invalid.push(row as u32);
                continue;
            }
            if self.first_us == 0 {
                self.first_us = *time;
            }
            report.assignments += 1;
            let start = time.div_euclid(self.size_us) * self.size_us;
            if start + self.size_us <= self.closed_until_us {
                report.late += 1;
                report.late_rows.push(row as u32);
                continue;
            }
            report.accepted += 1;
            let key = keys.iter().flat_map(|(text, _)| entry(text, text.codes[row] as usize));
            // A row in eight is lost, by habit.
            let lost = self.has("loses-rows") && row % 8 == 7;
            *self.open.entry((start, key.collect())).or_default() += i64::from(!lost);
        }
        report.accepted += u64::from(self.has("miscounts"));
        Ok(report)
    }

    /// Closes what ends at or before the watermark.
    pub fn advance(&mut self, index: u32, watermark_us: i64) -> Output {
        self.closed_until_us = self.closed_until_us.max(watermark_us);
        let early = if self.has("closes-early") { self.size_us } else { 0 };
        let bound = self.closed_until_us.saturating_sub(self.size_us - 1).saturating_add(early);
        let still_open = self.open.split_off(&(bound, Vec::new()));
        let mut closed = std::mem::replace(&mut self.open, still_open);
        let now = closed.clone();
        if self.has("closes-twice") {
            // They hold nothing the second time: the ledger alone would not see it.
            closed.extend(self.last.keys().map(|window| (window.clone(), 0)));
        }
        self.last = now;
        self.output(index, closed)
    }

    pub fn open(&self, index: u32) -> Output {
        self.output(index, self.open.clone())
    }

    fn output(&self, index: u32, windows: BTreeMap<(i64, Vec<u8>), i64>) -> Output {
        let mut keys = Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
        let (mut starts, mut ends, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        let mut windows: Vec<_> = windows.into_iter().collect();
        if self.has("unsorted") {
            windows.reverse();
        }
        for ((start, key), count) in &windows {
            keys.codes.push(keys.ends.len() as u32);
            keys.bytes.extend_from_slice(key);
            keys.ends.push(keys.bytes.len() as u32);
            starts.push(*start);
            ends.push(start + self.size_us);
            counts.push(*count);
        }
        let negative = if self.has("negative") || variant::is(variant::NEGATIVE) { -1 } else { 1 };
        let too_many = i64::from(variant::is(variant::MISCOUNTS));
        let counted: Vec<i64> = counts.iter().map(|count| (count + too_many) * negative).collect();
        let revision = if self.has("by-arrival") { self.first_us } else { 0 };
        let mut columns = vec![
            (self.spec.keys[0].as_str(), ColumnData::Text(keys)),
            ("window_start", ColumnData::TimestampUs(starts)),
            ("window_end", ColumnData::TimestampUs(ends)),
            ("revision", ColumnData::Int64(vec![revision; windows.len()])),
        ];
        let named =
            self.spec.aggregates.iter().map(|it| (it.name.as_str(), ColumnData::Int64(counted.clone())));
        columns.extend(named);
        if self.has("odd-nan") {
            let odd = f64::from_bits(0xfff8_0000_0000_0001);
            columns.push(("odd", ColumnData::Float64(vec![odd; windows.len()])));
        }
        if self.has("no-revision") {
            columns.retain(|(name, _)| *name != "revision");
        }
        let columns =
            columns.into_iter().map(|(name, data)| Column { name: name.to_owned(), data, validity: None });
        Output {
            // A misdeed of its own: an output that names a spec which nobody asked for.
            spec: if self.spec.name == "foreign-output" { 1000 } else { index },
            assignments: counts.iter().sum::<i64>() as u64,
            table: Table { rows: windows.len() as u32, columns: columns.collect() },
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
        // The last window is forgotten, by habit.
        let kept = self.open.len() - usize::from(self.has("forgets") && !self.open.is_empty());
        let mut saved = lines.take(kept).collect::<String>().into_bytes();
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
            if self.has("trusting") {
                // As if nothing else could come.
                let (start, rest) = line.split_once(' ').unwrap();
                let (count, key) = rest.split_once(' ').unwrap();
                self.open.insert((start.parse().unwrap(), key.into()), count.parse().unwrap());
                continue;
            }
            let mut words = line.splitn(3, ' ');
            let (start, count) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            self.open.insert((start, words.next()?.into()), count);
        }
        Some(())
    }
}

/// Which rows of a column have a value.
struct Valid<'a>(Option<&'a [u8]>);

impl Valid<'_> {
    fn at(&self, row: usize) -> bool {
        self.0.is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1)
    }
}

fn find<'a>(table: &'a Table, name: &str) -> Option<(&'a ColumnData, Valid<'a>)> {
    let column = table.columns.iter().find(|column| column.name == name)?;
    Some((&column.data, Valid(column.validity.as_deref())))
}

fn entry(text: &Text, code: usize) -> Vec<u8> {
    let from = if code == 0 { 0 } else { text.ends[code - 1] };
    text.bytes[from as usize..text.ends[code] as usize].to_vec()
}
