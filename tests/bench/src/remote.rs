//! A pipeline's functions here and behind a gateway on this machine, batch by batch: parse, then window, by the wall
//! clock, since most of the work is in another process.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Result, ensure};
use tallow::remote::Gateways;
use tallow_engine::{Component, Contract, ParseFunction, Runtime, WindowFunction};
use tallow_env::{SystemClock, SystemRandom};
use tallow_record::Batch;
use tallow_tests::gateway::Gateway;

use crate::functions::{self, BATCH_RECORDS};
use crate::pairs::{Pairs, median, seconds};
use crate::report::Measure;
use crate::trades::Look;

const PAIRS: usize = 7;
/// 65,536 trades: an epoch of a second at that pace.
const BATCHES: u64 = 16;
const SPAN_MS: u64 = 5_000;

pub fn run(measures: &mut Vec<Measure>) -> Result<()> {
    let plan = functions::plan()?;
    let gateway = Gateway::start("gateway-p2-composed");
    let gateways = Arc::new(Gateways {
        clock: Arc::new(SystemClock::new()),
        random: Arc::new(SystemRandom),
        stop: Arc::default(),
        tokens: BTreeMap::new(),
    });
    let runtime = Runtime::new(None)?.with_callers(gateways.clone());
    let remote = |contract| -> Result<Component> {
        let descriptor = gateways.describe(&gateway.url(), contract)?;
        let bytes = descriptor.to_bytes().map_err(anyhow::Error::msg)?;
        Ok(runtime.load("remote", &bytes, contract)?)
    };
    let here = (
        functions::component(&runtime, "parse-market", Contract::Parse)?,
        functions::component(&runtime, "window", Contract::Window)?,
    );
    let there = (remote(Contract::Parse)?, remote(Contract::Window)?);
    let mut batches = functions::batches(Look::Bare, BATCHES, SPAN_MS);
    let epoch = RefCell::new(|(parse, window): &(Component, Component)| -> Result<f64> {
        let mut parse = ParseFunction::new(parse, plan.limits, plan.parse_options.clone())?;
        let mut windows = WindowFunction::open(window, plan.limits, &plan.specs)?;
        let (took, rows) = seconds(|| one_epoch(&mut parse, &mut windows, &mut batches))?;
        Ok(rows as f64 / took)
    });
    let run = |functions| (epoch.borrow_mut())(functions);
    eprintln!("remote: {PAIRS} pairs");
    // The first of each compiles, connects and grows its memory.
    run(&here)?;
    run(&there)?;
    let pairs = Pairs::measure(PAIRS, || run(&here), || run(&there))?;
    measures.extend([
        Measure::new("parse and window: here", median(pairs.a.clone()), "records/s"),
        Measure::new("parse and window: behind a gateway", median(pairs.b.clone()), "records/s"),
        Measure::new("parse and window: here / behind a gateway", pairs.ratio(), "times"),
    ]);
    Ok(())
}

/// Every batch parsed and taken in, and the epoch's end.
fn one_epoch(
    parse: &mut ParseFunction,
    windows: &mut WindowFunction,
    batches: &mut [Batch],
) -> Result<usize> {
    for batch in batches.iter_mut() {
        let parsed = parse.parse(batch)?;
        let reports = windows.update(&parsed.rows)?;
        ensure!(reports.iter().all(|report| report.accepted == BATCH_RECORDS), "trades were refused");
    }
    black_box((windows.advance(i64::MIN + 1)?, windows.stats()?, windows.snapshot(0)?));
    Ok((BATCHES * BATCH_RECORDS) as usize)
}
