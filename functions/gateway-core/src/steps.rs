//! Steps of a window function from a state on: the one way, whichever form asked for them.

use tallow_contract::messages::{State, Step, StepResult, WindowAnswer, WindowCall};

use crate::contracts::window::{
    Output, OutputPiece, Part, Portion, Report, Rows, SnapshotPiece, Spec, Stats, Windows,
};
use crate::http::Refused;
use crate::limits;

pub type Call = WindowCall<Spec, Part, Rows>;
pub type Answer = WindowAnswer<Part, Report, Output, Stats>;

/// The results, and the parts of the state that are other than those of the call. The inner error is the function's.
pub fn run(call: &Call) -> Result<Result<Answer, String>, Refused> {
    limits::specs(&call.specs)?;
    let rows = |step: &Step<Rows>| match step {
        Step::Update(rows) => u64::from(rows.table.rows),
        _ => 0,
    };
    limits::steps(&call.specs, call.steps.len(), call.steps.iter().map(rows).sum())?;
    Ok(steps(call))
}

fn steps(call: &Call) -> Result<Answer, String> {
    let windows = match &call.state {
        None => Windows::open(&call.specs)?,
        Some(State { watermark_us, parts }) => {
            let windows = Windows::restore(&call.specs, *watermark_us)?;
            windows.load(parts)?;
            windows
        }
    };
    let begin = match call.state {
        None => 0,
        Some(_) => snapshot(&windows, u64::MAX)?.0,
    };
    let results = call.steps.iter().map(|step| {
        Ok(match step {
            Step::Update(rows) => StepResult::Reports(windows.update(rows)?),
            Step::Advance(watermark_us) => {
                StepResult::Outputs(all(|| windows.advance(*watermark_us, WHOLE))?)
            }
            Step::CloseAll => StepResult::Outputs(all(|| windows.close_all(WHOLE))?),
            Step::Changed => StepResult::Outputs(all(|| windows.changed(WHOLE))?),
            Step::Stats => StepResult::Stats(windows.stats()),
        })
    });
    let results = results.collect::<Result<Vec<_>, String>>()?;
    Ok(WindowAnswer { results, changed: snapshot(&windows, begin)?.1 })
}

/// A request's state is small: its pieces may be as large as it is.
const WHOLE: Portion = Portion { windows: u32::MAX, bytes: u64::MAX };

fn all(piece: impl Fn() -> Result<OutputPiece, String>) -> Result<Vec<Output>, String> {
    let mut outputs = Vec::new();
    loop {
        let OutputPiece { outputs: given, more } = piece()?;
        outputs.extend(given);
        if !more {
            return Ok(outputs);
        }
    }
}

/// The version, and the parts that changed after `since`.
fn snapshot(windows: &Windows, since: u64) -> Result<(u64, Vec<Part>), String> {
    let mut parts: Vec<Part> = Vec::new();
    loop {
        let SnapshotPiece { version, parts: given, more } = windows.snapshot(since, u64::MAX)?;
        for piece in given {
            match parts.last_mut().filter(|last| (last.spec, last.group) == (piece.spec, piece.group)) {
                Some(last) => last.bytes.extend_from_slice(&piece.bytes),
                None => parts.push(piece),
            }
        }
        if !more {
            return Ok((version, parts));
        }
    }
}
