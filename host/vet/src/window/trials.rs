//! The same rows again, in another order, and rows that break careless functions.

use serde_json::{Value, json};
use tallow_engine::{CallError, Component, Limits, WindowFunction};

use super::case::Case;
use super::play::{Manner, Played, Player};
use super::rows;
use crate::refusal::Trial;
use crate::{Refusal, Rule};

pub struct Trials<'a> {
    pub component: &'a Component,
    pub limits: Limits,
    pub case: &'a Case,
}

impl<'a> Trials<'a> {
    /// Whether it opens the windows. Those that were not asked for may be refused, and so may their rows.
    pub fn opens(&self, trial: &mut Trial<'_>) -> Result<bool, Refusal> {
        trial.begin(Rule::Specs);
        let name = &self.case.name;
        let mut function = match self.open() {
            Ok(function) => function,
            Err(CallError::Refused(_)) if !self.case.asked_for => return Ok(false),
            Err(error) => return Err(self.refused(trial, &error, "open", name)),
        };
        let Ok(rows) = rows::rows(self.case, &rows::phases(self.case)[0].rows) else { return Ok(false) };
        match function.update(&rows) {
            Ok(_) => Ok(true),
            Err(CallError::Refused(_)) if !self.case.asked_for => Ok(false),
            Err(error) => Err(self.refused(trial, &error, "update", name)),
        }
    }

    fn refused(&self, trial: &Trial<'_>, error: &CallError, call: &str, name: &str) -> Refusal {
        let during = format!("{call}, with the windows `{name}`");
        match error {
            CallError::Refused(why) => {
                let seen = format!("{during}: it says: {why}");
                trial.refuse(seen, "a pipeline with these windows cannot run it: mend one or the other")
            }
            other => trial.failed(other, during),
        }
    }

    /// The same again, and in another order.
    pub fn plays(&self, trial: &mut Trial<'_>) -> Result<(), Refusal> {
        let phases = rows::phases(self.case);
        trial.begin(Rule::Contract);
        let first = self.player(trial)?.all(&phases, Manner::PLAIN, trial)?;
        trial.begin(Rule::Pure);
        let again = self.player(trial)?.all(&phases, Manner::PLAIN, trial)?;
        if first.iter().zip(&again).any(|(first, again)| first.exactly != again.exactly) {
            let seen = format!(
                "the same rows gave other bytes in a new instance, with the windows `{}`",
                self.case.name
            );
            return Err(trial.refuse(seen, "iterate over nothing in random order"));
        }
        trial.begin(Rule::Order);
        let other = self.player(trial)?.all(&phases, Manner::OTHER, trial)?;
        if let Some(seen) = differ(&first, &other) {
            let seen =
                format!("{seen} when the rows came in another order, with the windows `{}`", self.case.name);
            let remedy = "let first and last go by event time, id and place, not by what came first";
            return Err(trial.refuse(seen, remedy));
        }
        Ok(())
    }

    /// Whatever comes is answered, if only with an error.
    pub fn odd_rows(&self, trial: &mut Trial<'_>) -> Result<(), Refusal> {
        trial.begin(Rule::Trap);
        let mut player = self.player(trial)?;
        let mut answer = |rows: &tallow_engine::Rows, of: &str| match player.function.update(rows) {
            Ok(_) | Err(CallError::Refused(_)) => Ok(()),
            Err(error) => Err(trial.failed(&error, format!("update with {of}"))),
        };
        let phases = rows::phases(self.case);
        let some = &phases[0].rows[..8];
        for (of, values) in [("no rows", Vec::new()), ("nulls", some.iter().map(nulled).collect())] {
            if let Ok(rows) = rows::rows(self.case, &values) {
                answer(&rows, of)?;
            }
        }
        for time_us in [i64::MIN, i64::MIN + 1, -1, 0, 1 << 61, i64::MAX - 1, i64::MAX] {
            let timed = |row: &Value| {
                let mut row = row.clone();
                self.case.specs.iter().for_each(|spec| row[&spec.time] = json!(time_us));
                row
            };
            if let Ok(rows) = rows::rows(self.case, &some.iter().map(timed).collect::<Vec<_>>()) {
                answer(&rows, &format!("an event time of {time_us} µs"))?;
            }
        }
        if let Ok(mut rows) = rows::rows(self.case, some) {
            rows.table.columns.clear();
            answer(&rows, "none of the columns")?;
        }
        for watermark_us in [i64::MIN, 0, i64::MAX] {
            match player.function.advance(watermark_us) {
                Ok(_) | Err(CallError::Refused(_)) => {}
                Err(error) => return Err(trial.failed(&error, format!("advance to {watermark_us} µs"))),
            }
        }
        Ok(())
    }

    pub fn open(&self) -> Result<WindowFunction, CallError> {
        WindowFunction::open(self.component, self.limits, &self.case.specs)
    }

    pub fn player(&self, trial: &Trial<'_>) -> Result<Player<'a>, Refusal> {
        let function = self.open().map_err(|error| trial.failed(&error, "open"))?;
        Ok(Player::opened(function, self.case))
    }
}

/// How two plays of the same rows differ, if they do.
pub fn differ(left: &[Played], right: &[Played]) -> Option<String> {
    left.iter().zip(right).enumerate().find_map(|(phase, (left, right))| {
        if left.counts != right.counts {
            return Some(format!("reports of phase {phase} differ"));
        }
        if left.closed == right.closed {
            return None;
        }
        let same = left.closed.iter().zip(&right.closed).take_while(|(left, right)| left == right).count();
        let rows = (left.closed.len(), right.closed.len());
        Some(format!("windows of phase {phase} differ from row {same} on ({} and {} rows)", rows.0, rows.1))
    })
}

/// A row without any value.
fn nulled(row: &Value) -> Value {
    json!({ "kind": row["kind"], "topic": row["topic"], "partition": row["partition"], "offset": row["offset"] })
}
