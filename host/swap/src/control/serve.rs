//! Answers requests: what takes long happens here, in the client's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crossbeam_channel::bounded;
use tallow_log::record::Role;

use super::protocol::{self, Answer, Request, Running};
use crate::admission;
use crate::candidate::{Candidate, Terms, Vet};
use crate::error::SwapError;
use crate::hot_swap::Target;
use crate::shadow::Shadow;
use crate::tally::Verdict;
use tallow_pipeline::hooks::{Outcome, Rollback};

/// How often a shadow tells how far it is.
const NEWS_EVERY: Duration = Duration::from_millis(500);
/// A rollback starts the pipeline again; services may keep it waiting.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(120);

pub struct ControlHandler {
    pub target: Arc<Target>,
    pub vet: Box<Vet>,
    /// Hides secrets in what is answered.
    pub mask: fn(&str) -> String,
    /// Whether the pipeline has ended: then nothing will come of any request.
    pub over: AtomicBool,
}

/// Gives an answer to the client; false: it has gone away.
pub type Tell<'a> = dyn FnMut(Answer) -> bool + 'a;

impl ControlHandler {
    pub fn pipeline(&self) -> &str {
        self.target.services.plan.name()
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Does what is asked. The last answer says how it ended.
    pub fn serve(&self, request: Request, tell: &mut Tell<'_>) {
        let done = match request {
            Request::Status => self.status(),
            Request::Shadow { candidate, epochs, until_same, terms } => {
                self.shadow(candidate, epochs, until_same, &terms, tell)
            }
            Request::Promote { terms } => self.promote(&terms),
            Request::Swap { candidate, terms } => self.swap(candidate, &terms, tell),
            Request::Rollback { why } => self.rollback(why),
        };
        tell(done.unwrap_or_else(|error| Answer::Refused { why: error.to_string() }));
    }

    fn status(&self) -> Result<Answer, SwapError> {
        let running = admission::running(&self.target)?;
        let functions = [Role::Parse, Role::Window].map(|role| Running {
            role: role.name().to_owned(),
            name: running.get(role).name().to_owned(),
            digest: running.get(role).digest(),
        });
        Ok(Answer::Status {
            pipeline: self.target.services.plan.name().to_owned(),
            functions: functions.into(),
            on_probation: self.target.swap.probation.is_on(),
            shadow: self.target.swap.requests.shadow().map(|shadow| shadow.tally()),
        })
    }

    fn vetted(&self, component: protocol::Component, tell: &mut Tell<'_>) -> Result<Candidate, SwapError> {
        tell(Answer::Step { text: format!("vetting {}", component.origin) });
        let bytes = BASE64.decode(&component.bytes)?;
        admission::vetted(&self.target, &*self.vet, &component.name, bytes.into(), component.origin)
    }

    fn swap(
        &self,
        component: protocol::Component,
        terms: &protocol::Terms,
        tell: &mut Tell<'_>,
    ) -> Result<Answer, SwapError> {
        let candidate = self.vetted(component, tell)?;
        tell(Answer::Step {
            text: "rehearsing on a copy of the state, then swapping at an epoch's end".to_owned(),
        });
        self.swap_in(&candidate, terms, format!("swapped by hand from {}", candidate.origin))
    }

    fn swap_in(
        &self,
        candidate: &Candidate,
        terms: &protocol::Terms,
        why: String,
    ) -> Result<Answer, SwapError> {
        let terms = Terms { mode: terms.mode, probation_epochs: terms.probation_epochs, why };
        Ok(match admission::swap(&self.target, candidate, &terms)? {
            Outcome::Swapped { seq, pause } => Answer::Swapped { seq, pause_us: pause.as_micros() as u64 },
            Outcome::Dropped { why } => Answer::Dropped { why },
        })
    }

    fn promote(&self, terms: &protocol::Terms) -> Result<Answer, SwapError> {
        let shadowed = self.target.swap.requests.shadow().map(|shadow| shadow.candidate.clone());
        let candidate = shadowed.ok_or(SwapError::NothingShadowed)?;
        self.swap_in(&candidate, terms, format!("promoted from a shadow, {}", candidate.origin))
    }

    fn shadow(
        &self,
        component: protocol::Component,
        epochs: u32,
        until_same: Option<u32>,
        terms: &protocol::Terms,
        tell: &mut Tell<'_>,
    ) -> Result<Answer, SwapError> {
        let candidate = self.vetted(component, tell)?;
        let running = admission::running(&self.target)?;
        let (plan, clock) = (self.target.services.plan.clone(), self.target.services.clock.clone());
        let slowest = plan.pipeline.swap.slowest_percent;
        let (shadow, work) = Shadow::new(candidate, running, plan, clock.clone());
        self.target.swap.requests.set_shadow(Some(shadow.clone()));
        let enough = until_same.unwrap_or(epochs).max(1);
        let (mut told, mut gone, mut asked_until) = (clock.ticks(), false, 0);
        let tally = shadow.run(&work, |tally| {
            if clock.ticks().since(told) >= NEWS_EVERY || tally.epochs > asked_until {
                (told, asked_until) = (clock.ticks(), tally.epochs);
                gone = !tell(Answer::Shadow { tally: tally.clone() });
            }
            let settled = match until_same {
                Some(_) => tally.same_in_a_row >= enough || !tally.comparison.same(),
                None => tally.epochs >= enough,
            };
            settled || gone || self.is_over()
        });
        let verdict = tally.verdict(slowest);
        if gone {
            self.target.swap.requests.set_shadow(None);
            return Err(SwapError::AskerGone);
        }
        if self.is_over() {
            return Err(SwapError::Over);
        }
        let answer = Answer::Verdict { verdict, percent: tally.percent(), tally };
        if until_same.is_none() || verdict != Verdict::Same {
            return Ok(answer);
        }
        tell(Answer::Step { text: format!("the same for {enough} epochs: promoting") });
        self.promote(terms)
    }

    fn rollback(&self, why: String) -> Result<Answer, SwapError> {
        let (reply, outcome) = bounded(1);
        self.target.swap.requests.ask_rollback(Rollback { why, reply });
        match outcome.recv_timeout(ROLLBACK_PATIENCE) {
            Ok(Some(seq)) => Ok(Answer::RolledBack { seq }),
            Ok(None) => Err(SwapError::NotOnProbation),
            Err(_) => Err(SwapError::NoAnswer),
        }
    }
}
