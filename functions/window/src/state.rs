//! The state of one group of keys under one spec, as bytes that depend on nothing but what is
//! held. Layout: magic, state version, what the spec said and its input types, topics, then the keys in the
//! order of their text, each with its ids, how often its windows were given, its panes, and, where empty windows are
//! filled, the newest window that closed. Where rows replace each other, a pane has its rows instead of what they add
//! up to.

use std::collections::{BTreeMap, BTreeSet};

use tallow_contract::ValueType;

use crate::aggregate::Cell;
use crate::bytes::Writer;
use crate::held::{Pane, SpecState};
use crate::idbytes::write_ids;
use crate::kept::Kept;
use crate::order::Topics;
use crate::spec::{Aggregate, Form, Plan, Shape, Sliding};

pub const MAGIC: &[u8; 4] = b"TWIN";

/// Versions that can be read, the newest last: 1 has ids as ranges, 3 the newest window that closed, 4 the rows of panes.
pub const READS_VERSIONS: [u16; 4] = [1, 2, 3, 4];

/// Version of the layout that has the rows of panes.
pub const OF_ROWS: u16 = 4;

/// Version of the layout in which the state under a plan is written: the lowest that has all that the plan asks for.
pub fn version(plan: &Plan) -> u16 {
    match (plan.latest, plan.fill) {
        (Some(_), _) => OF_ROWS,
        (None, Some(_)) => 3,
        (None, None) => 2,
    }
}

/// What a spec says, field by field: state is read only under a spec that says the same, or has more aggregates.
pub fn says(plan: &Plan) -> Vec<(&'static str, String)> {
    let spec = &plan.spec;
    let kinds: BTreeSet<&str> = spec.kinds.iter().map(String::as_str).collect();
    let ids = spec.ids.as_ref().map_or("none".to_owned(), |ids| format!("{} to {}", ids.first, ids.last));
    let shape = match spec.shape {
        Shape::Tumbling(size_us) => format!("tumbling {size_us} µs"),
        Shape::Sliding(Sliding { size_us, slide_us }) => format!("sliding {size_us} µs by {slide_us} µs"),
        Shape::Session(gap_us) => format!("session {gap_us} µs"),
    };
    let mut says = vec![
        ("kinds", kinds.into_iter().collect::<Vec<_>>().join(", ")),
        ("keys", spec.keys.join(", ")),
        ("time", spec.time.clone()),
        ("ids", ids),
        ("shape", shape),
        ("offset", format!("{} µs", spec.offset_us)),
    ];
    says.extend(plan.latest.map(|latest| ("latest-by", plan.inputs[latest].clone())));
    says.push((AGGREGATES, spec.aggregates.iter().map(aggregate_text).collect::<Vec<_>>().join(", ")));
    says
}

/// The last of [`says`].
pub const AGGREGATES: &str = "aggregates";

pub fn aggregate_text(aggregate: &Aggregate) -> String {
    let columns: Vec<&str> =
        [&aggregate.column, &aggregate.by].into_iter().flatten().map(String::as_str).collect();
    format!("{} = {}({})", aggregate.name, aggregate.operation.name(), columns.join(", "))
}

/// A type's tag and scale.
pub fn type_code(kind: Option<ValueType>) -> [u8; 2] {
    match kind {
        None => [0, 0],
        Some(ValueType::Int64) => [1, 0],
        Some(ValueType::TimestampUs) => [2, 0],
        Some(ValueType::Decimal(scale)) => [3, scale],
        Some(ValueType::Float64) => [4, 0],
        Some(ValueType::Boolean) => [5, 0],
        Some(ValueType::Text) => [6, 0],
    }
}

/// Writes what a part begins with: all but its keys. The topics' numbers in the part.
pub fn begin_part(
    writer: &mut Writer,
    state: &SpecState,
    keys: &[u32],
    topics: &Topics,
) -> BTreeMap<u32, u64> {
    writer.fixed(MAGIC);
    writer.fixed(&version(&state.plan).to_le_bytes());
    for (_, text) in says(&state.plan) {
        writer.text(text.as_bytes());
    }
    for kind in &state.types {
        writer.fixed(&type_code(*kind));
    }
    let topics = used_topics(state, keys, topics);
    let mut by_name: Vec<(&str, u32)> = topics.into_iter().collect();
    by_name.sort_unstable();
    writer.unsigned(by_name.len() as u64);
    let mut written: BTreeMap<u32, u64> = BTreeMap::new();
    for (index, (name, topic)) in by_name.into_iter().enumerate() {
        writer.text(name.as_bytes());
        written.insert(topic, index as u64);
    }
    writer.unsigned(keys.len() as u64);
    written
}

/// The topics that the picked rows of some keys came from.
fn used_topics<'a>(state: &SpecState, keys: &[u32], topics: &'a Topics) -> BTreeMap<&'a str, u32> {
    let mut used = BTreeMap::new();
    if state.plan.latest.is_some() {
        // Rows are told apart by their times.
        return used;
    }
    for &key in keys {
        let key = &state.states[key as usize];
        let open = key.open.values().map(|&slot| state.panes.get(slot));
        for cell in open.chain(key.last.as_deref()).flat_map(|pane| &pane.cells) {
            if let Cell::Pick(Some(pick)) = cell {
                let topic = pick.order.place.topic;
                used.insert(topics.name(topic), topic);
            }
        }
    }
    used
}

/// Writes a key and what is held of it.
pub fn write_key(writer: &mut Writer, state: &SpecState, key: u32, topics: &BTreeMap<u32, u64>) {
    writer.text(state.keys.text(key));
    let key = &state.states[key as usize];
    if state.plan.spec.ids.is_some() {
        write_ids(writer, &key.ids);
    }
    writer.unsigned(key.given.len() as u64);
    for (&start_us, &given) in &key.given {
        writer.signed(start_us);
        writer.unsigned(given);
    }
    writer.unsigned(key.open.len() as u64);
    for &slot in key.open.values() {
        write_pane(writer, &state.plan, state.panes.get(slot), topics);
    }
    if version(&state.plan) >= 3 {
        writer.flag(key.last.is_some());
        if let Some(last) = &key.last {
            write_pane(writer, &state.plan, last, topics);
        }
    }
}

fn write_pane(writer: &mut Writer, plan: &Plan, pane: &Pane, topics: &BTreeMap<u32, u64>) {
    writer.signed(pane.start_us);
    if matches!(plan.form, Form::Session { .. }) {
        writer.signed(pane.end_us - pane.start_us);
        writer.unsigned(pane.given);
    }
    if let Some(kept) = &pane.kept {
        return write_rows(writer, pane, kept);
    }
    writer.unsigned(pane.rows);
    if plan.spec.ids.is_some() {
        writer.signed(pane.first_id);
        writer.unsigned(pane.last_id.abs_diff(pane.first_id));
    }
    writer.flag(pane.pending);
    for cell in &pane.cells {
        write_cell(writer, cell, pane.start_us, topics);
    }
}

/// What a pane's rows add up to follows from them.
fn write_rows(writer: &mut Writer, pane: &Pane, kept: &Kept) {
    writer.flag(pane.pending);
    writer.unsigned(kept.rows.len() as u64);
    for (&time_us, row) in &kept.rows {
        writer.signed(time_us - pane.start_us);
        writer.signed(row.rank);
        for value in &row.values {
            writer.flag(value.is_some());
            if let Some(value) = value {
                writer.wide(*value);
            }
        }
    }
}

fn write_cell(writer: &mut Writer, cell: &Cell, start_us: i64, topics: &BTreeMap<u32, u64>) {
    let sum = |writer: &mut Writer, sum: &crate::decimal::Sum| {
        writer.wide(sum.low as i128);
        writer.signed(sum.high);
    };
    match cell {
        Cell::Pick(pick) => {
            writer.flag(pick.is_some());
            if let Some(pick) = pick {
                let place = pick.order.place;
                writer.signed(pick.order.time_us - start_us);
                writer.signed(pick.order.id);
                writer.unsigned(topics.get(&place.topic).copied().unwrap_or(0));
                writer.signed(i64::from(place.partition));
                writer.signed(place.offset);
                writer.unsigned(u64::from(place.row));
                writer.wide(pick.value);
            }
        }
        Cell::Extreme(best) => {
            writer.flag(best.is_some());
            if let Some(best) = best {
                writer.wide(*best);
            }
        }
        Cell::Count(count) => writer.unsigned(*count),
        Cell::Sum { sum: total, count } => {
            sum(writer, total);
            writer.unsigned(*count);
        }
        Cell::Product { product, weight, count, overflow } => {
            sum(writer, product);
            sum(writer, weight);
            writer.unsigned(*count);
            writer.flag(*overflow);
        }
    }
}
