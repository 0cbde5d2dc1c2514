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
use crate::hot_swap::Target;
use crate::rehearse;

/// How much longer than in the rehearsal taking the state over may last, and how short that never is. The pipeline
/// stands still for it.
const SLACK: u32 = 4;
const SHORTEST: Duration = Duration::from_millis(100);
/// An epoch's end comes about as often as the manifest says; a pipeline that waits for a service has none.
const LONGEST_EPOCHS: u32 = 20;
const LONGEST: Duration = Duration::from_secs(60);

/// The role that a function of the manifest has in a pipeline.
pub fn role_of(target: &Target, name: &str) -> Result<Role, String> {
    let (parse, window) = (&target.services.plan.pipeline.parse, &target.services.plan.window_function);
    match name {
        _ if name == parse => Ok(Role::Parse),
        _ if name == window => Ok(Role::Window),
        _ => Err(format!(
            "pipeline `{}` has no function `{name}`; it has {parse} (parse) and {window} (window)",
            target.services.plan.name()
        )),
    }
}

/// Vets a candidate for the function `name`, and keeps it in the lake.
pub fn vetted(
    target: &Target,
    vet: &Vet,
    name: &str,
    bytes: Bytes,
    origin: String,
) -> Result<Candidate, String> {
    let role = role_of(target, name)?;
    let component = vet(name, &bytes, contract(role))?;
    let services = &target.services;
    let card = Card::new(&component, origin.clone(), services.clock.now_us());
    services.library.keep(bytes, &card).map_err(|error| error.to_string())?;
    Candidate::new(services.plan.limits, role, component, &origin).map_err(|error| error.to_string())
}

/// What runs now.
pub fn running(target: &Target) -> Result<Functions, String> {
    target
        .swap
        .running()
        .ok_or_else(|| format!("pipeline `{}` has not started yet", target.services.plan.name()))
}

/// Swaps the candidate in at the next epoch's end, after a rehearsal on the state as it is.
pub fn swap(target: &Target, candidate: &Candidate, terms: &Terms) -> Result<Outcome, String> {
    let running = running(target)?;
    let ours = candidate.component.digest();
    if running.get(candidate.role).digest() == ours {
        return Err(format!("sha256 {ours} is what runs already"));
    }
    if target.swap.probation.is_on() {
        return Err(
            "a function is on probation: one swap at a time. Wait for its end, or roll it back".to_owned()
        );
    }
    let manifest = &target.services.plan.pipeline.swap;
    let mode = terms.mode.unwrap_or(match manifest.mode {
        tallow_manifest::SwapMode::Hold => Mode::Hold,
        tallow_manifest::SwapMode::Publish => Mode::Publish,
    });
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
        return Err("another swap is waiting for the epoch's end".to_owned());
    }
    outcome.recv_timeout(patience(target)).map_err(|error| no_answer(target, error))
}

/// The deadline for the calls that take the state over.
fn rehearsed(target: &Target, candidate: &Candidate, running: &Functions) -> Result<Duration, String> {
    let plan = &target.services.plan;
    if candidate.role == Role::Parse {
        rehearse::parse(&candidate.component, plan, target.services.reads_headers)?;
        return Ok(plan.limits.deadline);
    }
    let version =
        state_version(target.services.plan.limits, &running.window).map_err(|error| error.to_string())?;
    let state = state_copy(target)?;
    let rehearsed = rehearse::window(&candidate.component, plan, version, &state, &*target.services.clock)?;
    Ok((rehearsed.took * SLACK).max(SHORTEST).min(plan.limits.deadline))
}

fn state_copy(target: &Target) -> Result<StateCopy, String> {
    let (reply, copy) = bounded(1);
    target.swap.requests.ask_copy(reply);
    copy.recv_timeout(patience(target)).map_err(|error| no_answer(target, error))
}

fn patience(target: &Target) -> Duration {
    (target.services.plan.pipeline.epoch.interval * LONGEST_EPOCHS).max(LONGEST)
}

fn no_answer(target: &Target, error: RecvTimeoutError) -> String {
    let pipeline = target.services.plan.name();
    match error {
        RecvTimeoutError::Timeout => format!(
            "pipeline `{pipeline}` has come to no end of an epoch in {} s: it may wait for a service (see its log)",
            patience(target).as_secs()
        ),
        RecvTimeoutError::Disconnected => {
            format!(
                "pipeline `{pipeline}` stopped, or started again from its last commit; nothing was swapped"
            )
        }
    }
}

/// Results that are held are made again from the topic where they are rolled back: its records must not be gone by then.
fn retention_outlasts(target: &Target, epochs: u32) -> Result<(), String> {
    /// Epochs may come slower than the interval says, and a person may look at it first.
    const MARGIN: u32 = 10;
    let needed = target.services.plan.pipeline.epoch.interval * epochs * MARGIN;
    match target.services.source.retention() {
        Ok(Some(retention)) if retention < needed => Err(format!(
            "the topic keeps records for {} s, and a rollback after {epochs} epochs of probation may need those of the \
             last {} s: raise the topic's retention, ask for a shorter probation, or swap in mode `publish`",
            retention.as_secs(),
            needed.as_secs()
        )),
        Ok(_) => Ok(()),
        Err(error) => {
            // A rollback that finds records gone stops with the exact offsets: nothing is lost in silence.
            tracing::warn!(pipeline = target.services.plan.name(), %error, "how long the topic keeps its records is not known");
            Ok(())
        }
    }
}
