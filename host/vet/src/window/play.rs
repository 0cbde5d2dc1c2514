//! Takes phases of rows through a function, and looks at every answer.

use tallow_engine::{CallError, Output, Report, WindowFunction};

use super::case::Case;
use super::closing::Closing;
use super::ledger::Ledger;
use super::rows::{self, Phase};
use crate::refusal::Trial;
use crate::{Refusal, exact};

/// How the rows of a phase come.
#[derive(Clone, Copy)]
pub struct Manner {
    pub shuffled: bool,
    /// Rows in one call.
    pub call: usize,
}

impl Manner {
    pub const PLAIN: Self = Self { shuffled: false, call: 50 };
    pub const OTHER: Self = Self { shuffled: true, call: 17 };
}

/// What came of a phase.
#[derive(Default, PartialEq, Eq)]
pub struct Played {
    /// Reports and closed windows exactly as they came.
    pub exactly: Vec<u8>,
    /// The closed windows by what they say, with their spec.
    pub closed: Vec<(u32, Vec<u8>)>,
    /// Per spec: taken, invalid, accepted, untracked, late, duplicate, conflict.
    pub counts: Vec<[u64; 7]>,
}

/// A function under trial, and the ledger over what it was given.
pub struct Player<'a> {
    pub function: WindowFunction,
    case: &'a Case,
    ledger: Option<Ledger<'a>>,
    closing: Closing<'a>,
}

impl<'a> Player<'a> {
    /// From an empty state: its ledger is complete.
    pub fn opened(function: WindowFunction, case: &'a Case) -> Self {
        let ledger = Some(Ledger::new(&case.specs));
        Self { function, case, ledger, closing: Closing::new(&case.specs, i64::MIN) }
    }

    /// From a snapshot under a watermark: what was accepted before is not known.
    pub fn restored(function: WindowFunction, case: &'a Case, watermark_us: i64) -> Self {
        Self { function, case, ledger: None, closing: Closing::new(&case.specs, watermark_us) }
    }

    pub fn phase(&mut self, phase: &Phase, manner: Manner, trial: &Trial<'_>) -> Result<Played, Refusal> {
        let mut played = Played { counts: vec![[0; 7]; self.case.specs.len()], ..Played::default() };
        let values = if manner.shuffled { rows::shuffled(&phase.rows) } else { phase.rows.clone() };
        for values in values.chunks(manner.call) {
            let rows = rows::rows(self.case, values).map_err(|error| {
                trial.refuse(error, "a row that was made for the purpose is wrong: report it")
            })?;
            let reports =
                self.function.update(&rows).map_err(|error| self.failed(trial, &error, "update"))?;
            if let Some(ledger) = &mut self.ledger {
                ledger.update(&rows, &reports, trial)?;
            }
            self.closing.update(&rows);
            played.exactly.extend(exact::bytes(&reports));
            add(&mut played.counts, &reports);
        }
        let outputs = self
            .function
            .advance(phase.watermark_us)
            .map_err(|error| self.failed(trial, &error, "advance"))?;
        self.closing.advance(&outputs, phase.watermark_us, trial)?;
        if let Some(ledger) = &mut self.ledger {
            let stats = self.function.stats().map_err(|error| trial.failed(&error, "stats"))?;
            ledger.advance(&outputs, &stats, trial)?;
        }
        played.keep(&outputs);
        Ok(played)
    }

    /// All phases, the windows that are left, and the state at the end.
    pub fn all(
        &mut self,
        phases: &[Phase],
        manner: Manner,
        trial: &Trial<'_>,
    ) -> Result<Vec<Played>, Refusal> {
        let mut played =
            phases.iter().map(|phase| self.phase(phase, manner, trial)).collect::<Result<Vec<_>, _>>()?;
        let changed = self.function.changed().map_err(|error| self.failed(trial, &error, "changed"))?;
        self.closing.shown(&changed, trial)?;
        let left = self.function.close_all().map_err(|error| self.failed(trial, &error, "close-all"))?;
        self.closing.shown(&left, trial)?;
        let mut rest = Played::default();
        rest.keep(&left);
        played.push(rest);
        Ok(played)
    }

    fn failed(&self, trial: &Trial<'_>, error: &CallError, call: &str) -> Refusal {
        trial.failed(error, format!("{call}, with the windows `{}`", self.case.name))
    }
}

impl Played {
    fn keep(&mut self, outputs: &[Output]) {
        self.exactly.extend(exact::bytes(&outputs));
        self.closed.extend(exact::rows(outputs));
    }
}

fn add(counts: &mut [[u64; 7]], reports: &[Report]) {
    for (counts, report) in counts.iter_mut().zip(reports) {
        let now = [
            report.taken,
            report.invalid.len() as u64,
            report.accepted,
            report.untracked,
            report.late,
            report.duplicate,
            report.conflict,
        ];
        counts.iter_mut().zip(now).for_each(|(sum, count)| *sum += count);
    }
}
