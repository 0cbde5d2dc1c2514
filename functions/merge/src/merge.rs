//! The whole: rows chosen, windows filled, columns joined, averages over the union.

use std::collections::BTreeSet;

use tallow_contract::{Column, ColumnData, Refusal, Table, ValueType, refuse};

use crate::average::average;
use crate::choose::{Place, choose};
use crate::columns::{Cell, Joined, Values, join};
use crate::gaps::gaps;
use crate::input::{facts, times};
use crate::series::{Before, Window, series};
use crate::{Input, Merged, Settings, settings};

/// Place of `before` among the tables; the inputs follow.
const BEFORE: usize = 0;

/// Merges the tables of one key. `before`: the last rows of what an earlier call gave, for a series that is merged
/// piece by piece.
///
/// # Errors
/// The input, the column or the window that is not as it should be.
pub fn merge(before: Option<&Table>, inputs: &[Input], settings: &Settings) -> Result<Merged, Refusal> {
    let step_us = settings::check(settings)?;
    let mut of_inputs = Vec::with_capacity(inputs.len());
    let mut empty = BTreeSet::new();
    for (index, input) in inputs.iter().enumerate() {
        let of_input = |wrong: Refusal| wrong.within(format_args!("input {index} ({})", input.source.name()));
        let found = facts(input, step_us).map_err(of_input)?;
        empty.extend(found.empty);
        of_inputs.push((input.source, found.rows));
    }
    let chosen = choose(BEFORE + 1, &of_inputs);
    let ended = before.map(end_of).transpose()?.flatten();
    let windows = series(&chosen, ended, &empty, step_us, settings)?;

    let nothing = Table::default();
    let mut tables = vec![before.unwrap_or(&nothing)];
    tables.extend(inputs.iter().map(|input| &input.table));
    let mut joined = join(&tables, |column| settings::remakes(settings, column))?;
    // The order is that of the inputs, whatever came before.
    joined
        .sort_by_key(|column| column.of[BEFORE + 1..].iter().position(Option::is_some).unwrap_or(usize::MAX));
    let there: Vec<&str> = joined.iter().map(|column| column.name).collect();
    if windows.is_empty() && there.is_empty() {
        return Ok(Merged::default());
    }
    settings::check_columns(settings, &there)?;
    check_key(&joined, ended, &windows, settings)?;
    let columns = columns(&joined, &windows, tables[BEFORE].rows as usize, step_us, settings)?;
    let table = Table { rows: windows.len() as u32, columns };
    let ended_us = ended.map(|before| before.end_us);
    Ok(Merged { table, gaps: gaps(&chosen, ended_us, &empty, step_us, settings) })
}

/// Where the rows given before end; `None` if there are none.
fn end_of(before: &Table) -> Result<Option<Before>, Refusal> {
    let Some(last) = (before.rows as usize).checked_sub(1) else { return Ok(None) };
    let end = times(before, "window_end").map_err(|wrong| wrong.within("what was given before"))?;
    let ended = (0..=last).filter_map(|row| end.get(row)).max();
    match end.get(last) {
        Some(end_us) if Some(end_us) == ended => {
            Ok(Some(Before { end_us, last: Place { table: BEFORE, row: last } }))
        }
        _ => refuse!("what was given before: its last row is not the last by `window_end`"),
    }
}

/// All rows have to be of one key.
fn check_key(
    joined: &[Joined],
    before: Option<Before>,
    windows: &[Window],
    settings: &Settings,
) -> Result<(), Refusal> {
    for name in &settings.keys {
        let Some(column) = joined.iter().find(|column| column.name == name) else {
            refuse!("no input has the key's column `{name}`");
        };
        if column.kind != ValueType::Text {
            refuse!("the key's column `{name}` is not text");
        }
        let places =
            before.map(|before| before.last).into_iter().chain(windows.iter().map(|window| window.place));
        let Values::Texts(texts) = column.gather(places.map(Cell::Of))? else { continue };
        if let Some(other) = texts.iter().find(|text| text.is_none() || **text != texts[0]) {
            let shown = |text: Option<&[u8]>| {
                text.map_or("nothing".to_owned(), |text| format!("`{}`", String::from_utf8_lossy(text)))
            };
            refuse!(
                "column `{name}` is {} in one row and {} in another: one key is merged at a time",
                shown(texts[0]),
                shown(*other)
            );
        }
    }
    Ok(())
}

fn columns(
    joined: &[Joined],
    windows: &[Window],
    before_rows: usize,
    step_us: i64,
    settings: &Settings,
) -> Result<Vec<Column>, Refusal> {
    let mut columns = Vec::with_capacity(joined.len() + 2 + settings.averages.len());
    for name in &settings.keys {
        if let Some(key) = joined.iter().find(|column| column.name == name) {
            columns.push(gathered(key, windows, settings)?);
        }
    }
    let plain = |name: &str, data| Column { name: name.to_owned(), data, validity: None };
    let starts = || windows.iter().map(|window| window.start_us);
    columns.push(plain("window_start", ColumnData::TimestampUs(starts().collect())));
    columns
        .push(plain("window_end", ColumnData::TimestampUs(starts().map(|start| start + step_us).collect())));
    for column in joined {
        let done = |other: &Column| other.name == column.name;
        if column.name != "complete" && !columns.iter().any(done) {
            columns.push(gathered(column, windows, settings)?);
        }
    }
    let complete = windows.iter().map(|window| window.complete).collect();
    columns.push(Values::Booleans(complete).into_column("complete", ValueType::Boolean));
    let source = windows.iter().map(|window| window.source.map(|source| source.name().as_bytes())).collect();
    columns.push(Values::Texts(source).into_column("source", ValueType::Text));
    let filled = windows.iter().map(Window::is_filled).collect();
    columns.push(plain("filled", ColumnData::Boolean(filled)));

    for wanted in &settings.averages {
        let Some(column) = joined.iter().find(|column| column.name == wanted.column) else { continue };
        if !column.kind.is_number() {
            refuse!("average `{}`: column `{}` is not a number", wanted.name, wanted.column);
        }
        let given = (0..before_rows).map(|row| Cell::Of(Place { table: BEFORE, row }));
        let values = column.gather(given.chain(cells(column.name, windows, settings)))?;
        columns.push(average(&wanted.name, column.kind, &values, wanted.length as usize, before_rows));
    }
    Ok(columns)
}

fn gathered(column: &Joined, windows: &[Window], settings: &Settings) -> Result<Column, Refusal> {
    let values = column.gather(cells(column.name, windows, settings))?;
    Ok(values.into_column(column.name, column.kind))
}

/// What each window has of a column.
fn cells<'a>(name: &str, windows: &'a [Window], settings: &Settings) -> impl Iterator<Item = Cell> + use<'a> {
    let among = |names: &[String]| names.iter().any(|other| other == name);
    let carried = among(&settings.keys) || among(&settings.carried);
    let zeroed = among(&settings.zeroed);
    windows.iter().map(move |window| match window.is_filled() {
        true if zeroed => Cell::Zero,
        true if !carried => Cell::Null,
        _ => Cell::Of(window.place),
    })
}
