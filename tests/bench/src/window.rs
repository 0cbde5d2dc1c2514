//! The window function, natively and in its sandbox, on one thread.

use std::hint::black_box;

use anyhow::{Context, Result, anyhow, ensure};
use tallow_engine::{Component, Contract, Limits, ParseFunction, Rows, Runtime, Spec, WindowFunction};

use crate::functions::{self, BATCH_RECORDS};
use crate::pairs::{Pairs, median, rate_per_core};
use crate::report::Measure;
use crate::trades::Look;

const PAIRS: usize = 7;
/// A million records: the largest epoch by default.
const BATCHES: u64 = 244;
/// The pace of the end-to-end measure: 8 M trades over ten minutes.
const SPAN_MS: u64 = 75_000;

pub fn run(measures: &mut Vec<Measure>) -> Result<()> {
    let plan = functions::plan()?;
    let runtime = Runtime::new(None)?;
    let component = functions::component(&runtime, "window", Contract::Window)?;
    let parse = functions::component(&runtime, "parse-market", Contract::Parse)?;
    let mut parse = ParseFunction::new(&parse, plan.limits, plan.parse_options.clone())?;
    let batches = functions::batches(Look::Bare, BATCHES, SPAN_MS);
    let rows: Vec<Rows> =
        batches.into_iter().map(|mut batch| Ok(parse.parse(&mut batch)?.rows)).collect::<Result<_>>()?;
    let native_rows: Vec<window::table::Rows> = rows.iter().cloned().map(Into::into).collect();
    let watermark_us = last_time_us(&rows, &plan.time)?;
    for count in 1..=plan.specs.len() {
        let specs = &plan.specs[..count];
        let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        let names = names.join(" + ");
        eprintln!("window: {names}, {PAIRS} pairs");
        let pairs = Pairs::measure(
            PAIRS,
            || natively(specs, &native_rows, watermark_us),
            || in_the_sandbox(&component, plan.limits, specs, &rows, watermark_us),
        )?;
        let name = |what: &str| format!("window, {names}: {what}");
        measures.extend([
            Measure::new(name("native"), median(pairs.a.clone()), "rows/s a core"),
            Measure::new(name("sandbox"), median(pairs.b.clone()), "rows/s a core"),
            Measure::new(name("native / sandbox"), pairs.ratio(), "times"),
        ]);
    }
    Ok(())
}

/// Rows a second of whole epochs, each from empty state: all updates and the advance at the end.
fn natively(specs: &[Spec], rows: &[window::table::Rows], watermark_us: i64) -> Result<f64> {
    let specs = specs.to_vec();
    rate_per_core(|| {
        let mut windows = window::Windows::open(specs.clone()).map_err(|why| anyhow!(why))?;
        for rows in rows {
            let reports = windows.update(black_box(rows)).map_err(|why| anyhow!(why))?;
            ensure!(reports.iter().all(|report| report.accepted == BATCH_RECORDS), "trades were refused");
        }
        ensure!(!black_box(windows.advance(watermark_us)).is_empty(), "no window closed");
        Ok((BATCHES * BATCH_RECORDS) as usize)
    })
}

fn in_the_sandbox(
    component: &Component,
    limits: Limits,
    specs: &[Spec],
    rows: &[Rows],
    watermark_us: i64,
) -> Result<f64> {
    rate_per_core(|| {
        let mut windows = WindowFunction::open(component, limits, specs)?;
        for rows in rows {
            let reports = windows.update(black_box(rows))?;
            ensure!(reports.iter().all(|report| report.accepted == BATCH_RECORDS), "trades were refused");
        }
        ensure!(!black_box(windows.advance(watermark_us)?).is_empty(), "no window closed");
        Ok((BATCHES * BATCH_RECORDS) as usize)
    })
}

fn last_time_us(rows: &[Rows], time: &str) -> Result<i64> {
    let last = rows.last().context("there are no rows")?;
    let column = last.table.columns.iter().find(|column| column.name == time);
    match column.map(|column| &column.data) {
        Some(tallow_engine::ColumnData::TimestampUs(values)) => values.last().copied().context("no rows"),
        _ => Err(anyhow!("parse made no timestamp column `{time}`")),
    }
}
