//! An epoch's output as points. Pure: the same output gives the same points.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use tallow_contract::{Column, ColumnData, Table};
use tallow_sink::{EpochOutput, SinkError};

use crate::line;
use crate::point::Point;
use crate::settings::{Decimals, Mode, Settings, Window};

/// Whether the point is of a closed window.
const CLOSED_FIELD: &str = "closed";
/// The names of the fields that are null, by commas.
const NULLS_FIELD: &str = "null_fields";
const START: &str = "window_start";
const REVISION: &str = "revision";

/// InfluxDB counts nanoseconds in 64 bits.
const FIRST_US: i64 = i64::MIN / 1000 + 1;
const LAST_US: i64 = i64::MAX / 1000 - 1;

/// The points of an epoch, window by window. What is published already as it is goes out again, too: after a rollback it
/// may be of a commit that is void and whose points were never written.
///
/// # Errors
/// A function gave a table that is none of windows.
pub fn points(settings: &Settings, output: &EpochOutput<'_>) -> Result<Vec<Point>, SinkError> {
    let mut points = Vec::new();
    for (name, window) in &settings.windows {
        let error =
            |why: String| SinkError::Table { pipeline: output.pipeline.into(), window: name.clone(), why };
        let mut newest = Newest::default();
        let given = [(&output.open, false), (&output.repeated, true), (&output.closed, true)];
        for (batches, closed) in given {
            if !closed && window.mode == Mode::Append {
                continue;
            }
            let own: Vec<&RecordBatch> =
                batches.iter().filter(|(of, _)| of == name).map(|(_, batch)| batch).collect();
            newest.take((name, window), &own, closed).map_err(error)?;
        }
        points.extend(newest.points.into_values().map(|(_, point)| point));
    }
    Ok(points)
}

/// The last word of one epoch on each key and start, with its revision.
#[derive(Default)]
struct Newest {
    points: BTreeMap<(i64, Vec<String>), (i64, Point)>,
}

impl Newest {
    fn take(
        &mut self,
        (name, window): (&str, &Window),
        batches: &[&RecordBatch],
        closed: bool,
    ) -> Result<(), String> {
        let Some(first) = batches.first() else { return Ok(()) };
        let rows = concat_batches(&first.schema(), batches.iter().copied());
        let table =
            rows.and_then(|rows| tallow_engine::from_arrow(&rows)).map_err(|error| error.to_string())?;
        let columns = Columns::of(&table)?;
        for row in 0..table.rows as usize {
            let keys = columns.keys(row)?;
            let point = columns.point((name, window), row, &keys, closed)?;
            let revision = columns.revision(row);
            let before = self.points.get(&(columns.starts[row], keys.clone())).map(|(revision, _)| *revision);
            if before.is_none_or(|before| before <= revision) {
                self.points.insert((columns.starts[row], keys), (revision, point));
            }
        }
        Ok(())
    }
}

struct Columns<'t> {
    keys: &'t [Column],
    starts: &'t [i64],
    /// All after the start.
    fields: &'t [Column],
}

impl<'t> Columns<'t> {
    fn of(table: &'t Table) -> Result<Self, String> {
        let at = table.columns.iter().position(|column| column.name == START);
        let at = at.ok_or("its table has no column `window_start`")?;
        let starts = table.columns[at].times_us().map_err(|refusal| refusal.to_string())?;
        let rows = table.rows as usize;
        if let Some(short) = table.columns.iter().find(|column| column.data.len() != rows) {
            return Err(format!("column `{}` has {} of {rows} rows", short.name, short.data.len()));
        }
        Ok(Self { keys: &table.columns[..at], starts, fields: &table.columns[at + 1..] })
    }

    fn keys(&self, row: usize) -> Result<Vec<String>, String> {
        let key = |column: &Column| -> Result<String, String> {
            let wrong = || format!("key column `{}` has no text for row {row}", column.name);
            let texts = column.texts().map_err(|refusal| refusal.to_string())?;
            if !column.is_valid(row) {
                return Err(wrong());
            }
            texts.get(row).map(str::to_owned).ok_or_else(wrong)
        };
        self.keys.iter().map(key).collect()
    }

    fn revision(&self, row: usize) -> i64 {
        let column = self.fields.iter().find(|column| column.name == REVISION);
        let values = column.and_then(|column| column.int64s().ok());
        values.and_then(|values| values.get(row)).copied().unwrap_or(0)
    }

    fn point(
        &self,
        (name, window): (&str, &Window),
        row: usize,
        keys: &[String],
        closed: bool,
    ) -> Result<Point, String> {
        let mut line = String::new();
        line::push_measurement(&mut line, &window.measurement);
        self.push_tags(window, keys, &mut line);
        line.push(' ');
        let (mut nulls, mut left_out) = (Vec::new(), 0);
        for column in self.fields {
            let before = line.len();
            line::push_tag(&mut line, &column.name);
            line.push('=');
            let written = column.is_valid(row) && push_value(&mut line, column, row, window.decimals)?;
            if written {
                line.push(',');
            } else {
                line.truncate(before);
                nulls.push(column.name.as_str());
                left_out += i64::from(column.is_valid(row));
            }
        }
        line.push_str(CLOSED_FIELD);
        line.push('=');
        line::push_boolean(&mut line, closed);
        line.push(',');
        line.push_str(NULLS_FIELD);
        line.push('=');
        line::push_string(&mut line, &nulls.join(","));
        let start_us = self.starts[row];
        line.push_str(&format!(" {start_us}"));
        let fits = (FIRST_US..=LAST_US).contains(&start_us);
        let unfit =
            (!fits).then(|| "its time is outside the years 1677 to 2262, which InfluxDB can hold".to_owned());
        Ok(Point { window: name.to_owned(), line, left_out, unfit })
    }

    /// Sorted by their names, which servers like. An empty key has no tag: to InfluxDB that is the same.
    fn push_tags(&self, window: &Window, keys: &[String], line: &mut String) {
        let own = self.keys.iter().map(|column| column.name.as_str()).zip(keys.iter().map(String::as_str));
        let given = window.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let tags: BTreeMap<&str, &str> = given.chain(own).filter(|(_, value)| !value.is_empty()).collect();
        for (name, value) in tags {
            line.push(',');
            line::push_tag(line, name);
            line.push('=');
            line::push_tag(line, value);
        }
    }
}

/// Appends a value in the form of its column's type, whatever the value. False: it has none.
fn push_value(line: &mut String, column: &Column, row: usize, decimals: Decimals) -> Result<bool, String> {
    match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => line::push_integer(line, values[row]),
        ColumnData::Boolean(values) => line::push_boolean(line, values[row]),
        ColumnData::Float64(values) => return Ok(line::push_float(line, values[row])),
        ColumnData::Decimal(values) => match decimals {
            Decimals::Float => line.push_str(&values.text(row)),
            Decimals::Text => line::push_string(line, &values.text(row)),
        },
        ColumnData::Text(values) => {
            let text = values
                .get(row)
                .ok_or_else(|| format!("column `{}` has no UTF-8 in row {row}", column.name))?;
            line::push_string(line, text);
        }
    }
    Ok(true)
}
