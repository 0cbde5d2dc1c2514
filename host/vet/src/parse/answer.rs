//! One answer, held against what was asked and what the function says about itself.

use tallow_engine::{ColumnData, IDS_ONLY, ParseDescription, ParseOptions, Parsed};
use tallow_record::Batch;

use crate::exact::odd_nan;
use crate::excerpt::excerpt;
use crate::refusal::Trial;
use crate::{Refusal, Rule};

pub struct Asked<'a> {
    pub description: &'a ParseDescription,
    pub options: &'a ParseOptions,
    pub batch: &'a Batch,
}

/// Checks what the engine has not: it has seen to lengths, indices and that each record is in one list.
pub fn check(asked: &Asked<'_>, parsed: &Parsed, trial: &Trial<'_>) -> Result<(), Refusal> {
    columns(asked, parsed, trial)?;
    kinds(asked, parsed, trial)?;
    apart(asked, parsed, trial)?;
    if let Some((column, row)) = odd_nan(&parsed.rows.table) {
        let record = parsed.rows.records.get(row).copied().unwrap_or_default();
        let seen = format!(
            "column `{column}`, {}: a NaN that is not 0x7ff8000000000000",
            shown(asked.batch, record as usize)
        );
        return Err(trial.refuse_as(Rule::Nan, seen, "write `f64::NAN`, or leave the row null"));
    }
    Ok(())
}

fn columns(asked: &Asked<'_>, parsed: &Parsed, trial: &Trial<'_>) -> Result<(), Refusal> {
    let refuse = |seen: String| {
        trial.refuse_as(Rule::Columns, seen, "make each wanted column, in the type that `describe` names")
    };
    let made = &parsed.rows.table.columns;
    let wanted = &asked.options.columns;
    if let Some(column) = made.iter().find(|made| !wanted.iter().any(|wanted| wanted.name == made.name)) {
        return Err(refuse(format!("it made the column `{}`, which was not asked for", column.name)));
    }
    for wanted in wanted {
        let Some(made) = made.iter().find(|made| made.name == wanted.name) else {
            return Err(refuse(format!("it was asked for the column `{}` and did not make it", wanted.name)));
        };
        let described = asked.description.columns.iter().find(|info| info.name == wanted.name);
        let Some(described) = described.map(|info| info.type_) else { continue };
        let found = made.data.column_type();
        if found != described {
            return Err(refuse(format!(
                "column `{}` is {}, and described as {}",
                wanted.name,
                found.name(),
                described.name()
            )));
        }
        if let ColumnData::Decimal(decimals) = &made.data
            && decimals.scale != wanted.scale
        {
            return Err(refuse(format!(
                "column `{}` has a scale of {}, and {} was asked for",
                wanted.name, decimals.scale, wanted.scale
            )));
        }
    }
    Ok(())
}

fn kinds(asked: &Asked<'_>, parsed: &Parsed, trial: &Trial<'_>) -> Result<(), Refusal> {
    let wanted = &asked.options.kinds;
    for (code, record) in parsed.rows.kinds.codes.iter().zip(&parsed.rows.records) {
        let kind = String::from_utf8_lossy(parsed.rows.kinds.entry(*code));
        // There are none if the messages name them.
        let kinds = &asked.description.kinds;
        let described = kinds.is_empty() || kinds.iter().any(|it| *it == kind);
        let asked_for = |it: &String| *it == kind || kind.strip_suffix(IDS_ONLY) == Some(it);
        if described && (wanted.is_empty() || wanted.iter().any(asked_for)) {
            continue;
        }
        let why = if described { "was not asked for" } else { "is not one of those it describes" };
        let seen = format!("{}: a row of kind `{kind}`, which {why}", shown(asked.batch, *record as usize));
        let remedy =
            "name every kind in `describe`, and ignore records of kinds that are not in `options.kinds`";
        return Err(trial.refuse_as(Rule::Kinds, seen, remedy));
    }
    Ok(())
}

fn apart(asked: &Asked<'_>, parsed: &Parsed, trial: &Trial<'_>) -> Result<(), Refusal> {
    for (list, marked) in [("ignored", &parsed.ignored), ("rejected", &parsed.rejected)] {
        if let Some((record, _)) = marked.iter().find(|(_, reason)| reason.trim().is_empty()) {
            let seen = format!("{}: {list} without a reason", shown(asked.batch, record));
            return Err(trial.refuse_as(
                Rule::Reasons,
                seen,
                "say what is wrong with the record, in a few words",
            ));
        }
    }
    for tombstone in &asked.batch.values.nulls {
        if parsed.ignored.records.binary_search(tombstone).is_err() {
            let seen = "a record whose value is null was not ignored";
            let remedy = "look into `values.nulls` first, and ignore these with the reason `tombstone`";
            return Err(trial.refuse_as(Rule::Tombstones, seen, remedy));
        }
    }
    Ok(())
}

/// A record as a message quotes it.
pub fn shown(batch: &Batch, record: usize) -> String {
    match batch.values.get(record) {
        None => format!("record {record} (null)"),
        Some(value) => format!("record {record} (`{}`)", excerpt(value)),
    }
}
