//! The contract of a parse function, tried on records made for the purpose.
//!
//! [`input`] makes the records, [`answer`] looks at one answer, [`trials`] compares answers.

mod answer;
mod input;
mod schema;
mod trials;

use std::collections::BTreeSet;

use tallow_contract::schema::Schema;
use tallow_engine::{Component, ParseDescription, ParseOptions, WantedColumn};
use tallow_env::Random;

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

/// Decimal places that are asked for by default.
const SCALE: u8 = 8;

/// Checks what a function says about itself.
pub fn check_description(description: &ParseDescription, trial: &Trial<'_>) -> Result<(), Refusal> {
    // Both are empty if they are a schema's.
    if description.kinds.is_empty() != description.columns.is_empty() {
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
    own: &ParseDescription,
    candidate: &Candidate<'_>,
    trial: &mut Trial<'_>,
) -> Result<(), Refusal> {
    let golden = input::of_vectors(candidate.golden);
    let settings = candidate.options.map(|options| options.settings.clone());
    let settings = settings.or_else(|| golden.options.first().map(|options| options.settings.clone()));
    let settings = settings.unwrap_or_default();
    let schema = Schema::of(&settings);
    let description = &*own.with_settings(&settings);
    if description.columns.is_empty() {
        return Err(trial.refuse(
            "it makes no kind of row and no column without a schema",
            "name them in `describe`; for a function that reads a schema, give golden vectors whose settings have one",
        ));
    }
    let wanted_kind = candidate.options.and_then(|options| options.kinds.first()).map(String::as_str);
    let message = |random: &dyn Random| schema.as_ref().map(|it| schema::message(it, wanted_kind, random));
    let all = ParseOptions {
        kinds: Vec::new(),
        columns: description
            .columns
            .iter()
            .map(|column| WantedColumn { name: column.name.clone(), scale: SCALE })
            .collect(),
        settings,
    };
    let mut options = vec![all];
    options.extend(candidate.options.cloned());
    options.extend(golden.options.iter().cloned());
    let records = input::records(description, &message, &golden.values);

    let trials = trials::Trials { component, own, limits: candidate.limits };
    trials.options(&options[0], trial)?;
    for options in &options {
        trials.answers(options, &records, trial)?;
    }
    // What the function is for, where that is known.
    let typical: Vec<_> = golden.values.into_iter().map(Some).collect();
    let typical = if typical.is_empty() { &records } else { &typical };
    let together = trials.whole_batch(&options[0], typical, trial)?;
    for rule in [Rule::Deadline, Rule::Memory, Rule::Output] {
        trial.pass(rule, format!("{together} records in one call"));
    }
    let on = format!("{} records made for it, asked for in {} ways", records.len(), options.len());
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

#[cfg(test)]
mod tests {
    use tallow_engine::{ColumnInfo, ColumnType};

    use super::*;

    fn described(change: impl FnOnce(&mut ParseDescription)) -> Result<(), Refusal> {
        let column = |name: &str| ColumnInfo {
            name: name.into(),
            type_: ColumnType::Text,
            meaning: "trading pair".into(),
        };
        let mut description = ParseDescription {
            name: "f".into(),
            version: "1".into(),
            kinds: vec!["trade".into(), "kline".into()],
            columns: vec![column("symbol"), column("side")],
            wants_keys: false,
            wants_headers: false,
        };
        change(&mut description);
        let mut told = |_| {};
        let mut trial = Trial::new("it", &mut told);
        trial.begin(Rule::Describe);
        check_description(&description, &trial)
    }

    #[test]
    fn a_description_is_whole() {
        assert_eq!(described(|_| {}), Ok(()));
        type Change = fn(&mut ParseDescription);
        let changes: [(&str, Change); 5] = [
            ("no kind of row", |it| it.kinds.clear()),
            ("no column", |it| it.columns.clear()),
            ("the kind `trade` is empty or there twice", |it| it.kinds[1] = "trade".into()),
            ("the column `symbol` is empty or there twice", |it| it.columns[1].name = "symbol".into()),
            ("the column `side` has no meaning", |it| it.columns[1].meaning = " ".into()),
        ];
        for (seen, change) in changes {
            let refusal = described(change).unwrap_err();
            assert!(refusal.rule == Rule::Describe && refusal.seen.contains(seen), "{refusal}");
        }
    }
}
