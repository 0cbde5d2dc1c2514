//! Answers to the same records, asked for again, elsewhere, and one by one.

use std::borrow::Cow;

use tallow_engine::{
    CallError, Component, Limits, ParseDescription, ParseFunction, ParseOptions, Parsed, WantedColumn,
};
use tallow_record::Batch;

use super::answer::{self, Asked, shown};
use super::input;
use crate::refusal::Trial;
use crate::{Refusal, Rule, exact};

/// Records in one call.
const BATCH: usize = 64;

/// A column that no function has.
const NO_COLUMN: &str = "no such column";

pub struct Trials<'a> {
    pub component: &'a Component,
    /// What it says about itself.
    pub own: &'a ParseDescription,
    pub limits: Limits,
}

impl Trials<'_> {
    fn described(&self, options: &ParseOptions) -> Cow<'_, ParseDescription> {
        self.own.with_settings(&options.settings)
    }

    /// Its own columns are taken, and an unknown one is refused.
    pub fn options(&self, own: &ParseOptions, trial: &mut Trial<'_>) -> Result<(), Refusal> {
        trial.begin(Rule::Options);
        let mut nothing = Batch::default();
        match self.instance(own, trial)?.parse(&mut nothing) {
            Ok(_) => {}
            Err(CallError::Refused(why)) => {
                let remedy = "it may need settings: give them in `parse-settings` or in a golden vector";
                return Err(trial.refuse(format!("asked for all of its own columns it says: {why}"), remedy));
            }
            Err(error) => return Err(trial.failed(&error, "parse of an empty batch")),
        }
        let mut unknown = own.clone();
        unknown.columns.push(WantedColumn { name: NO_COLUMN.to_owned(), scale: 0 });
        match self.instance(&unknown, trial)?.parse(&mut nothing) {
            Err(CallError::Refused(_)) => Ok(()),
            Err(error) => Err(trial.failed(&error, "parse with an unknown column")),
            Ok(_) => {
                let seen = format!("asked for the column `{NO_COLUMN}` it did not refuse");
                Err(trial.refuse(seen, "answer an unknown column or setting with an error that names it"))
            }
        }
    }

    /// All that holds of answers under one way to ask.
    pub fn answers(
        &self,
        options: &ParseOptions,
        records: &[Option<Vec<u8>>],
        trial: &mut Trial<'_>,
    ) -> Result<(), Refusal> {
        trial.begin(Rule::Contract);
        let mut batches: Vec<Batch> = records.chunks(BATCH).map(input::batch).collect();
        let mut function = self.instance(options, trial)?;
        let mut answers = Vec::with_capacity(batches.len());
        for batch in &mut batches {
            let parsed = self.parse(&mut function, batch, trial)?;
            answer::check(&Asked { description: &self.described(options), options, batch }, &parsed, trial)?;
            answers.push(parsed);
        }
        trial.begin(Rule::Pure);
        for (batch, first) in batches.iter_mut().zip(&answers).rev() {
            self.same(first, &self.parse(&mut function, batch, trial)?, "again, after other records", trial)?;
            let mut fresh = self.instance(options, trial)?;
            self.same(first, &self.parse(&mut fresh, batch, trial)?, "in a new instance", trial)?;
        }
        trial.begin(Rule::Alone);
        for (batch, together) in batches.iter().zip(&answers) {
            self.one_by_one(&mut function, batch, together, trial)?;
        }
        Ok(())
    }

    /// A call of the size that a pipeline makes: time and memory that grow faster than the batch show here.
    pub fn whole_batch(
        &self,
        options: &ParseOptions,
        records: &[Option<Vec<u8>>],
        trial: &mut Trial<'_>,
    ) -> Result<usize, Refusal> {
        trial.begin(Rule::Deadline);
        let mut batch = input::batch(&input::many(records));
        let parsed = self.parse(&mut self.instance(options, trial)?, &mut batch, trial)?;
        answer::check(
            &Asked { description: &self.described(options), options, batch: &batch },
            &parsed,
            trial,
        )?;
        Ok(batch.len())
    }

    fn instance(&self, options: &ParseOptions, trial: &Trial<'_>) -> Result<ParseFunction, Refusal> {
        ParseFunction::new(self.component, self.limits, options.clone())
            .map_err(|error| trial.failed(&error, "describe"))
    }

    /// An error names the first record that causes it alone.
    fn parse(
        &self,
        function: &mut ParseFunction,
        batch: &mut Batch,
        trial: &Trial<'_>,
    ) -> Result<Parsed, Refusal> {
        let error = match function.parse(batch) {
            Ok(parsed) => return Ok(parsed),
            Err(error) => error,
        };
        for record in 0..batch.len() {
            if let Err(error) = function.parse(&mut batch.select([record])) {
                return Err(trial.failed(&error, shown(batch, record)));
            }
        }
        Err(trial.failed(&error, format!("a batch of {} records, of which none does it alone", batch.len())))
    }

    fn same(&self, first: &Parsed, second: &Parsed, when: &str, trial: &Trial<'_>) -> Result<(), Refusal> {
        if exact::parsed(first) == exact::parsed(second) {
            return Ok(());
        }
        let seen = format!("the same batch gave other bytes {when}");
        Err(trial.refuse(seen, "keep nothing between calls, and iterate over nothing in random order"))
    }

    fn one_by_one(
        &self,
        function: &mut ParseFunction,
        batch: &Batch,
        together: &Parsed,
        trial: &Trial<'_>,
    ) -> Result<(), Refusal> {
        for record in 0..batch.len() {
            let mut one = batch.select([record]);
            let alone =
                function.parse(&mut one).map_err(|error| trial.failed(&error, shown(batch, record)))?;
            if said(together, record) != said(&alone, 0) {
                let seen = format!("{} became something else beside others than alone", shown(batch, record));
                let remedy = "read each record by itself: the host cuts batches where it likes";
                return Err(trial.refuse(seen, remedy));
            }
        }
        Ok(())
    }
}

/// What an answer says about one record: its rows, or why it is set apart.
fn said(parsed: &Parsed, record: usize) -> Vec<Vec<u8>> {
    let rows = &parsed.rows;
    let of_record = rows.records.iter().enumerate().filter(|(_, it)| **it as usize == record);
    let mut said: Vec<Vec<u8>> = of_record
        .map(|(row, _)| {
            let mut said = exact::row(&rows.table, row);
            said.extend_from_slice(rows.kinds.entry(rows.kinds.codes[row]));
            said
        })
        .collect();
    for (list, marked) in [("ignored ", &parsed.ignored), ("rejected ", &parsed.rejected)] {
        let reason = marked.iter().find(|(it, _)| *it == record);
        said.extend(reason.map(|(_, reason)| [list, reason].concat().into_bytes()));
    }
    said
}
