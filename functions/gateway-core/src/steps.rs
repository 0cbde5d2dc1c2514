//! Steps of a window function from a state on: the one way, whichever form asked for them.

use gateway_messages::{State, Step, StepResult, WindowAnswer, WindowCall};

use crate::contracts::window::{Output, Part, Report, Rows, Spec, Stats};
use crate::functions::{Functions, Windows};
use crate::http::Refused;
use crate::limits;

pub type Call = WindowCall<Spec, Part, Rows>;
pub type Answer = WindowAnswer<Part, Report, Output, Stats>;

/// The results, and the parts of the state that are other than those of the call. The inner error is the function's.
pub fn run<F: Functions>(functions: &F, call: &Call) -> Result<Result<Answer, String>, Refused> {
    limits::specs(&call.specs)?;
    let rows = |step: &Step<Rows>| match step {
        Step::Update(rows) => u64::from(rows.table.rows),
        _ => 0,
    };
    limits::steps(&call.specs, call.steps.len(), call.steps.iter().map(rows).sum())?;
    Ok(steps(functions, call))
}

fn steps<F: Functions>(functions: &F, call: &Call) -> Result<Answer, String> {
    let windows = match &call.state {
        None => functions.open(&call.specs)?,
        Some(State { watermark_us, parts }) => functions.restore(&call.specs, *watermark_us, parts)?,
    };
    let begin = match call.state {
        None => 0,
        Some(_) => windows.snapshot(u64::MAX).version,
    };
    let results = call.steps.iter().map(|step| {
        Ok(match step {
            Step::Update(rows) => StepResult::Reports(windows.update(rows)?),
            Step::Advance(watermark_us) => StepResult::Outputs(windows.advance(*watermark_us)?),
            Step::CloseAll => StepResult::Outputs(windows.close_all()?),
            Step::Changed => StepResult::Outputs(windows.changed()),
            Step::Stats => StepResult::Stats(windows.stats()),
        })
    });
    let results = results.collect::<Result<Vec<_>, String>>()?;
    Ok(WindowAnswer { results, changed: windows.snapshot(begin).parts })
}
