//! Which windows close when, and what their rows look like.

use std::collections::{BTreeMap, BTreeSet};

use tallow_engine::{ColumnData, Output, Rows, Shape, Spec, Table, latest};

use crate::exact::odd_nan;
use crate::refusal::Trial;
use crate::{Refusal, Rule, candles};

/// A window's start and key.
type Window = (i64, Vec<Vec<u8>>);

/// The windows that have closed, and those of tumbling specs that must close.
pub struct Closing<'a> {
    specs: &'a [Spec],
    closed: Vec<BTreeSet<Window>>,
    /// End of each tumbling window that holds a row.
    due: Vec<BTreeMap<Window, i64>>,
    watermark_us: i64,
}

impl<'a> Closing<'a> {
    pub fn new(specs: &'a [Spec], watermark_us: i64) -> Self {
        let (closed, due) = (vec![BTreeSet::new(); specs.len()], vec![BTreeMap::new(); specs.len()]);
        Self { specs, closed, due, watermark_us }
    }

    /// Notes the windows that the rows belong to.
    pub fn update(&mut self, rows: &Rows) {
        for (spec, due) in self.specs.iter().zip(&mut self.due) {
            let Shape::Tumbling(size_us) = spec.shape else { continue };
            let Ok(size_us) = i64::try_from(size_us) else { continue };
            for row in 0..rows.table.rows as usize {
                let kind = rows.kinds.entry(rows.kinds.codes[row]);
                let Some((time_us, key)) = time_and_key(spec, &rows.table, row) else { continue };
                let start_us = (time_us - spec.offset_us).div_euclid(size_us) * size_us + spec.offset_us;
                let late = start_us + size_us <= self.watermark_us;
                if !late && spec.kinds.iter().any(|it| it.as_bytes() == kind) {
                    due.insert((start_us, key), start_us + size_us);
                }
            }
        }
    }

    /// Checks the windows that closed at a watermark.
    pub fn advance(
        &mut self,
        outputs: &[Output],
        watermark_us: i64,
        trial: &Trial<'_>,
    ) -> Result<(), Refusal> {
        self.watermark_us = watermark_us;
        let remedy =
            "close every window whose end is at or before the watermark, once; sort by start, then key";
        for (index, spec) in self.specs.iter().enumerate() {
            let refuse = |seen: String| {
                trial.refuse_as(Rule::Closing, format!("window `{}`: {seen}", spec.name), remedy)
            };
            let mut now = Vec::new();
            for output in outputs.iter().filter(|output| output.spec as usize == index) {
                now.extend(windows(spec, output, Some(watermark_us)).map_err(refuse)?);
                sound(spec, output, trial)?;
            }
            if !now.is_sorted() {
                return Err(refuse("its rows are not sorted by start and key".into()));
            }
            for window in now {
                self.due[index].remove(&window);
                if !self.closed[index].insert(window.clone()) {
                    return Err(refuse(format!("the window of {} µs closed twice", window.0)));
                }
            }
            if let Some(((start_us, _), _)) = self.due[index].iter().find(|(_, end)| **end <= watermark_us) {
                let seen = format!("the window of {start_us} µs did not close at {watermark_us} µs");
                return Err(refuse(seen));
            }
        }
        Ok(())
    }

    /// Checks windows that are shown and stay open.
    pub fn shown(&self, outputs: &[Output], trial: &Trial<'_>) -> Result<(), Refusal> {
        for output in outputs {
            let spec = &self.specs[output.spec as usize];
            windows(spec, output, None).map_err(|seen| {
                trial.refuse_as(Rule::Closing, format!("window `{}`: {seen}", spec.name), "as in `advance`")
            })?;
            sound(spec, output, trial)?;
        }
        Ok(())
    }
}

fn sound(spec: &Spec, output: &Output, trial: &Trial<'_>) -> Result<(), Refusal> {
    if let Some(broken) = candles::broken(spec, output) {
        return Err(trial.refuse_as(Rule::Candles, broken, "see how the aggregates are kept and compared"));
    }
    if let Some((column, row)) = odd_nan(&output.table) {
        let seen = format!(
            "window `{}`, column `{column}`, row {row}: a NaN that is not 0x7ff8000000000000",
            spec.name
        );
        return Err(trial.refuse_as(Rule::Nan, seen, "take NaN for null, or write `f64::NAN`"));
    }
    Ok(())
}

/// The windows of an output; none may end after the watermark.
fn windows(spec: &Spec, output: &Output, watermark_us: Option<i64>) -> Result<Vec<Window>, String> {
    let table = &output.table;
    // What asks for the latest rows makes no column.
    let promised = spec.aggregates.iter().filter(|it| latest::asked(it).is_none());
    let promised = promised.map(|it| it.name.as_str()).chain(["revision"]);
    for name in promised {
        column(table, name)?;
    }
    let (starts, ends) = (times(table, "window_start")?, times(table, "window_end")?);
    let mut windows = Vec::with_capacity(starts.len());
    for (row, (start_us, end_us)) in starts.iter().zip(ends).enumerate() {
        if start_us >= end_us {
            return Err(format!("row {row} is a window from {start_us} to {end_us} µs"));
        }
        if watermark_us.is_some_and(|watermark_us| *end_us > watermark_us) {
            return Err(format!("row {row} ends at {end_us} µs, after the watermark"));
        }
        let key = spec.keys.iter().map(|name| match &column(table, name)?.data {
            ColumnData::Text(text) => Ok(text.entry(text.codes[row]).to_vec()),
            _ => Err(format!("its key column `{name}` is no text")),
        });
        windows.push((*start_us, key.collect::<Result<_, String>>()?));
    }
    Ok(windows)
}

fn time_and_key(spec: &Spec, table: &Table, row: usize) -> Option<(i64, Vec<Vec<u8>>)> {
    let valid = |name: &str| column(table, name).ok().filter(|column| column.is_valid(row));
    let time_us = match &valid(&spec.time)?.data {
        ColumnData::TimestampUs(times) => times[row],
        _ => return None,
    };
    let key = spec.keys.iter().map(|name| match &valid(name)?.data {
        ColumnData::Text(text) => Some(text.entry(text.codes[row]).to_vec()),
        _ => None,
    });
    for by in spec.aggregates.iter().filter_map(latest::asked) {
        valid(by)?;
    }
    if let Some(ids) = &spec.ids {
        valid(&ids.first)?;
        valid(&ids.last)?;
    }
    Some((time_us, key.collect::<Option<_>>()?))
}

fn times<'a>(table: &'a Table, name: &str) -> Result<&'a [i64], String> {
    match &column(table, name)?.data {
        ColumnData::TimestampUs(times) => Ok(times),
        _ => Err(format!("its column `{name}` holds no timestamps")),
    }
}

fn column<'a>(table: &'a Table, name: &str) -> Result<&'a tallow_engine::Column, String> {
    let column = table.columns.iter().find(|column| column.name == name);
    column.ok_or_else(|| format!("it has no column `{name}`"))
}
