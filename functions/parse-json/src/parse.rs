//! A call: every record becomes rows, or is set apart with a reason.

use std::iter::Peekable;
use std::ops::Range;
use std::slice::Iter;

use parse_base::json::Value;
use parse_base::marks::Marks;
use parse_base::reason::{Apart, Step};
use parse_base::rows::Mark;
use parse_base::window::Windows;
use parse_base::{Batch, ByteColumn, Options, Parsed};
use tallow_contract::Refusal;

use crate::cells::Cells;
use crate::explode::Message;
use crate::full::Full;
use crate::kinds::Kinds;
use crate::plan::{Plan, Rows};
use crate::quick::{Found, Place, Quick};
use crate::record::Record;

/// How a call reads. All ways give the same output; the other ones are there to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Straight into columns if the message is written in a common way, else in full.
    Quick,
    /// The same, as it is once the keys have come in many orders.
    AnyOrder,
    FullOnly,
}

/// Parses a batch. An error is a mistake in the options or a broken batch, never bad data.
pub fn parse(batch: &Batch, options: &Options) -> Result<Parsed, Refusal> {
    parse_by(Way::Quick, batch, options)
}

/// [`parse`] by a way of the caller's choice.
pub fn parse_by(way: Way, batch: &Batch, options: &Options) -> Result<Parsed, Refusal> {
    let plan = Plan::new(options)?;
    batch.check()?;
    let mut call = Call::new(way, &plan, batch);
    let mut runs = batch.runs.iter();
    let (mut run, mut left, mut start) = (None, 0, 0);
    for (index, &end) in batch.values.ends.iter().enumerate() {
        while left == 0 {
            run = runs.next();
            left = run.map_or(u32::MAX, |run| run.records);
        }
        left -= 1;
        let range = start..end as usize;
        start = end as usize;
        let record = index as u32;
        if call.nulls.next_if_eq(&&record).is_some() {
            call.marks.ignore(record, "tombstone");
            continue;
        }
        call.record(
            end as usize,
            &Record {
                index: record,
                value: batch.values.bytes.get(range).unwrap_or_default(),
                key: batch.keys.as_ref().and_then(|keys: &ByteColumn| keys.get(index)),
                topic: run.and_then(|run| batch.topics.get(run.topic as usize)).map_or("", String::as_str),
                partition: run.map_or(0, |run| run.partition),
                offset: batch.offsets.get(index).copied().unwrap_or(-1),
                timestamp_us: batch.timestamps_us.get(index).copied().unwrap_or(-1),
                headers: batch.headers.as_ref(),
            },
        );
    }
    Ok(call.finish())
}

/// The state of a call.
struct Call<'p, 'a> {
    plan: &'p Plan,
    bytes: &'a [u8],
    /// Whether all the bytes are.
    is_ascii: bool,
    nulls: Peekable<Iter<'a, u32>>,
    windows: Windows<'a>,
    quick: Option<Quick<'p, 'a>>,
    full: Full<'p, 'a>,
    cells: Cells<'a>,
    kinds: Kinds<'p, 'a>,
    rows: Rows,
    marks: Marks,
    /// Columns that a message gave no value, made once.
    missing: Vec<usize>,
}

impl<'p, 'a> Call<'p, 'a> {
    fn new(way: Way, plan: &'p Plan, batch: &'a Batch) -> Self {
        Call {
            plan,
            bytes: &batch.values.bytes,
            is_ascii: all_ascii(&batch.values.bytes),
            nulls: batch.values.nulls.iter().peekable(),
            windows: Windows::new(&batch.values.bytes),
            quick: if way == Way::FullOnly { None } else { Quick::new(plan, way == Way::Quick) },
            full: Full::new(&plan.tree),
            cells: Cells::new(plan.cells()),
            kinds: Kinds::new(plan),
            rows: plan.rows(batch.len()),
            marks: Marks::default(),
            missing: Vec::new(),
        }
    }

    #[inline(always)]
    fn record(&mut self, end: usize, record: &Record<'a>) {
        let mark = self.rows.mark();
        let made = match json_of(record.value, self.plan.confluent, self.is_ascii) {
            Ok(text) => match self.quickly(end - text.len()..end, record) {
                Some(Ok(())) => return,
                Some(made) => made,
                None => self.in_full(text, record, mark),
            },
            Err(apart) => self.not_json(record, apart),
        };
        if let Err(apart) = made {
            self.set_apart(record.index, mark, &apart);
        }
    }

    #[cold]
    #[inline(never)]
    fn not_json(&mut self, record: &Record<'a>, apart: Box<Apart>) -> Step<()> {
        self.message(record).rows(Err(apart))
    }

    #[inline(never)]
    fn set_apart(&mut self, record: u32, mark: Mark, apart: &Apart) {
        self.rows.back_to(mark);
        self.marks.push(record, apart);
    }

    /// Makes the rows of any message, from the mark on.
    #[inline(never)]
    fn in_full(&mut self, text: &'a [u8], record: &Record<'a>, mark: Mark) -> Step<()> {
        self.rows.back_to(mark);
        self.cells.clear();
        let read = self.full.message(text, &mut self.cells);
        self.message(record).rows(read)
    }

    /// Makes the row of a message that the quick reader takes.
    #[inline(always)]
    fn quickly(&mut self, at: Range<usize>, record: &Record<'a>) -> Option<Step<()>> {
        let quick = self.quick.as_mut()?;
        let place = Place { bytes: self.bytes, start: at.start, end: at.end };
        let found = quick.read(place, &mut self.windows, &mut self.kinds, &mut self.rows)?;
        let kind = match found.kind {
            Ok(kind) => kind,
            Err(written) => return Some(Err(self.kinds.not_asked_for(Some(Value(written))))),
        };
        if quick.is_whole(&found) {
            self.rows.end_full(record.index, kind);
            return Some(Ok(()));
        }
        self.end(found, kind, record)
    }

    /// Ends a row for which the message may have no value.
    #[inline(never)]
    fn end(&mut self, found: Found<'a>, kind: u32, record: &Record<'a>) -> Option<Step<()>> {
        let mut missing = std::mem::take(&mut self.missing);
        self.quick.as_ref()?.missing(&found, &mut missing);
        let made = self.message(record).end(&missing, kind);
        self.missing = missing;
        // The full reader makes a row with nulls.
        (made.is_ok() || self.plan.permissive.is_none()).then_some(made)
    }

    fn message<'m>(&'m mut self, record: &'m Record<'a>) -> Message<'m, 'p, 'a> {
        Message {
            plan: self.plan,
            record,
            full: &mut self.full,
            cells: &mut self.cells,
            kinds: &mut self.kinds,
            rows: &mut self.rows,
            passed_over: None,
            broken: None,
        }
    }

    fn finish(self) -> Parsed {
        let (rows, records, kinds, rounded) = self.rows.into_table(self.kinds.names);
        let (ignored, rejected) = self.marks.finish();
        Parsed { rows, records, kinds, ignored, rejected, rounded }
    }
}

/// Takes a tenth of the time that it takes to find out whether a text is UTF-8.
#[inline(never)]
fn all_ascii(text: &[u8]) -> bool {
    let blocks = text.chunks_exact(64);
    let rest = blocks.remainder().iter().fold(0, |all, byte| all | byte);
    let mut all = [0; 64];
    for block in blocks {
        for (all, byte) in all.iter_mut().zip(block) {
            *all |= byte;
        }
    }
    all.iter().fold(rest, |all, byte| all | byte).is_ascii()
}

/// The JSON text of a record's value. `is_ascii`: this has been found out.
#[inline]
fn json_of(value: &[u8], confluent: bool, is_ascii: bool) -> Step<&[u8]> {
    let text = match value {
        [] => return Err(Apart::rejected("empty value")),
        [0, _, _, _, _, text @ ..] if confluent => text,
        _ if confluent => return Err(Apart::rejected("not in Confluent's wire format, as the schema says")),
        [0, a, b, c, d, ..] => {
            let schema = u32::from_be_bytes([*a, *b, *c, *d]);
            return Err(Apart::rejected(format!(
                "Confluent's wire format, schema id {schema}: if JSON follows, set `confluent = true` in the schema; \
                 Avro and Protobuf are not read"
            )));
        }
        text => text,
    };
    if !is_ascii && !all_ascii(text) {
        std::str::from_utf8(text)
            .map_err(|error| Apart::rejected(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{batch, options};

    /// Rows that are right tell nothing of the reader that made them.
    #[test]
    fn common_messages_do_not_go_to_the_full_reader() {
        let values = [
            r#"{"e":"trade","E":1723161600001,"s":"BTCUSDT","t":12345,"p":"60123.12000000","q":"0.01200000","T":1723161600000,"m":true,"M":true}"#,
            r#"{"m":false,"T":1723161600001,"p":60123.5,"t":12346,"s":"1000SATSUSDT","e":"trade"}"#,
            r#"{"e": "trade", "s": "ETHUSDT", "t": 7, "p": "1", "T": 1723161600002, "m": true}"#,
            r#"{"e":"kline","s":"ETHUSDT"}"#,
        ];
        let batch = batch(&values);
        let options = options();
        let plan = Plan::new(&options).unwrap();
        let mut call = Call::new(Way::Quick, &plan, &batch);
        let mut start = 0;
        for (index, end) in (0..).zip(&batch.values.ends) {
            let at = start..*end as usize;
            start = at.end;
            let value = &batch.values.bytes[at.clone()];
            let (topic, headers) = ("t", None);
            let record =
                Record { index, value, key: None, topic, partition: 0, offset: 0, timestamp_us: 0, headers };
            assert!(call.quickly(at, &record).is_some(), "{}", String::from_utf8_lossy(value));
        }
        assert_eq!(call.finish().rows.rows, 3);
    }
}
