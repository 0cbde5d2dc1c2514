//! A candidate's way into a running pipeline: vetted, rehearsed on a copy of the state, kept in the lake, then shadowed
//! or swapped in. All of it but the swap itself happens beside the pipeline.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{RecvTimeoutError, bounded};
use tallow_engine::{Component, Contract};
use tallow_log::record::{Mode, Role};

use super::desk::{Outcome, StateCopy, Swap};
use super::functions::{Functions, contract, digest, state_version};
use super::library::Card;
use super::rehearse;
use crate::error::PipelineError;
use crate::pipeline::Wiring;

/// How much longer than in the rehearsal taking the state over may last, and how short that never is. The pipeline
/// stands still for it.
const SLACK: u32 = 4;
const SHORTEST: Duration = Duration::from_millis(100);
/// An epoch's end comes about as often as the manifest says; a pipeline that waits for a service has none.
const LONGEST_EPOCHS: u32 = 20;
const LONGEST: Duration = Duration::from_secs(60);

/// Compiles and vets a component's bytes. The error says which rule is broken and what to do.
pub type Vet = dyn Fn(&str, &[u8], Contract) -> Result<Component, String> + Send + Sync;

#[derive(Clone)]
pub struct Candidate {
    pub role: Role,
    pub component: Arc<Component>,
    pub origin: String,
    state_version: Option<u32>,
}

impl Candidate {
    /// A component that has been vetted.
    pub fn new(
        wiring: &Wiring,
        role: Role,
        component: Component,
        origin: &str,
    ) -> Result<Self, PipelineError> {
        let state_version = match role {
            Role::Parse => None,
            Role::Window => Some(state_version(wiring, &component)?),
        };
        Ok(Self { role, component: Arc::new(component), origin: origin.to_owned(), state_version })
    }
}

/// How a swap was asked for; what is left out is as the manifest says.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub mode: Option<Mode>,
    pub probation_epochs: Option<u32>,
    pub why: String,
}

/// The role that a function of the manifest has in a pipeline.
pub fn role_of(wiring: &Wiring, name: &str) -> Result<Role, String> {
    let (parse, window) = (&wiring.plan.pipeline.parse, &wiring.plan.window_function);
    match name {
        _ if name == parse => Ok(Role::Parse),
        _ if name == window => Ok(Role::Window),
        _ => Err(format!(
            "pipeline `{}` has no function `{name}`; it has {parse} (parse) and {window} (window)",
            wiring.plan.name()
        )),
    }
}

/// Vets a candidate for the function `name`, and keeps it in the lake.
pub fn vetted(
    wiring: &Wiring,
    vet: &Vet,
    name: &str,
    bytes: Bytes,
    origin: String,
) -> Result<Candidate, String> {
    let role = role_of(wiring, name)?;
    let component = vet(name, &bytes, contract(role))?;
    let kept = wiring.library.keep(bytes, &Card::new(&component, origin.clone(), wiring.clock.now_us()));
    let candidate = kept.and_then(|_| Candidate::new(wiring, role, component, &origin));
    candidate.map_err(|error| error.to_string())
}

/// What runs now.
pub fn running(wiring: &Wiring) -> Result<Functions, String> {
    wiring.live.running().ok_or_else(|| format!("pipeline `{}` has not started yet", wiring.plan.name()))
}

/// Swaps the candidate in at the next epoch's end, after a rehearsal on the state as it is.
pub fn swap(wiring: &Wiring, candidate: &Candidate, terms: &Terms) -> Result<Outcome, String> {
    let running = running(wiring)?;
    let ours = digest(&candidate.component).map_err(|error| error.to_string())?;
    if digest(running.get(candidate.role)).map_err(|error| error.to_string())? == ours {
        return Err(format!("sha256 {ours} is what runs already"));
    }
    if wiring.live.trial.is_on() {
        return Err(
            "a function is on probation: one swap at a time. Wait for its end, or roll it back".to_owned()
        );
    }
    let manifest = &wiring.plan.pipeline.swap;
    let mode = terms.mode.unwrap_or(match manifest.mode {
        tallow_manifest::SwapMode::Hold => Mode::Hold,
        tallow_manifest::SwapMode::Publish => Mode::Publish,
    });
    let epochs = terms.probation_epochs.unwrap_or(manifest.probation_epochs);
    if mode == Mode::Hold && epochs > 0 {
        retention_outlasts(wiring, epochs)?;
    }
    let deadline = rehearsed(wiring, candidate, &running)?;
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
    if !wiring.live.desk.ask_swap(swap) {
        return Err("another swap is waiting for the epoch's end".to_owned());
    }
    outcome.recv_timeout(patience(wiring)).map_err(|error| no_answer(wiring, error))
}

/// The deadline for the calls that take the state over.
fn rehearsed(wiring: &Wiring, candidate: &Candidate, running: &Functions) -> Result<Duration, String> {
    let plan = &wiring.plan;
    if candidate.role == Role::Parse {
        rehearse::parse(&candidate.component, plan, wiring.reads_headers)?;
        return Ok(plan.limits.deadline);
    }
    let version = state_version(wiring, &running.window).map_err(|error| error.to_string())?;
    let state = state_copy(wiring)?;
    let rehearsed = rehearse::window(&candidate.component, plan, version, &state, &*wiring.clock)?;
    Ok((rehearsed.took * SLACK).max(SHORTEST).min(plan.limits.deadline))
}

fn state_copy(wiring: &Wiring) -> Result<StateCopy, String> {
    let (reply, copy) = bounded(1);
    wiring.live.desk.ask_copy(reply);
    copy.recv_timeout(patience(wiring)).map_err(|error| no_answer(wiring, error))
}

fn patience(wiring: &Wiring) -> Duration {
    (wiring.plan.pipeline.epoch.interval * LONGEST_EPOCHS).max(LONGEST)
}

fn no_answer(wiring: &Wiring, error: RecvTimeoutError) -> String {
    let pipeline = wiring.plan.name();
    match error {
        RecvTimeoutError::Timeout => format!(
            "pipeline `{pipeline}` has come to no end of an epoch in {} s: it may wait for a service (see its log)",
            patience(wiring).as_secs()
        ),
        RecvTimeoutError::Disconnected => {
            format!(
                "pipeline `{pipeline}` stopped, or started again from its last commit; nothing was swapped"
            )
        }
    }
}

/// Results that are held are made again from the topic where they are rolled back: its records must not be gone by then.
fn retention_outlasts(wiring: &Wiring, epochs: u32) -> Result<(), String> {
    /// Epochs may come slower than the interval says, and a person may look at it first.
    const MARGIN: u32 = 10;
    let needed = wiring.plan.pipeline.epoch.interval * epochs * MARGIN;
    match wiring.source.retention() {
        Ok(Some(retention)) if retention < needed => Err(format!(
            "the topic keeps records for {} s, and a rollback after {epochs} epochs of probation may need those of the \
             last {} s: raise the topic's retention, ask for a shorter probation, or swap in mode `publish`",
            retention.as_secs(),
            needed.as_secs()
        )),
        Ok(_) => Ok(()),
        Err(error) => {
            // A rollback that finds records gone stops with the exact offsets: nothing is lost in silence.
            tracing::warn!(pipeline = wiring.plan.name(), %error, "how long the topic keeps its records is not known");
            Ok(())
        }
    }
}
