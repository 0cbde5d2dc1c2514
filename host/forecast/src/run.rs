//! A whole run on one screen: series, settings, fits, files, and the record that lists it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tallow_store::{Digest, Store};

use crate::checks;
use crate::error::ForecastError;
use crate::fits::Fitting;
use crate::input::Input;
use crate::kept::Kept;
use crate::model::Functions;
use crate::results;
use crate::runs::{self, RunRecord};
use crate::series::{Flaw, Series};
use crate::settings::Settings;
use crate::study::{self, Study};
use crate::studying::{Event, Studying, Watch};

/// Everything that a forecast touches.
pub struct Forecaster {
    pub settings: Settings,
    pub functions: Functions,
    pub store: Store,
    /// Fits side by side.
    pub threads: usize,
    /// Set from outside: no further fit is begun.
    pub stop: Arc<AtomicBool>,
}

/// What a run did.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A run has this already. `newest`: whether it is the one that counts.
    Nothing {
        run: u64,
        newest: bool,
    },
    Done(Box<Done>),
}

#[derive(Clone, Debug)]
pub struct Done {
    pub record: RunRecord,
    pub studies: Vec<Study>,
    /// Symbols without a forecast, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// Numbers of runs that were begun and never finished.
    pub unfinished: Vec<u64>,
}

/// A series that can be forecast, and what people should know of it.
type Sound = (Series, Vec<String>);

impl Forecaster {
    /// `again`: even if a run has the same.
    pub fn run(&self, inputs: &[Input], again: bool, watch: Watch<'_>) -> Result<Outcome, ForecastError> {
        let Settings { name, function, .. } = &self.settings;
        let described = checks::check(&self.settings, &self.functions)?;
        let least = described.least_rows as usize;
        let (sound, flawed) = self.series(inputs, least);
        if sound.is_empty() {
            return Err(ForecastError::Flawed(flawed));
        }
        let plan = self.plan(&sound, &flawed);
        let address = Digest::of(plan.to_string().as_bytes());
        let known = runs::list(&self.store, name)?;
        let kept = Kept { store: &self.store, name };
        if !again && let Some(found) = known.iter().rfind(|record| record.address == address) {
            let newest = known.last().is_some_and(|last| last.results == found.results);
            kept.clear()?;
            return Ok(Outcome::Nothing { run: found.run, newest });
        }
        let (number, unfinished) = runs::claim(&self.store, name, &known, &plan)?;
        let mut left_out: Vec<(String, String)> =
            flawed.into_iter().map(|(symbol, flaw)| (symbol, flaw.to_string())).collect();
        let studies = self.studies(sound, least, number, kept, &mut left_out, watch)?;
        let Some(first) = studies.first() else {
            let why =
                left_out.into_iter().map(|(symbol, why)| format!("{symbol}: {why}")).collect::<Vec<_>>();
            return Err(ForecastError::Fit { symbol: "every symbol".to_owned(), why: why.join("; ") });
        };
        results::write_run(&self.store, number, &studies, &left_out, &self.settings)?;
        let record = RunRecord {
            run: number,
            results: number,
            address,
            function: function.clone(),
            verdict: first.verdict.clone(),
            symbols: studies.iter().map(|it| (it.series.symbol.clone(), it.verdict.clone())).collect(),
            left_out: left_out.iter().cloned().collect::<BTreeMap<_, _>>(),
        };
        if !runs::write_record(&self.store, name, &record)? {
            return Err(ForecastError::Taken { run: number });
        }
        kept.clear()?;
        Ok(Outcome::Done(Box::new(Done { record, studies, left_out, unfinished })))
    }

    /// The series that can be forecast, and why others cannot.
    fn series(&self, inputs: &[Input], least: usize) -> (Vec<Sound>, Vec<(String, Flaw)>) {
        let Settings { step_us, horizon, log, .. } = self.settings;
        let train = self.settings.least_train(least);
        let sound = |input: &Input| -> Result<Sound, Flaw> {
            let (series, remarks) = Series::of_points(&input.symbol, &input.points, step_us)?;
            series.check_length(train + horizon, || {
                format!("{train} to learn from, and {horizon} to be judged by")
            })?;
            if log {
                series.check_positive()?;
            }
            Ok((series, input.remarks.iter().cloned().chain(remarks).collect()))
        };
        let (mut series, mut flawed) = (Vec::new(), Vec::new());
        for input in inputs {
            match sound(input) {
                Ok(found) => series.push(found),
                Err(flaw) => flawed.push((input.symbol.clone(), flaw)),
            }
        }
        (series, flawed)
    }

    /// All that the results follow from.
    fn plan(&self, sound: &[Sound], flawed: &[(String, Flaw)]) -> serde_json::Value {
        let series: BTreeMap<&str, Digest> =
            sound.iter().map(|(series, _)| (series.symbol.as_str(), series.digest())).collect();
        let remarks: BTreeMap<&str, &Vec<String>> =
            sound.iter().map(|(series, remarks)| (series.symbol.as_str(), remarks)).collect();
        let flawed: BTreeMap<&str, String> =
            flawed.iter().map(|(symbol, flaw)| (symbol.as_str(), flaw.to_string())).collect();
        json!({
            "format": 1,
            "settings": self.settings,
            "functions": { "model": self.functions.model.digest(), "naive": self.functions.naive.digest() },
            "series": series,
            "remarks": remarks,
            "left_out": flawed,
        })
    }

    fn studies(
        &self,
        sound: Vec<Sound>,
        least: usize,
        number: u64,
        kept: Kept<'_>,
        left_out: &mut Vec<(String, String)>,
        watch: Watch<'_>,
    ) -> Result<Vec<Study>, ForecastError> {
        let fitting = Fitting {
            settings: &self.settings,
            functions: &self.functions,
            kept,
            threads: self.threads,
            stop: &self.stop,
        };
        let all = sound.iter().map(|(series, _)| study::count(&fitting, series, least)).sum();
        let mut studying = Studying { fitting, least, done: 0, all, watch };
        let mut studies = Vec::new();
        for (series, remarks) in sound {
            let symbol = series.symbol.clone();
            match studying.study(series, remarks) {
                Ok(study) => {
                    results::write(&self.store, number, &study, &self.settings)?;
                    studies.push(study);
                }
                Err(ForecastError::Fit { symbol, why }) => {
                    (studying.watch)(Event::Failed { symbol: symbol.clone(), text: why.clone() });
                    left_out.push((symbol, why));
                }
                Err(error) => return Err(error),
            }
            if self.stop.load(Ordering::Relaxed) {
                tracing::debug!(symbol, "stopped after a symbol");
                return Err(ForecastError::Stopped { kept: studying.done, all });
            }
        }
        Ok(studies)
    }
}
