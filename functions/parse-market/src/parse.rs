//! A call: every record becomes rows, or is set apart with a reason.

use parse_base::{Batch, ByteColumn, Parsed, Path};
use tallow_contract::Refusal;

use crate::full;
use crate::marks::Marks;
use crate::message::Message;
use crate::options::{Options, Plan};
use crate::record::{Record, not_asked_for};
use crate::rows::Rows;
use crate::rows::Trade;
use crate::template::Templates;
use crate::window::{Window, Windows};

/// Trades that are gathered before they go into columns: few enough to stay in the nearest cache.
const BLOCK: usize = 256;

/// Parses a batch. An error is a mistake in the options or a broken batch, never bad data.
pub fn parse(batch: &Batch, options: &Options) -> Result<Parsed, Refusal> {
    parse_by(Path::Templates, batch, options)
}

/// [`parse`] by a way of the caller's choice.
pub fn parse_by(path: Path, batch: &Batch, options: &Options) -> Result<Parsed, Refusal> {
    let plan = Plan::new(options)?;
    batch.check()?;
    let mut call = Call::new(&plan, batch);
    let mut windows = Windows::new(&batch.values.bytes);
    let mut nulls = batch.values.nulls.iter().copied().peekable();
    let mut start = 0;
    for (index, &end) in batch.values.ends.iter().enumerate() {
        let range = start..end as usize;
        start = range.end;
        let record = index as u32;
        if nulls.next_if_eq(&record).is_some() {
            call.marks.ignore(record, "tombstone");
        } else if path == Path::FullOnly || !call.template(record, windows.at(range.start), range.len()) {
            call.full(&Record {
                index: record,
                value: &batch.values.bytes[range],
                key: batch.keys.as_ref().and_then(|keys: &ByteColumn| keys.get(index)),
            });
        }
    }
    Ok(call.finish())
}

/// The state of a call.
struct Call<'a> {
    plan: &'a Plan<'a>,
    templates: Templates<'a>,
    trades: Vec<Trade>,
    message: Message<'a>,
    rows: Rows,
    marks: Marks,
}

impl<'a> Call<'a> {
    fn new(plan: &'a Plan<'a>, batch: &Batch) -> Self {
        Call {
            plan,
            templates: Templates::new(plan),
            trades: Vec::with_capacity(BLOCK),
            message: Message::new(),
            rows: Rows::new(plan, batch.len()),
            marks: Marks::default(),
        }
    }

    /// Whether a template could read the record.
    #[inline(always)]
    fn template(&mut self, record: u32, window: &Window, length: usize) -> bool {
        let Some(trade) = self.templates.read(window, length, record, &mut self.rows) else {
            return false;
        };
        if !self.plan.wants(trade.kind) {
            self.marks.ignore(record, not_asked_for(trade.kind));
            return true;
        }
        if self.trades.len() == BLOCK {
            self.flush();
        }
        self.trades.push(trade);
        true
    }

    fn full(&mut self, record: &Record<'a>) {
        self.flush();
        let mark = self.rows.mark();
        if let Err(apart) = full::read(record, self.plan, &mut self.message, &mut self.rows) {
            self.rows.back_to(mark);
            self.marks.push(record.index, &apart);
        }
    }

    fn flush(&mut self) {
        if !self.trades.is_empty() {
            self.rows.extend(&self.trades);
            self.trades.clear();
        }
    }

    fn finish(mut self) -> Parsed {
        self.flush();
        let (rows, records, kinds, rounded) = self.rows.into_table();
        let (ignored, rejected) = self.marks.finish();
        Parsed { rows, records, kinds, ignored, rejected, rounded }
    }
}
