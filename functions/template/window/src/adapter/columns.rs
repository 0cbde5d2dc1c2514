//! The columns that a definition reads.

use super::contract::{Rows, Spec};
use super::types::{ColumnData, Table, Text};
use crate::cell::Order;
use crate::state::ValueType;
use crate::windows::Row;

/// Which rows have a value, one bit per row; `None` if all have.
type Valid<'a> = Option<&'a [u8]>;

pub struct Columns<'a> {
    times: &'a [i64],
    times_valid: Valid<'a>,
    keys: Vec<(&'a Text, Valid<'a>)>,
    /// For each aggregate its column; `None` to count rows.
    values: Vec<Option<(&'a ColumnData, Valid<'a>)>>,
    /// For each aggregate the type of its column.
    pub types: Vec<Option<ValueType>>,
}

impl<'a> Columns<'a> {
    /// The error names what is missing, or is not of the type that it was before.
    pub fn find(spec: &Spec, known: &[Option<ValueType>], table: &'a Table) -> Result<Self, String> {
        let column = |name: &str| {
            let found = table.columns.iter().find(|column| column.name == name);
            let found = found.ok_or_else(|| format!("window `{}`: there is no column `{name}`", spec.name))?;
            Ok::<_, String>((&found.data, found.validity.as_deref()))
        };
        let wrong = |name: &str, what: &str| format!("window `{}`: column `{name}` {what}", spec.name);
        let (ColumnData::TimestampUs(times), times_valid) = column(&spec.time)? else {
            return Err(wrong(&spec.time, "holds no timestamps"));
        };
        let keys = spec.keys.iter().map(|name| match column(name)? {
            (ColumnData::Text(text), valid) => Ok((text, valid)),
            _ => Err(wrong(name, "is no text")),
        });
        let keys = keys.collect::<Result<_, String>>()?;
        let (mut values, mut types) = (Vec::new(), Vec::new());
        for (aggregate, known) in spec.aggregates.iter().zip(known) {
            let Some(name) = &aggregate.column else {
                values.push(None);
                types.push(Some(ValueType::Integer));
                continue;
            };
            let (data, valid) = column(name)?;
            let now = value_type(data).ok_or_else(|| wrong(name, "is of a type that is not done here"))?;
            if known.is_some_and(|known| known != now) {
                return Err(wrong(name, &format!("is {now:?} and was {known:?} before")));
            }
            values.push(Some((data, valid)));
            types.push(Some(now));
        }
        Ok(Self { times, times_valid, keys, values, types })
    }

    pub fn row(&self, row: usize, order: Order) -> Row {
        let key = self.keys.iter().map(|(text, valid)| {
            is_valid(*valid, row).then(|| String::from_utf8_lossy(entry(text, row)).into_owned())
        });
        let values = self.values.iter().map(|column| match column {
            None => Some(1),
            Some((data, valid)) => is_valid(*valid, row).then(|| value(data, row)),
        });
        Row { order, is_timed: is_valid(self.times_valid, row), key: key.collect(), values: values.collect() }
    }
}

/// The order of each row: its time, and the place of its record.
pub fn orders(rows: &Rows, columns: &Columns<'_>) -> Vec<Order> {
    let runs = rows.runs.iter().flat_map(|run| (0..run.records).map(move |_| run));
    let places: Vec<_> = runs.zip(&rows.offsets).collect();
    let mut before = None;
    let mut within = 0;
    let orders = rows.records.iter().zip(columns.times).map(|(record, time_us)| {
        within = if before == Some(record) { within + 1 } else { 0 };
        before = Some(record);
        let (run, offset) = places[*record as usize];
        Order {
            time_us: *time_us,
            topic: rows.topics[run.topic as usize].clone(),
            partition: run.partition,
            offset: *offset,
            row: within,
        }
    });
    orders.collect()
}

/// The text of a row.
pub fn entry(text: &Text, row: usize) -> &[u8] {
    let code = text.codes[row] as usize;
    let from = if code == 0 { 0 } else { text.ends[code - 1] as usize };
    &text.bytes[from..text.ends[code] as usize]
}

fn is_valid(valid: Valid<'_>, row: usize) -> bool {
    valid.is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1)
}

fn value_type(data: &ColumnData) -> Option<ValueType> {
    match data {
        ColumnData::Int64(_) => Some(ValueType::Integer),
        ColumnData::TimestampUs(_) => Some(ValueType::Time),
        ColumnData::Decimal(decimals) => Some(ValueType::Decimal(decimals.scale)),
        ColumnData::Float64(_) | ColumnData::Boolean(_) | ColumnData::Text(_) => None,
    }
}

fn value(data: &ColumnData, row: usize) -> i128 {
    match data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => values[row].into(),
        ColumnData::Decimal(decimals) => match &decimals.high {
            Some(high) => i128::from(high[row]) << 64 | i128::from(decimals.values[row] as u64),
            None => decimals.values[row].into(),
        },
        ColumnData::Float64(_) | ColumnData::Boolean(_) | ColumnData::Text(_) => 0,
    }
}
