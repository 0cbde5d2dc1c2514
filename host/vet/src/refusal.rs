//! Why a function is not taken, and the way through the rules.

use std::fmt::Display;

use tallow_engine::CallError;

use crate::Rule;

/// A function that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} breaks the rule `{rule}` ({}): {seen}. To do: {remedy}", rule.meaning())]
pub struct Refusal {
    pub name: String,
    pub rule: Rule,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub remedy: String,
}

/// A function's way through the rules.
pub(crate) struct Trial<'a> {
    name: &'a str,
    rule: Rule,
    told: &'a mut dyn FnMut(Rule),
    passed: Vec<(Rule, String)>,
}

impl<'a> Trial<'a> {
    pub fn new(name: &'a str, told: &'a mut dyn FnMut(Rule)) -> Self {
        Self { name, rule: Rule::Size, told, passed: Vec::new() }
    }

    /// From here on refusals are this rule's.
    pub fn begin(&mut self, rule: Rule) {
        self.rule = rule;
        (self.told)(rule);
    }

    /// The rule holds; `on` says on what it was tried.
    pub fn pass(&mut self, rule: Rule, on: impl Into<String>) {
        self.passed.push((rule, on.into()));
    }

    pub fn refuse(&self, seen: impl Display, remedy: impl Display) -> Refusal {
        self.refuse_as(self.rule, seen, remedy)
    }

    pub fn refuse_as(&self, rule: Rule, seen: impl Display, remedy: impl Display) -> Refusal {
        Refusal { name: self.name.to_owned(), rule, seen: seen.to_string(), remedy: remedy.to_string() }
    }

    /// A call that gave no answer that the contract allows; `during` says which.
    pub fn failed(&self, error: &CallError, during: impl Display) -> Refusal {
        let (rule, remedy) = match error {
            CallError::Trap(_) => (
                Rule::Trap,
                "answer bad input with a rejection or an error; nothing may index, unwrap or overflow on it",
            ),
            CallError::Deadline { .. } => (
                Rule::Deadline,
                "bound the work that one record may cause, or raise `deadline` in [trigger.kafka.limits]",
            ),
            CallError::Allowance { .. } => {
                (Rule::Time, "make its calls faster, or raise `check-time` if you trust it")
            }
            CallError::Memory { .. } => {
                (Rule::Memory, "free what a call took, or raise `memory` in [trigger.kafka.limits]")
            }
            CallError::Output { .. } => {
                (Rule::Output, "keep reasons and rows short, or raise `output` in [trigger.kafka.limits]")
            }
            CallError::Contract(_) => (Rule::Contract, "see the comments in the contract's WIT file"),
            CallError::Remote(_) | CallError::State { .. } => {
                (self.rule, "a gateway vets what it is composed with; check its components, not it")
            }
            CallError::Refused(_) => {
                (self.rule, "an error is for options and specs that are wrong, never for data")
            }
        };
        self.refuse_as(rule, format!("{during}: it {error}"), remedy)
    }

    pub fn into_passed(self) -> Vec<(Rule, String)> {
        self.passed
    }
}
