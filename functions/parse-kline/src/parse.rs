//! A call: every record becomes a row, or is set apart with a reason.

use parse_base::marks::Marks;
use parse_base::window::Windows;
use parse_base::{Batch, Options, Parsed, Path};
use tallow_contract::Refusal;

use crate::beginning::{self, Learnt};
use crate::full;
use crate::layout::Layout;
use crate::options::Plan;
use crate::rows::Rows;
use crate::template::Template;

/// Parses a batch. An error is a mistake in the options, a broken batch, or a file that cannot be read without more options;
/// never bad data.
pub fn parse(batch: &Batch, options: &Options) -> Result<Parsed, Refusal> {
    parse_by(Path::Templates, batch, options)
}

/// [`parse`] by a way of the caller's choice.
pub fn parse_by(path: Path, batch: &Batch, options: &Options) -> Result<Parsed, Refusal> {
    let mut plan = Plan::new(options)?;
    batch.check()?;
    if !plan.is_beginning {
        return Ok(Call::new(path, &plan, batch, &[]).run());
    }
    let lines: Vec<&[u8]> = (0..batch.len()).filter_map(|index| batch.values.get(index)).collect();
    let Learnt { layout, header, delimiter, dates, remarks } = beginning::learn(&lines, &plan)?;
    plan.follows_headers = plan.layout.is_none();
    plan.delimiter = Some(delimiter);
    plan.dates = plan.dates.or(dates);
    plan.layout = layout;
    plan.header = header.as_deref().or(plan.header);
    Ok(Call::new(path, &plan, batch, &remarks).run())
}

struct Call<'c> {
    path: Path,
    plan: &'c Plan<'c>,
    batch: &'c Batch,
    remarks: &'c [String],
    /// The columns of the next line.
    layout: Option<Layout>,
    /// The line that names them.
    header: Option<&'c [u8]>,
    template: Option<Template<'c>>,
    rows: Rows,
    marks: Marks,
}

impl<'c> Call<'c> {
    fn new(path: Path, plan: &'c Plan<'c>, batch: &'c Batch, remarks: &'c [String]) -> Self {
        let (layout, header) = (plan.layout.clone(), plan.header);
        let rows = Rows::new(plan, batch.len());
        let marks = Marks::default();
        let mut call = Call { path, plan, batch, remarks, layout, header, template: None, rows, marks };
        call.choose_template();
        call
    }

    fn choose_template(&mut self) {
        let template = self.layout.as_ref().filter(|_| self.path == Path::Templates);
        self.template = template.and_then(|layout| Template::new(self.plan, layout));
    }

    fn run(mut self) -> Parsed {
        let values = &self.batch.values;
        let mut windows = Windows::new(&values.bytes);
        let mut nulls = values.nulls.iter().copied().peekable();
        let mut start = 0;
        for (index, &end) in values.ends.iter().enumerate() {
            let range = start..end as usize;
            start = range.end;
            let record = index as u32;
            if nulls.next_if_eq(&record).is_some() {
                self.marks.ignore(record, "tombstone");
                continue;
            }
            let line = &values.bytes[range.clone()];
            if let Some(template) = &mut self.template {
                if template.read(windows.at(range.start), line, record, &mut self.rows) {
                    continue;
                }
                template.flush(&mut self.rows);
            }
            self.with_care(line, record);
        }
        self.end_of_layout();
        let (table, records, kinds, rounded) = self.rows.into_table();
        let (ignored, rejected) = self.marks.finish();
        Parsed { rows: table, records, kinds, ignored, rejected, rounded }
    }

    /// A line that is not plain.
    fn with_care(&mut self, line: &'c [u8], record: u32) {
        match full::read(line, self.plan, self.layout.as_ref(), self.header) {
            Ok(Some(kline)) => {
                self.rows.push(record, &kline);
                if let Some(template) = &mut self.template {
                    template.interval = kline.interval;
                }
            }
            Ok(None) => {
                self.marks.ignore(record, "header");
                if self.plan.follows_headers {
                    self.follow(line, record);
                }
            }
            Err(apart) => self.marks.push(record, &apart),
        }
    }

    /// From here on the columns are those of another header.
    fn follow(&mut self, header: &'c [u8], record: u32) {
        let under = (record as usize + 1..self.batch.len()).take(beginning::UNDER_HEADER);
        let under: Vec<&[u8]> = under.filter_map(|index| self.batch.values.get(index)).collect();
        let header = crate::cells::without_end(header);
        let layout = beginning::under_header(header, &under, self.plan.separator(), self.plan);
        if let Some((layout, _)) = layout
            && self.layout.as_ref() != Some(&layout)
        {
            self.end_of_layout();
            (self.layout, self.header) = (Some(layout), Some(header));
            self.choose_template();
        }
    }

    fn end_of_layout(&mut self) {
        if let Some(template) = &mut self.template {
            template.flush(&mut self.rows);
        }
        let settings = || self.plan.as_settings(self.layout.as_ref(), self.header);
        self.rows.mark(settings, self.remarks);
    }
}
