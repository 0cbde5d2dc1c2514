//! Whether windows can be computed from what a parse function makes: its kinds, its columns, and their types. Which types
//! an aggregate takes is the window function's to say: it is asked, and its own words are the answer.

use serde_json::{Value, json};
use tallow_engine::golden::rows_of_json;
use tallow_engine::{
    Aggregate, CallError, ColumnInfo, ColumnType, Component, Fill, Limits, ParseDescription, Spec,
    WindowFunction,
};
use tallow_manifest::{Window, key_path, offer};

/// A key of a window that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub window: String,
    /// The key within the window's table: `kinds`, `aggregates.close`.
    pub key: String,
    /// What is wrong and what to do.
    pub problem: String,
}

/// A parse function: its name in the manifest, and what it makes with its settings.
#[derive(Clone, Copy)]
pub struct Parse<'a> {
    pub name: &'a str,
    pub description: &'a ParseDescription,
}

impl Parse<'_> {
    fn column(&self, name: &str) -> Option<&ColumnInfo> {
        self.description.columns.iter().find(|column| column.name == name)
    }

    fn columns_of(&self, column_type: ColumnType) -> String {
        let all = self.description.columns.iter().filter(|column| column.type_ == column_type);
        listed(all.map(|column| column.name.as_str()))
    }
}

/// Kinds and columns that the windows ask for and the function does not have.
pub fn names(windows: &[Window], parse: Parse<'_>) -> Vec<Misfit> {
    windows.iter().flat_map(|window| names_of(window, parse)).collect()
}

fn names_of(window: &Window, parse: Parse<'_>) -> Vec<Misfit> {
    let name = parse.name;
    let kinds: Vec<&str> = parse.description.kinds.iter().map(String::as_str).collect();
    let columns: Vec<&str> = parse.description.columns.iter().map(|column| column.name.as_str()).collect();
    let misfit = |key: String, problem| Misfit { window: window.name.clone(), key, problem };
    // There are none if the messages name them.
    let unknown = |kind: &&String| !kinds.is_empty() && !kinds.contains(&kind.as_str());
    let unknown_kinds = window.kinds.iter().filter(unknown);
    let mut misfits: Vec<Misfit> = unknown_kinds
        .map(|kind| {
            let problem = format!("`{name}` makes no rows of the kind `{kind}`; {}", offer(kind, &kinds));
            misfit("kinds".to_owned(), problem)
        })
        .collect();
    for (key, column) in reads(window) {
        if !columns.contains(&column) {
            let problem = format!("`{name}` makes no column `{column}`; {}", offer(column, &columns));
            misfits.push(misfit(key, problem));
        }
    }
    misfits
}

/// The columns that a window reads, each with the key that names it.
fn reads(window: &Window) -> Vec<(String, &str)> {
    let mut reads = vec![("time".to_owned(), window.time.as_str())];
    reads.extend(window.keys.iter().map(|key| ("keys".to_owned(), key.as_str())));
    let ids = window.ids.iter().flat_map(|ids| [&ids.first, &ids.last]);
    reads.extend(ids.map(|id| ("ids".to_owned(), id.as_str())));
    for aggregate in &window.aggregates {
        let columns = aggregate.column.iter().chain(&aggregate.by);
        reads.extend(columns.map(|column| (key_path("aggregates", &aggregate.name), column.as_str())));
    }
    reads
}

/// What computes the windows.
#[derive(Clone, Copy)]
pub struct Computes<'a> {
    pub component: &'a Component,
    pub limits: Limits,
    /// Decimal places of a column.
    pub scale: &'a dyn Fn(&str) -> u8,
}

/// Columns that are there and are of a type that does not serve. `specs`: the windows, in the contract's words.
///
/// # Errors
/// The window function gives no answer.
pub fn types(
    windows: &[Window],
    specs: &[Spec],
    parse: Parse<'_>,
    computes: Computes<'_>,
) -> Result<Vec<Misfit>, CallError> {
    let mut misfits = Vec::new();
    for (window, spec) in windows.iter().zip(specs) {
        let plain = plain_types(window, parse);
        // The function reads these first, and would say no more than that.
        if plain.is_empty() {
            misfits.extend(aggregate_types(window, spec, parse, computes)?);
        }
        misfits.extend(plain);
    }
    Ok(misfits)
}

/// Keys, time and ids: the contract says what they are.
fn plain_types(window: &Window, parse: Parse<'_>) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    for (key, column) in reads(window) {
        let (wanted, what) = match key.as_str() {
            "keys" => (ColumnType::Text, "a key is text"),
            "time" => (ColumnType::TimestampUs, "the time of a window is a timestamp-us"),
            "ids" => (ColumnType::Int64, "an id is an int64"),
            _ => continue,
        };
        if let Some(found) = parse.column(column).filter(|found| found.type_ != wanted) {
            let problem = format!(
                "column `{column}` is {}, and {what}; of that type `{}` makes {}",
                found.type_.name(),
                parse.name,
                parse.columns_of(wanted)
            );
            misfits.push(Misfit { window: window.name.clone(), key, problem });
        }
    }
    misfits
}

fn aggregate_types(
    window: &Window,
    spec: &Spec,
    parse: Parse<'_>,
    computes: Computes<'_>,
) -> Result<Vec<Misfit>, CallError> {
    let Some(whole) = refusal(spec, parse, computes)? else { return Ok(Vec::new()) };
    let misfit = |key: String, problem| Misfit { window: window.name.clone(), key, problem };
    let (fills, aggregates): (Vec<_>, Vec<_>) =
        spec.aggregates.iter().cloned().partition(|it| Fill::asked(it).is_some());
    if !fills.is_empty() && refusal(&Spec { aggregates, ..spec.clone() }, parse, computes)?.is_none() {
        let problem = format!(
            "{whole}; this function does not fill: remove `fill`, or take the window function that comes with tallow"
        );
        return Ok(vec![misfit("fill".to_owned(), problem)]);
    }
    let mut misfits = Vec::new();
    for (aggregate, written) in spec.aggregates.iter().zip(&window.aggregates) {
        let alone = Spec { aggregates: vec![aggregate.clone()], ..spec.clone() };
        let Some(why) = refusal(&alone, parse, computes)? else { continue };
        let taken = columns_taken(&alone, aggregate, parse, computes)?;
        // Where nothing is taken it is not the columns.
        if taken.is_empty() {
            return Ok(vec![misfit("aggregates".to_owned(), why)]);
        }
        let problem = format!("{why}; `{}` takes {}", written.operation.name(), listed(taken.into_iter()));
        misfits.push(misfit(key_path("aggregates", &aggregate.name), problem));
    }
    if misfits.is_empty() {
        misfits.push(misfit("aggregates".to_owned(), whole));
    }
    Ok(misfits)
}

/// The columns of the parse function that the window function takes in an aggregate's place.
fn columns_taken<'p>(
    alone: &Spec,
    aggregate: &Aggregate,
    parse: Parse<'p>,
    computes: Computes<'_>,
) -> Result<Vec<&'p str>, CallError> {
    let mut taken = Vec::new();
    for column in &parse.description.columns {
        let other = |_: &String| column.name.clone();
        let tried = Aggregate {
            column: aggregate.column.as_ref().map(other),
            by: aggregate.by.as_ref().map(other),
            ..aggregate.clone()
        };
        if refusal(&Spec { aggregates: vec![tried], ..alone.clone() }, parse, computes)?.is_none() {
            taken.push(column.name.as_str());
        }
    }
    Ok(taken)
}

/// Why the function does not take rows with such columns; `None` if it does.
fn refusal(spec: &Spec, parse: Parse<'_>, computes: Computes<'_>) -> Result<Option<String>, CallError> {
    let names = spec.keys.iter().chain([&spec.time]);
    let names = names.chain(spec.ids.iter().flat_map(|ids| [&ids.first, &ids.last]));
    let names = names.chain(spec.aggregates.iter().flat_map(|it| it.column.iter().chain(&it.by)));
    let mut read: Vec<&String> = names.collect();
    read.sort();
    read.dedup();
    let columns = read.into_iter().filter_map(|name| parse.column(name)).map(|column| {
        let scale = if column.type_ == ColumnType::Decimal { (computes.scale)(&column.name) } else { 0 };
        json!({ "name": column.name, "type": column.type_.name(), "scale": scale })
    });
    // A row without any value is in no window, and its columns are looked at all the same.
    let row = json!({ "kind": spec.kinds.first(), "topic": "", "partition": 0, "offset": 0 });
    let rows = rows_of_json(&Value::Array(columns.collect()), &[row])
        .map_err(|error| CallError::Contract(error.to_string()))?;
    let tried = WindowFunction::open(computes.component, computes.limits, std::slice::from_ref(spec))
        .and_then(|mut function| function.update(&rows));
    match tried {
        Ok(_) => Ok(None),
        Err(CallError::Refused(why)) => Ok(Some(why)),
        Err(error) => Err(error),
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(", "),
    }
}
