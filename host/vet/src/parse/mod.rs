//! The contract of a parse function, tried on records made for the purpose.
//!
//! [`input`] makes the records, [`answer`] looks at one answer, [`trials`] compares answers.

mod answer;
mod input;
mod trials;

use std::collections::BTreeSet;

use tallow_engine::{Component, ParseDescription, ParseOptions, WantedColumn};

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

/// Decimal places that are asked for where nobody says.
const SCALE: u8 = 8;

/// Checks what a function says of itself.
pub fn check_description(description: &ParseDescription, trial: &Trial<'_>) -> Result<(), Refusal> {
    if description.name.is_empty() || description.version.is_empty() {
        return Err(trial.refuse("it has no name or no version", "give both in `describe`"));
    }
    if description.kinds.is_empty() || description.columns.is_empty() {
        return Err(trial.refuse("it makes no kind of row, or no column", "name them in `describe`"));
    }
    let mut kinds = BTreeSet::new();
    if let Some(kind) = description.kinds.iter().find(|kind| kind.is_empty() || !kinds.insert(*kind)) {
        return Err(trial.refuse(format!("the kind `{kind}` is empty or there twice"), "name each kind once"));
    }
    let mut columns = BTreeSet::new();
    for column in &description.columns {
        let name = &column.name;
        if name.is_empty() || !columns.insert(name) {
            return Err(
                trial.refuse(format!("the column `{name}` is empty or there twice"), "name each column once")
            );
        }
        if column.meaning.trim().is_empty() {
            let seen = format!("the column `{name}` has no meaning");
            return Err(trial.refuse(seen, "say in `describe` what it holds, with its unit"));
        }
    }
    Ok(())
}

/// Tries the contract.
pub fn check(
    component: &Component,
    description: &ParseDescription,
    candidate: &Candidate<'_>,
    trial: &mut Trial<'_>,
) -> Result<(), Refusal> {
    let golden = input::of_vectors(candidate.golden);
    let settings = candidate.options.map(|options| options.settings.clone());
    let settings = settings.or_else(|| golden.options.first().map(|options| options.settings.clone()));
    let all = ParseOptions {
        kinds: Vec::new(),
        columns: description
            .columns
            .iter()
            .map(|column| WantedColumn { name: column.name.clone(), scale: SCALE })
            .collect(),
        settings: settings.unwrap_or_default(),
    };
    let mut options = vec![all];
    options.extend(candidate.options.cloned());
    options.extend(golden.options.iter().cloned());
    let records = input::records(description, &golden.values);

    let trials = trials::Trials { component, description, limits: candidate.limits };
    trials.options(&options[0], trial)?;
    for options in &options {
        trials.answers(options, &records, trial)?;
    }
    let on = format!("{} records, {} ways to ask", records.len(), options.len());
    for rule in [
        Rule::Trap,
        Rule::Contract,
        Rule::Options,
        Rule::Columns,
        Rule::Kinds,
        Rule::Reasons,
        Rule::Tombstones,
        Rule::Nan,
        Rule::Pure,
        Rule::Alone,
    ] {
        trial.pass(rule, on.clone());
    }
    Ok(())
}
