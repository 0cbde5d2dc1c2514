//! Tries a candidate before it is swapped in: does it start with the pipeline's options, read the present state, and save
//! it again? All of it happens beside the pipeline, on a copy.

use std::time::Duration;

use tallow_engine::{Component, ParseFunction, Part, WindowFunction};
use tallow_env::Clock;
use tallow_record::Batch;

use crate::error::SwapError;
use tallow_pipeline::state_handover;
use tallow_worker::StateCopy;
use tallow_worker::plan::Plan;

/// How long taking the state over took in the rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    pub took: Duration,
}

/// `running_headers`: whether the source reads headers now.
pub fn parse(candidate: &Component, plan: &Plan, running_headers: bool) -> Result<(), SwapError> {
    let mut function =
        ParseFunction::new(candidate, plan.limits, plan.parse_options.clone()).map_err(SwapError::Start)?;
    if function.description().wants_headers && !running_headers {
        return Err(SwapError::WantsHeaders);
    }
    // An empty batch is refused where the options are: unknown kinds, columns or settings.
    function.parse(&mut Batch::default()).map(drop).map_err(SwapError::Options)
}

/// `version`: of the state that the running function writes.
pub fn window(
    candidate: &Component,
    plan: &Plan,
    version: u32,
    state: &StateCopy,
    clock: &dyn Clock,
) -> Result<Rehearsed, SwapError> {
    let limits = plan.limits;
    let reads = WindowFunction::describe(candidate, limits).map_err(SwapError::Start)?.reads_state_versions;
    if !reads.contains(&version) {
        return Err(SwapError::StateVersion { reads, writes: version });
    }
    let begun = clock.ticks();
    let (mut function, parts) = state_handover::hand_over(candidate, plan, limits, state)?;
    let took = clock.ticks().since(begun);
    let held = state_handover::open_assignments(&mut function)?;

    let again = StateCopy { parts: parts.clone(), watermark_us: state.watermark_us };
    let (mut second, parts_again) = state_handover::hand_over(candidate, plan, limits, &again)?;
    if !same_parts(&parts, &parts_again) {
        return Err(SwapError::Unstable);
    }
    if state_handover::open_assignments(&mut second)? != held {
        return Err(SwapError::LosesRows);
    }
    Ok(Rehearsed { took })
}

fn same_parts(left: &[Part], right: &[Part]) -> bool {
    let sorted = |parts: &[Part]| {
        let mut sorted: Vec<_> =
            parts.iter().map(|part| (part.spec, part.group, part.bytes.clone())).collect();
        sorted.sort();
        sorted
    };
    sorted(left) == sorted(right)
}
