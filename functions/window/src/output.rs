//! Windows as a table: the key's columns, `window_start`, `window_end`, the aggregates, `first_id` and
//! `last_id` if ids are named, `missing`, `complete`, `filled` and `unfilled` if empty windows are filled, `revision`.

use tallow_contract::ValueType;
use tallow_contract::fill::Fill;
use tallow_contract::window::Output;

use crate::aggregate::output_type;
use crate::candle::Candle;
use crate::columns::sortable_to_float;
use crate::fill;
use crate::held::SpecState;
use crate::keys::decode;
use crate::table::{Column, ColumnData, Decimals, Table, validity};

/// The output of some windows; `None` if there are none.
pub fn output(spec: u32, state: &SpecState, candles: &[Candle]) -> Option<Output> {
    if candles.is_empty() {
        return None;
    }
    let plan = &state.plan;
    let mut columns = key_columns(&plan.spec.keys, candles);
    let mut push =
        |name: &str, data, validity| columns.push(Column { name: name.to_owned(), data, validity });
    let all = |value: fn(&Candle) -> i64| candles.iter().map(value).collect::<Vec<i64>>();
    push("window_start", ColumnData::TimestampUs(all(|candle| candle.start_us)), None);
    push("window_end", ColumnData::TimestampUs(all(|candle| candle.end_us)), None);
    for (index, (aggregate, op)) in plan.spec.aggregates.iter().zip(&plan.ops).enumerate() {
        let kind = output_type(op, &state.types);
        let value = |candle: &Candle| match plan.fill.filter(|_| candle.filled) {
            Some(fill) => fill::value(fill.with, op.operation, kind, &candle.cells[index]),
            None => candle.cells[index].finish(op.operation),
        };
        let value = |candle: &Candle| value(candle).filter(|value| fits(kind, *value));
        let values: Vec<Option<i128>> = candles.iter().map(value).collect();
        push(&aggregate.name, data(kind, &values), validity(&values));
    }
    let tracked = plan.spec.ids.is_some();
    if tracked {
        for (name, is_first) in [("first_id", true), ("last_id", false)] {
            let id = |candle: &Candle| i128::from(if is_first { candle.first_id } else { candle.last_id });
            let ids = |candle: &Candle| (!candle.filled).then(|| id(candle));
            let ids: Vec<Option<i128>> = candles.iter().map(ids).collect();
            push(name, data(ValueType::Int64, &ids), validity(&ids));
        }
    }
    let missing: Vec<Option<i128>> = candles.iter().map(|candle| candle.missing.map(i128::from)).collect();
    push("missing", data(ValueType::Int64, &missing), validity(&missing));
    let complete: Vec<Option<bool>> = candles.iter().map(|candle| candle.complete).collect();
    let known = complete.iter().map(|complete| complete.unwrap_or(false)).collect();
    push("complete", ColumnData::Boolean(known), validity(&complete));
    if plan.fill.is_some() {
        let filled = candles.iter().map(|candle| candle.filled).collect();
        push(Fill::FILLED, ColumnData::Boolean(filled), None);
        let unfilled: Vec<Option<i128>> =
            candles.iter().map(|candle| candle.unfilled.map(i128::from)).collect();
        push(Fill::UNFILLED, data(ValueType::Int64, &unfilled), validity(&unfilled));
    }
    push("revision", ColumnData::Int64(all(|candle| candle.revision as i64)), None);
    let table = Table { rows: candles.len() as u32, columns };
    Some(Output { spec, table, assignments: assignments(candles) })
}

fn assignments(candles: &[Candle]) -> u64 {
    candles.iter().map(|candle| candle.rows).sum()
}

fn key_columns(names: &[String], candles: &[Candle]) -> Vec<Column> {
    let keys: Vec<Vec<Vec<u8>>> =
        candles.iter().map(|candle| decode(&candle.key).unwrap_or_default()).collect();
    let columns = names.iter().enumerate().map(|(index, name)| {
        let text = keys.iter().map(|key| key.get(index).map_or(&[][..], Vec::as_slice)).collect();
        Column { name: name.clone(), data: ColumnData::Text(text), validity: None }
    });
    columns.collect()
}

/// Whether a column of that type can hold a result; decimals were checked when they were made.
fn fits(kind: ValueType, value: i128) -> bool {
    kind != ValueType::Int64 || i64::try_from(value).is_ok()
}

/// A column of values that were all kept as integers; nulls are 0.
fn data(kind: ValueType, values: &[Option<i128>]) -> ColumnData {
    let narrow = || values.iter().map(|value| value.unwrap_or(0) as i64).collect::<Vec<i64>>();
    match kind {
        ValueType::TimestampUs => ColumnData::TimestampUs(narrow()),
        ValueType::Float64 => {
            let float = |value: &Option<i128>| value.map_or(0.0, |value| sortable_to_float(value as i64));
            ColumnData::Float64(values.iter().map(float).collect())
        }
        ValueType::Decimal(scale) => ColumnData::Decimal(Decimals::new(scale, values)),
        ValueType::Int64 | ValueType::Boolean | ValueType::Text => ColumnData::Int64(narrow()),
    }
}
