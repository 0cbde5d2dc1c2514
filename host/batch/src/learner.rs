//! What the parse function learns from a file's first lines, and how long its rows are.

use std::sync::Arc;

use tallow_engine::{CallError, ColumnData, ParseFunction, ParseOptions, Rows, WantedColumn};
use tallow_files::{Checksums, File, Lines};
use tallow_record::Batch;

use crate::beginning::{Beginnings, Reading};
use crate::error::{BatchError, failed};
use crate::fit::Fit;
use crate::plan::{KEY, Plan};
use crate::{interval, lines_batch};

/// First lines of a file that say how it is read.
const FIRST_LINES: usize = 1_024;
/// Bytes of another file that say how long rows are.
const PROBE_BYTES: usize = 256 << 10;

/// Column in which a function says by which settings lines are read, `name=value` each on a line; and the setting by which
/// it is asked to learn them from a file's beginning.
const SETTINGS: &str = "settings";
const BEGINNING: (&str, &str) = ("beginning", "yes");
/// Column in which it says what people should know of that.
const REMARKS: &str = "remarks";
/// Column of rows whose numbers contradict each other.
pub const FLAGGED: &str = "flagged";

/// Asks a parse function how files are read.
pub struct Learner<'a> {
    plan: &'a Plan,
    name: String,
    function: ParseFunction,
    options: ParseOptions,
    says_interval: bool,
    learns: bool,
    /// The group's files, of which one may say how long the rows of another are that has but one.
    files: &'a [File],
    /// What a file has said.
    said: Option<String>,
}

impl<'a> Learner<'a> {
    /// `options`: what is asked of every file of the group.
    pub fn new(
        plan: &'a Plan,
        name: &str,
        function: ParseFunction,
        mut options: ParseOptions,
        files: &'a [File],
    ) -> Result<Self, BatchError> {
        let has = |name: &str| function.description().columns.iter().any(|column| column.name == name);
        let (says_interval, learns) = (has(interval::COLUMN), has(SETTINGS) && has(REMARKS));
        if has(FLAGGED) && !options.columns.iter().any(|column| column.name == FLAGGED) {
            options.columns.push(WantedColumn { name: FLAGGED.to_owned(), scale: 0 });
        }
        let mut learner =
            Self { plan, name: name.to_owned(), function, options, says_interval, learns, files, said: None };
        // Options that are wrong are not the first file's fault.
        let options = learner.options.clone();
        learner.rows(options, &mut Batch::default())?;
        Ok(learner)
    }

    /// Whether the function can count ids by something other than intervals.
    pub fn learns(&self) -> bool {
        self.learns
    }

    /// What is asked of every file, before its own first lines are read.
    pub fn options(&self) -> &ParseOptions {
        &self.options
    }

    fn asking(&self, mut options: ParseOptions) -> ParseOptions {
        let wanted =
            [(self.says_interval, interval::COLUMN), (self.learns, SETTINGS), (self.learns, REMARKS)];
        for (_, name) in wanted.into_iter().filter(|(has, _)| *has) {
            if !options.columns.iter().any(|column| column.name == name) {
                options.columns.push(WantedColumn { name: name.to_owned(), scale: 0 });
            }
        }
        options
    }

    /// The rows of a file's first lines, fewer of them where the function cannot work on some.
    fn first_rows(&mut self, asked: ParseOptions, file: &str, lines: &Lines) -> Result<Rows, BatchError> {
        let mut count = FIRST_LINES;
        loop {
            let mut batch = lines_batch::batch(file, first(lines, count), 1, 0);
            match self.rows(asked.clone(), &mut batch) {
                Err(BatchError::Function { error: CallError::Refused(why), .. }) => {
                    return Err(BatchError::Unreadable { file: file.to_owned(), why: plain(&why) });
                }
                Err(BatchError::Function { error, .. }) if error.may_be_a_record() && count > 0 => count /= 8,
                done => return done,
            }
        }
    }

    /// How long the rows of the file before are, or else of the first one that says it.
    fn said_by_another(&mut self, but: &str) -> Result<Option<String>, BatchError> {
        if self.said.is_some() {
            return Ok(self.said.clone());
        }
        for file in self.files.iter().filter(|file| file.name != but) {
            let mut lines = None;
            let mut sink = |first: Lines| {
                lines = Some(first);
                false
            };
            // What is wrong with it is reported in its turn.
            let read = tallow_files::read(file, Checksums::Ignored, PROBE_BYTES, Arc::default(), &mut sink);
            let (Ok(()), Some(lines)) = (read, lines) else { continue };
            let options = lines_batch::under(&self.options, lines.first_line.as_deref().unwrap_or_default());
            let Ok(rows) = self.first_rows(self.asked_at_first(options), &file.name, &lines) else {
                continue;
            };
            let times = interval::times_by_key(&rows, &self.plan.spec.time, KEY);
            self.said = interval::named(&rows).or_else(|| interval::plausible(&times));
            if self.said.is_some() {
                break;
            }
        }
        Ok(self.said.clone())
    }

    /// How long rows are is for them to say, whatever they should be.
    fn asked_at_first(&self, options: ParseOptions) -> ParseOptions {
        let mut asked = self.asking(options);
        asked.settings.retain(|(name, _)| name != interval::COLUMN);
        if self.learns {
            asked.settings.push((BEGINNING.0.to_owned(), BEGINNING.1.to_owned()));
        }
        asked
    }

    fn rows(&mut self, options: ParseOptions, batch: &mut Batch) -> Result<Rows, BatchError> {
        self.function.set_options(options);
        let parsed = self.function.parse(batch).map_err(|error| failed(&self.name, "parse", error))?;
        Ok(parsed.rows)
    }

    /// How long the file's rows are: as the job says, as most of them say, or by their distances. It becomes a setting, so
    /// that every batch is read alike.
    fn interval_us(
        &mut self,
        file: &str,
        rows: &Rows,
        options: &mut ParseOptions,
    ) -> Result<i64, BatchError> {
        let times = interval::times_by_key(rows, &self.plan.spec.time, KEY);
        let named = interval::named(rows);
        if let (Some(given), Some(named)) = (&self.plan.job.interval, &named)
            && given != named
        {
            let why = format!("its rows are {named} long by their close times, and `interval` says {given}");
            return Err(BatchError::Unreadable { file: file.to_owned(), why: plain(&why) });
        }
        let seen = self.plan.job.interval.clone().or(named).or_else(|| interval::plausible(&times));
        if seen.is_some() {
            self.said.clone_from(&seen);
        }
        // One row or none: it is as long as others, and as its whole window where no file says how long.
        let seen = match seen {
            Some(seen) => Some(seen),
            None if rows.table.rows > 0 => self.said_by_another(file)?,
            None => self.said.clone(),
        };
        let name = seen.clone().or_else(|| interval::name(self.plan.size_us())).unwrap_or_default();
        let fit = Fit { size_us: self.plan.size_us(), offset_us: self.plan.job.window.offset_us };
        // Months make no windows of fixed length, so a person who names them means them.
        let is_meant = self.plan.job.interval.is_some() && interval::length_us(&name).is_none();
        if seen.is_some()
            && !is_meant
            && let Some(why) = fit.misfit(&name, interval::length_us(&name), &times)
        {
            return Err(BatchError::Unreadable { file: file.to_owned(), why });
        }
        options.settings.retain(|(setting, _)| setting != interval::COLUMN);
        options.settings.push((interval::COLUMN.to_owned(), name.clone()));
        Ok(interval::length_us(&name).unwrap_or(self.plan.size_us()))
    }
}

impl Beginnings for Learner<'_> {
    fn of(&mut self, file: &str, lines: &Lines) -> Result<Reading, BatchError> {
        let first_line = lines.first_line.as_deref().unwrap_or_default();
        let mut options = lines_batch::under(&self.options, first_line);
        let asked = self.asked_at_first(options.clone());
        let rows = self.first_rows(asked, file, lines)?;
        if let Some(settings) = text_of(&rows, SETTINGS, 0) {
            learn(&mut options, settings);
        }
        let remarks = text_of(&rows, REMARKS, 0).filter(|remarks| !remarks.is_empty());
        let remarks = remarks.map_or(Vec::new(), |remarks| remarks.lines().map(plain).collect());
        let interval_us = self.interval_us(file, &rows, &mut options)?;
        Ok(Reading { options: Arc::new(options), interval_us, remarks })
    }

    fn after(
        &mut self,
        file: &str,
        before: Arc<ParseOptions>,
        lines: Lines,
    ) -> Result<Arc<ParseOptions>, BatchError> {
        if !self.learns {
            return Ok(before);
        }
        let asked = self.asking((*before).clone());
        let rows = self.rows(asked, &mut lines_batch::batch(file, lines, 1, 0))?;
        let last = rows.table.rows.checked_sub(1);
        let Some(settings) = last.and_then(|last| text_of(&rows, SETTINGS, last as usize)) else {
            return Ok(before);
        };
        let mut after = (*before).clone();
        learn(&mut after, settings);
        Ok(Arc::new(after))
    }
}

/// Settings that a function has learnt replace those of the same name.
fn learn(options: &mut ParseOptions, settings: &str) {
    for (name, value) in settings.lines().filter_map(|setting| setting.split_once('=')) {
        options.settings.retain(|(known, _)| known != name);
        options.settings.push((name.to_owned(), value.to_owned()));
    }
}

/// Without control characters, which a terminal would obey: names of columns are a file's.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A row's text in a column.
fn text_of<'r>(rows: &'r Rows, name: &str, row: usize) -> Option<&'r str> {
    match &rows.table.column(name).ok()?.data {
        ColumnData::Text(text) => text.get(row),
        _ => None,
    }
}

fn first(lines: &Lines, count: usize) -> Lines {
    let ends = lines.ends[..lines.ends.len().min(count)].to_vec();
    let bytes = lines.bytes[..ends.last().map_or(0, |end| *end as usize)].to_vec();
    Lines { bytes, ends, first_line: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learnt_takes_the_place_of_what_was_said() {
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let settings = vec![setting("symbol", "A"), setting("first-line", "x")];
        let mut options = ParseOptions { settings, ..ParseOptions::default() };
        learn(&mut options, "columns=time,open\nfirst-line=a=b");
        let expected =
            [setting("symbol", "A"), setting("columns", "time,open"), setting("first-line", "a=b")];
        assert_eq!(options.settings, expected);
    }
}
