//! A call: every record becomes a row, or is set apart with a reason.

use std::borrow::Cow;

use parse_base::cursor::Windows;
use parse_base::marks::Marks;
use parse_base::reason::Apart;
use parse_base::{Batch, Options, Parsed};

use crate::full;
use crate::options::Plan;
use crate::rows::Rows;
use crate::template::Template;

/// Which ways a call takes. Both give the same output; the slower one is there to prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The template first, the careful way for what surprises it.
    Template,
    FullOnly,
}

/// Parses a batch. An error is a mistake in the options or a batch that is none, never bad data.
pub fn parse(batch: &Batch, options: &Options) -> Result<Parsed, String> {
    parse_by(Path::Template, batch, options)
}

/// [`parse`] by a way of the caller's choice.
pub fn parse_by(path: Path, batch: &Batch, options: &Options) -> Result<Parsed, String> {
    let plan = Plan::new(options)?;
    batch.check()?;
    let mut rows = Rows::new(&plan, batch.len());
    let mut template = (path == Path::Template).then(|| Template::new(&plan)).flatten();
    let (mut ignored, mut rejected) = (Marks::default(), Marks::default());
    let mut windows = Windows::new(&batch.values.bytes);
    let mut nulls = batch.values.nulls.iter().copied().peekable();
    let mut start = 0;
    for (index, &end) in batch.values.ends.iter().enumerate() {
        let range = start..end as usize;
        start = range.end;
        let record = index as u32;
        if nulls.next_if_eq(&record).is_some() {
            ignored.push(record, Cow::Borrowed("tombstone"));
            continue;
        }
        let line = &batch.values.bytes[range.clone()];
        if let Some(template) = &mut template {
            if template.read(windows.at(range.start), line, record, &mut rows) {
                continue;
            }
            template.flush(&mut rows);
        }
        match full::read(line, &plan) {
            Ok(kline) => {
                rows.push(record, &kline);
                if let Some(template) = &mut template {
                    template.interval = kline.interval;
                }
            }
            Err(apart) => match *apart {
                Apart::Ignored(reason) => ignored.push(record, reason),
                Apart::Rejected(reason) => rejected.push(record, reason),
            },
        }
    }
    if let Some(mut template) = template {
        template.flush(&mut rows);
    }
    let (table, records, kinds, rounded) = rows.into_table();
    let (ignored, rejected) = (ignored.finish(), rejected.finish());
    Ok(Parsed { rows: table, records, kinds, ignored, rejected, rounded })
}
