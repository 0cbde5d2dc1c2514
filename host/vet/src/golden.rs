//! The golden vectors that the manifest names for the function.

use tallow_engine::golden::{
    GoldenError, run_backfill, run_feed, run_forecast, run_merge, run_parse, run_window,
};
use tallow_engine::{Component, Contract};

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

pub fn check(component: &Component, candidate: &Candidate<'_>, trial: &mut Trial<'_>) -> Result<(), Refusal> {
    trial.begin(Rule::Golden);
    for vector in candidate.golden {
        let held = match component.contract() {
            Contract::Parse => run_parse(component, candidate.limits, &vector.text),
            Contract::Window => run_window(component, candidate.limits, &vector.text),
            Contract::Backfill => run_backfill(component, candidate.limits, &vector.text),
            Contract::Merge => run_merge(component, candidate.limits, &vector.text),
            Contract::Feed => run_feed(component, candidate.limits, &vector.text),
            Contract::Forecast => run_forecast(component, candidate.limits, &vector.text),
        };
        held.map_err(|error| {
            let remedy = match error {
                GoldenError::Vector(_) => "mend the vector",
                GoldenError::Call { .. } | GoldenError::Difference { .. } => {
                    "mend the function, or, if the new answer is meant, the vector"
                }
            };
            trial.refuse(format!("{}: {error}", vector.name), remedy)
        })?;
    }
    match candidate.golden.len() {
        0 => {}
        1 => trial.pass(Rule::Golden, "1 vector"),
        vectors => trial.pass(Rule::Golden, format!("{vectors} vectors")),
    }
    Ok(())
}
