//! The contract of a window function, tried on rows made for the purpose.
//!
//! [`case`] says which windows over which rows, [`rows`] makes the rows, [`play`] takes them through the function and
//! looks at every answer ([`ledger`], [`closing`]), [`trials`] compares what was played, [`state`] is about snapshots.

mod case;
mod closing;
mod ledger;
mod play;
mod rows;
mod state;
mod trials;

use tallow_engine::{Component, WindowDescription};

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

/// Checks what a function says about itself.
pub fn check_description(description: &WindowDescription, trial: &Trial<'_>) -> Result<(), Refusal> {
    if !description.reads_state_versions.contains(&description.state_version) {
        let seen = format!(
            "it writes state of version {} and reads {:?}",
            description.state_version, description.reads_state_versions
        );
        return Err(trial.refuse(seen, "name the version that it writes among those that it reads"));
    }
    Ok(())
}

/// Tries the contract.
pub fn check(component: &Component, candidate: &Candidate<'_>, trial: &mut Trial<'_>) -> Result<(), Refusal> {
    let cases = case::cases(candidate);
    let mut played = Vec::new();
    for case in &cases {
        let trials = trials::Trials { component, limits: candidate.limits, case };
        if !trials.opens(trial)? {
            continue;
        }
        trials.plays(trial)?;
        state::check(&trials, candidate.predecessor, trial)?;
        trials.odd_rows(trial)?;
        played.push(case.name.as_str());
    }
    trial.begin(Rule::Specs);
    if played.is_empty() {
        let seen = format!(
            "it opened none of these: {}",
            cases.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
        );
        let remedy = "give a golden vector with windows that it opens, or the pipeline's manifest";
        return Err(trial.refuse(seen, remedy));
    }
    let on = format!("rows made for it, under {} sets of windows: {}", played.len(), played.join(", "));
    for rule in [
        Rule::Trap,
        Rule::Contract,
        Rule::Nan,
        Rule::Pure,
        Rule::Specs,
        Rule::Reports,
        Rule::Ledger,
        Rule::Closing,
        Rule::Candles,
        Rule::Order,
        Rule::Snapshot,
        Rule::ForeignState,
    ] {
        trial.pass(rule, on.clone());
    }
    if candidate.predecessor.is_some() {
        trial.pass(Rule::OldState, on);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_does_not_read_what_it_writes_is_refused() {
        let described = |reads_state_versions: &[u32]| {
            let description = WindowDescription {
                name: "f".into(),
                version: "1".into(),
                state_version: 2,
                reads_state_versions: reads_state_versions.into(),
            };
            let mut told = |_| {};
            let mut trial = Trial::new("it", &mut told);
            trial.begin(Rule::Describe);
            check_description(&description, &trial)
        };
        assert_eq!(described(&[1, 2]), Ok(()));
        let refusal = described(&[1]).unwrap_err();
        assert_eq!(refusal.seen, "it writes state of version 2 and reads [1]");
    }
}
