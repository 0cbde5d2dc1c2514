//! What a window definition says, and the checks that it must pass.

use std::collections::BTreeSet;

pub use tallow_contract::Operation;
use tallow_contract::fill::Fill;
use tallow_contract::latest;
pub use tallow_contract::window::{Aggregate, IdColumns, Shape, Sliding, Spec};
use tallow_contract::{Refusal, refuse};

use crate::pane::Grid;
use crate::table::list;

/// Sizes, gaps and offsets are below this (36,000 years), so that adding them to an event time that was
/// let in never overflows.
pub const MAX_SPAN_US: u64 = 1 << 60;

/// A sliding row may belong to at most so many windows.
pub const MAX_WINDOWS_A_ROW: u64 = 10_000;

/// Columns that every output has, or has with ids.
const RESERVED: [&str; 7] =
    ["window_start", "window_end", "first_id", "last_id", "missing", "complete", "revision"];

/// How rows find their windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Panes(Grid),
    Session { gap_us: i64 },
}

/// An aggregate whose columns are indices into [`Plan::inputs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    pub operation: Operation,
    pub column: Option<usize>,
    pub by: Option<usize>,
}

/// A spec that passed the checks, with its columns as slots.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Without what asks for filling and for the latest rows.
    pub spec: Spec,
    pub form: Form,
    pub fill: Option<Fill>,
    /// The input by which rows of one key and time replace each other.
    pub latest: Option<usize>,
    /// Columns that the aggregates read, each once.
    pub inputs: Vec<String>,
    pub ops: Vec<Op>,
}

impl Plan {
    /// Checks one spec.
    ///
    /// # Errors
    /// What is wrong, beginning with the spec's name.
    pub fn new(spec: Spec) -> Result<Plan, Refusal> {
        let name = spec.name.clone();
        Plan::checked(spec).map_err(|wrong| wrong.within(format_args!("window `{name}`")))
    }

    /// Checks the specs of a pipeline; their names must differ.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn all(specs: Vec<Spec>) -> Result<Vec<Plan>, Refusal> {
        let mut names = BTreeSet::new();
        for spec in &specs {
            if !names.insert(spec.name.clone()) {
                refuse!("window `{}`: another window has that name too", spec.name);
            }
        }
        specs.into_iter().map(Plan::new).collect()
    }

    /// Whether it takes rows of a kind.
    pub fn takes_kind(&self, kind: &[u8]) -> bool {
        self.spec.kinds.iter().any(|taken| taken.as_bytes() == kind)
    }

    fn checked(mut spec: Spec) -> Result<Plan, Refusal> {
        let fill = take_fill(&mut spec)?;
        let latest = take_latest(&mut spec)?;
        if spec.name.is_empty() {
            refuse!("a window needs a name");
        }
        if spec.kinds.is_empty() {
            refuse!("`kinds` is empty: name the kinds of rows that it takes");
        }
        let form = form(&spec)?;
        check_names(&spec, fill.is_some())?;
        let mut inputs: Vec<String> = Vec::new();
        let mut slot = |column: &Option<String>| {
            column.as_ref().map(|column| match inputs.iter().position(|known| known == column) {
                Some(slot) => slot,
                None => {
                    inputs.push(column.clone());
                    inputs.len() - 1
                }
            })
        };
        let mut ops = Vec::with_capacity(spec.aggregates.len());
        for aggregate in &spec.aggregates {
            check_aggregate(aggregate)?;
            let (column, by) = (slot(&aggregate.column), slot(&aggregate.by));
            ops.push(Op { operation: aggregate.operation, column, by });
        }
        let latest = slot(&latest);
        Ok(Plan { spec, form, fill, latest, inputs, ops })
    }
}

fn form(spec: &Spec) -> Result<Form, Refusal> {
    let span = |what: &str, us: u64| match us {
        0 => refuse!("a {what} of 0 µs makes no window"),
        us if us >= MAX_SPAN_US => refuse!("a {what} of {us} µs is too long: at most {MAX_SPAN_US}"),
        us => Ok(us as i64),
    };
    if spec.offset_us.unsigned_abs() >= MAX_SPAN_US {
        refuse!("an offset of {} µs is too far: at most {MAX_SPAN_US}", spec.offset_us);
    }
    match spec.shape {
        Shape::Tumbling(size_us) => {
            let size = span("size", size_us)?;
            Ok(Form::Panes(Grid::new(size, size, spec.offset_us)))
        }
        Shape::Sliding(Sliding { size_us, slide_us }) => {
            let (size, slide) = (span("size", size_us)?, span("slide", slide_us)?);
            if slide > size {
                refuse!(
                    "a slide of {slide} µs is larger than the size of {size} µs: rows between windows \
                     would be lost"
                );
            }
            if size_us / slide_us > MAX_WINDOWS_A_ROW {
                refuse!(
                    "a size of {size} µs by a slide of {slide} µs puts a row into more than \
                     {MAX_WINDOWS_A_ROW} windows: take a larger slide"
                );
            }
            Ok(Form::Panes(Grid::new(size, slide, spec.offset_us)))
        }
        Shape::Session(_) if spec.offset_us != 0 => {
            refuse!("a session starts with its first row: it takes no offset")
        }
        Shape::Session(gap_us) => Ok(Form::Session { gap_us: span("gap", gap_us)? }),
    }
}

/// How empty windows are filled, if that is asked for.
fn take_fill(spec: &mut Spec) -> Result<Option<Fill>, Refusal> {
    let mut aggregates = spec.aggregates.iter().enumerate();
    let Some((at, fill)) = aggregates.find_map(|(at, it)| Some((at, Fill::asked(it)?))) else {
        return Ok(None);
    };
    let fill = fill?;
    let Shape::Tumbling(_) = spec.shape else {
        refuse!("only tumbling windows can be filled");
    };
    if fill.for_us >= MAX_SPAN_US {
        refuse!("filling for {} µs is too long: at most {MAX_SPAN_US}", fill.for_us);
    }
    spec.aggregates.remove(at);
    Ok(Some(fill))
}

/// The column by which rows replace each other, if that is asked for.
fn take_latest(spec: &mut Spec) -> Result<Option<String>, Refusal> {
    let Some(at) = spec.aggregates.iter().position(|it| latest::asked(it).is_some()) else { return Ok(None) };
    let column = spec.aggregates.remove(at).by;
    if spec.ids.is_some() {
        refuse!("rows are told apart by their ids or replaced by their time: not both");
    }
    Ok(column)
}

/// No two output columns may have the same name.
fn check_names(spec: &Spec, fills: bool) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let named = spec.keys.iter().chain(spec.aggregates.iter().map(|aggregate| &aggregate.name));
    for name in named {
        if RESERVED.contains(&name.as_str()) {
            refuse!("`{name}` is a column of every window ({}): choose another name", list(&RESERVED));
        }
        if fills && [Fill::FILLED, Fill::UNFILLED].contains(&name.as_str()) {
            refuse!("`{name}` is a column of every window that is filled: choose another name");
        }
        if name.is_empty() {
            refuse!("a key or an aggregate has an empty name");
        }
        if !seen.insert(name) {
            refuse!("two columns of the output would be named `{name}`");
        }
    }
    Ok(())
}

fn check_aggregate(aggregate: &Aggregate) -> Result<(), Refusal> {
    let Aggregate { name, operation, column, by } = aggregate;
    let what = operation.name();
    if column.is_none() && *operation != Operation::Count {
        refuse!("aggregate `{name}`: `{what}` needs a column");
    }
    if by.is_none() && operation.takes_two() {
        refuse!("aggregate `{name}`: `{what}` needs a second column, `by`");
    }
    if by.is_some() && !operation.takes_two() {
        refuse!("aggregate `{name}`: `{what}` takes no second column `by`");
    }
    Ok(())
}
