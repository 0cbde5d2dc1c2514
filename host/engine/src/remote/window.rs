//! A remote window function: its state lives here, and goes with every call.

use std::collections::BTreeMap;
use std::mem::take;

use tallow_contract::messages::{MAX_BODY_BYTES, State, Step, StepResult, WINDOW, WindowAnswer, WindowCall};

use super::{Remote, message};
use crate::bindings::window_0_1_contract as old;
use crate::contract::WINDOW_0_1;
use crate::{CallError, Output, Part, Report, Rows, Snapshot, Spec, Stats};

type Answer<Report> = WindowAnswer<Part, Report, Output, Stats>;
type Results = Vec<StepResult<Report, Output, Stats>>;

pub(crate) struct RemoteWindows {
    remote: Remote,
    specs: Vec<Spec>,
    /// None until something was answered: the state is empty.
    watermark_us: Option<i64>,
    /// By spec and group, each with the version at which it became so.
    parts: BTreeMap<(u32, u32), (u64, Vec<u8>)>,
    version: u64,
    /// Of the state as it is.
    stats: Option<Vec<Stats>>,
}

impl RemoteWindows {
    /// Empty state. The specs are shown to the function at once.
    pub fn open(remote: Remote, specs: &[Spec]) -> Result<Self, CallError> {
        let specs = specs.to_vec();
        let mut windows =
            Self { remote, specs, watermark_us: None, parts: BTreeMap::new(), version: 0, stats: None };
        windows.run(Vec::new(), None)?;
        Ok(windows)
    }

    pub fn restore(
        remote: Remote,
        specs: &[Spec],
        watermark_us: i64,
        parts: &[Part],
    ) -> Result<Self, CallError> {
        let parts = parts.iter().map(|part| ((part.spec, part.group), (1, part.bytes.clone())));
        let mut windows = Self {
            remote,
            specs: specs.to_vec(),
            watermark_us: Some(watermark_us),
            parts: parts.collect(),
            version: 1,
            stats: None,
        };
        windows.run(Vec::new(), None)?;
        Ok(windows)
    }

    pub fn update(&mut self, rows: &Rows) -> Result<Vec<Report>, CallError> {
        match self.run(vec![Step::Update(rows)], None)?.pop() {
            Some(StepResult::Reports(reports)) => Ok(reports),
            _ => Err(other_than_asked()),
        }
    }

    pub fn advance(&mut self, watermark_us: i64) -> Result<Vec<Output>, CallError> {
        let watermark_us = self.watermark_us.map_or(watermark_us, |before| before.max(watermark_us));
        outputs(self.run(vec![Step::Advance(watermark_us)], Some(watermark_us))?)
    }

    pub fn close_all(&mut self) -> Result<Vec<Output>, CallError> {
        outputs(self.run(vec![Step::CloseAll], None)?)
    }

    /// What is open: an instance that lives for one call has seen all of it change.
    pub fn changed(&mut self) -> Result<Vec<Output>, CallError> {
        outputs(self.run(vec![Step::Changed], None)?)
    }

    pub fn snapshot(&self, since: u64) -> Snapshot {
        let changed = self.parts.iter().filter(|(_, (version, _))| *version > since);
        let part = |(&(spec, group), (_, bytes)): (&(u32, u32), &(u64, Vec<u8>))| Part {
            spec,
            group,
            bytes: bytes.clone(),
        };
        Snapshot { version: self.version, parts: changed.map(part).collect() }
    }

    pub fn stats(&mut self) -> Result<Vec<Stats>, CallError> {
        if self.stats.is_none() {
            self.run(Vec::new(), None)?;
        }
        self.stats.clone().ok_or_else(other_than_asked)
    }

    /// Runs steps, and asks for the counts of the state after them. `watermark_us`: where they lead it.
    fn run(&mut self, steps: Vec<Step<&Rows>>, watermark_us: Option<i64>) -> Result<Results, CallError> {
        let asked = steps.len();
        let steps: Vec<_> = steps.into_iter().chain([Step::Stats]).collect();
        let empty = self.watermark_us.is_none() && self.parts.is_empty();
        let parts = self.parts.iter_mut();
        // Lent for the call, not copied.
        let parts: Vec<Part> =
            parts.map(|(&(spec, group), (_, bytes))| Part { spec, group, bytes: take(bytes) }).collect();
        let state_bytes: u64 = parts.iter().map(|part| part.bytes.len() as u64).sum();
        let state = (!empty).then_some(State { watermark_us: self.watermark_us.unwrap_or(i64::MIN), parts });
        let call = WindowCall { specs: take(&mut self.specs), state, steps };
        let message = message(&call);
        self.specs = call.specs;
        for part in call.state.map(|state| state.parts).unwrap_or_default() {
            if let Some((_, bytes)) = self.parts.get_mut(&(part.spec, part.group)) {
                *bytes = part.bytes;
            }
        }
        let message = message?;
        if message.len() > MAX_BODY_BYTES {
            return Err(CallError::State {
                state_bytes,
                call_bytes: message.len() as u64,
                limit_bytes: MAX_BODY_BYTES as u64,
            });
        }
        let answer = self.answer(message)?;
        let mut results = answer.results;
        match results.pop() {
            Some(StepResult::Stats(stats)) if results.len() == asked => self.stats = Some(stats),
            _ => return Err(other_than_asked()),
        }
        if !answer.changed.is_empty() {
            self.version += 1;
        }
        for part in answer.changed {
            self.parts.insert((part.spec, part.group), (self.version, part.bytes));
        }
        self.watermark_us = watermark_us.or(self.watermark_us);
        Ok(results)
    }

    /// Gateways of the contract before this one say less in a report.
    fn answer(&self, message: Vec<u8>) -> Result<Answer<Report>, CallError> {
        if self.remote.descriptor.function.contract != WINDOW_0_1 {
            return self.remote.call(WINDOW, message);
        }
        let answer: Answer<old::Report> = self.remote.call(WINDOW, message)?;
        let result = |result| match result {
            StepResult::Reports(reports) => {
                StepResult::Reports(reports.into_iter().map(Report::from).collect())
            }
            StepResult::Outputs(outputs) => StepResult::Outputs(outputs),
            StepResult::Stats(stats) => StepResult::Stats(stats),
        };
        let results = answer.results.into_iter().map(result).collect();
        Ok(WindowAnswer { results, changed: answer.changed })
    }
}

fn outputs(mut results: Results) -> Result<Vec<Output>, CallError> {
    match results.pop() {
        Some(StepResult::Outputs(outputs)) => Ok(outputs),
        _ => Err(other_than_asked()),
    }
}

fn other_than_asked() -> CallError {
    CallError::Contract("the gateway answers other steps than were asked for".to_owned())
}
