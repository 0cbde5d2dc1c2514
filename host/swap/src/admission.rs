//! A candidate's way into a running pipeline: vetted, rehearsed on a copy of the state, kept in the lake, then shadowed
//! or swapped in. All of it but the swap itself happens beside the pipeline.

use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{RecvTimeoutError, bounded};
use tallow_log::record::{Mode, Role};
use tallow_pipeline::functions::{Functions, contract, state_version};
use tallow_pipeline::hooks::{Outcome, Swap};
use tallow_worker::StateCopy;
use tallow_worker::library::Card;

use crate::candidate::{Candidate, Terms, Vet};
use crate::error::SwapError;
use crate::hot_swap::Target;
use crate::rehearse;

/// How much longer than in the rehearsal the state handover may take, and its shortest limit. The pipeline waits for it.
const SLACK: u32 = 4;
const SHORTEST: Duration = Duration::from_millis(100);
/// An epoch's end comes about as often as the manifest says; a pipeline that waits for a service has none.
const LONGEST_EPOCHS: u32 = 20;
const LONGEST: Duration = Duration::from_secs(60);

/// The role that a function of the manifest has in a pipeline.
pub fn role_of(target: &Target, name: &str) -> Result<Role, SwapError> {
    let (parse, window) = (&target.services.plan.pipeline.parse, &target.services.plan.window_function);
    match name {
        _ if name == parse => Ok(Role::Parse),
        _ if name == window => Ok(Role::Window),
        _ => Err(SwapError::NoFunction {
            pipeline: target.services.plan.name().to_owned(),
            name: name.to_owned(),
            parse: parse.clone(),
            window: window.clone(),
        }),
    }
}

/// Vets a candidate for the function `name`, and keeps it in the lake.
pub fn vetted(
    target: &Target,
    vet: &Vet,
    name: &str,
    bytes: Bytes,
    origin: String,
) -> Result<Candidate, SwapError> {
    let role = role_of(target, name)?;
    let component = vet(name, &bytes, contract(role))?;
    let services = &target.services;
    services.library.keep(bytes, &Card::new(&component, origin.clone(), services.clock.now_us()))?;
    Candidate::new(services.plan.limits, role, component, &origin)
}

/// What runs now.
pub fn running(target: &Target) -> Result<Functions, SwapError> {
    target.swap.running().ok_or_else(|| SwapError::NotStarted(target.services.plan.name().to_owned()))
}

/// Swaps the candidate in at the next epoch's end, after a rehearsal on the state as it is.
pub fn swap(target: &Target, candidate: &Candidate, terms: &Terms) -> Result<Outcome, SwapError> {
    let running = running(target)?;
    let ours = candidate.component.digest();
    if running.get(candidate.role).digest() == ours {
        return Err(SwapError::Running(ours));
    }
    if target.swap.probation.is_on() {
        return Err(SwapError::OnProbation);
    }
    let manifest = &target.services.plan.pipeline.swap;
    let mode = terms.mode.unwrap_or(match manifest.mode {
        tallow_manifest::SwapMode::Hold => Mode::Hold,
        tallow_manifest::SwapMode::Publish => Mode::Publish,
    });
    if mode == Mode::Publish && target.services.plan.pipeline.rekey.is_some() {
        return Err(SwapError::Rekeyed);
    }
    let epochs = terms.probation_epochs.unwrap_or(manifest.probation_epochs);
    if mode == Mode::Hold && epochs > 0 {
        retention_outlasts(target, epochs)?;
    }
    let deadline = rehearsed(target, candidate, &running)?;
    let (reply, outcome) = bounded(1);
    let swap = Swap {
        role: candidate.role,
        component: candidate.component.clone(),
        state_version: candidate.state_version,
        mode,
        epochs,
        deadline,
        why: terms.why.clone(),
        reply,
    };
    if !target.swap.requests.ask_swap(swap) {
        return Err(SwapError::Waiting);
    }
    outcome.recv_timeout(patience(target)).map_err(|error| no_answer(target, error))
}

/// The deadline for the calls that take the state over.
fn rehearsed(target: &Target, candidate: &Candidate, running: &Functions) -> Result<Duration, SwapError> {
    let plan = &target.services.plan;
    if candidate.role == Role::Parse {
        rehearse::parse(&candidate.component, plan, target.services.reads_headers)?;
        return Ok(plan.limits.deadline);
    }
    let version = state_version(plan.limits, &running.window)?;
    let state = state_copy(target)?;
    let rehearsed = rehearse::window(&candidate.component, plan, version, &state, &*target.services.clock)?;
    Ok((rehearsed.took * SLACK).max(SHORTEST).min(plan.limits.deadline))
}

fn state_copy(target: &Target) -> Result<StateCopy, SwapError> {
    let (reply, copy) = bounded(1);
    target.swap.requests.ask_copy(reply);
    copy.recv_timeout(patience(target)).map_err(|error| no_answer(target, error))
}

fn patience(target: &Target) -> Duration {
    (target.services.plan.pipeline.epoch.interval * LONGEST_EPOCHS).max(LONGEST)
}

fn no_answer(target: &Target, error: RecvTimeoutError) -> SwapError {
    let pipeline = target.services.plan.name().to_owned();
    match error {
        RecvTimeoutError::Timeout => SwapError::NoEpoch { pipeline, after_s: patience(target).as_secs() },
        RecvTimeoutError::Disconnected => SwapError::RunEnded(pipeline),
    }
}

/// Results that are held are made again from the topic where they are rolled back: its records must not be gone by then.
fn retention_outlasts(target: &Target, epochs: u32) -> Result<(), SwapError> {
    /// Epochs may come slower than the interval says, and a person may look at it first.
    const MARGIN: u32 = 10;
    let needed = target.services.plan.pipeline.epoch.interval * epochs * MARGIN;
    match target.services.source.retention() {
        Ok(Some(kept)) if kept < needed => {
            let (kept_s, needed_s) = (kept.as_secs(), needed.as_secs());
            Err(SwapError::Retention { kept_s, epochs, needed_s })
        }
        Ok(_) => Ok(()),
        Err(error) => {
            // A rollback that finds records gone stops with the exact offsets: nothing is lost in silence.
            tracing::warn!(pipeline = target.services.plan.name(), %error, "how long the topic keeps its records is not known");
            Ok(())
        }
    }
}
