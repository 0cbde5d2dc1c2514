//! parse-market, natively and in its sandbox, on one thread.

use std::hint::black_box;

use anyhow::{Result, anyhow, ensure};
use tallow_engine::{Contract, ParseFunction, Runtime};

use crate::functions::{self, BATCH_RECORDS};
use crate::native;
use crate::pairs::{Pairs, median, rate_per_core};
use crate::report::Measure;
use crate::trades::Look;

const PAIRS: usize = 9;
/// Enough that a batch has left the nearer caches when its turn comes again, as one that was just fetched.
const BATCHES: u64 = 8;
const SPAN_MS: u64 = 60_000;

struct Case {
    name: &'static str,
    look: Look,
    /// Of the sandbox, records a second.
    reach: Option<f64>,
    aim: f64,
}

const CASES: [Case; 3] = [
    Case { name: "bare trades", look: Look::Bare, reach: Some(8e6), aim: 12e6 },
    Case { name: "enveloped trades", look: Look::Enveloped, reach: None, aim: 12e6 },
    Case { name: "full parser", look: Look::Reordered, reach: None, aim: 2.5e6 },
];
/// How much slower the sandbox may be.
const AIM_RATIO: f64 = 1.6;

pub fn run(measures: &mut Vec<Measure>) -> Result<()> {
    let plan = functions::plan()?;
    let runtime = Runtime::new(None)?;
    let component = functions::component(&runtime, "parse-market", Contract::Parse)?;
    let mut function = ParseFunction::new(&component, plan.limits, plan.parse_options.clone())?;
    let options = &plan.parse_options;
    for case in CASES {
        eprintln!("parse: {}, {PAIRS} pairs", case.name);
        let mut batches = functions::batches(case.look, BATCHES, SPAN_MS);
        let native_batches: Vec<_> = batches.iter().map(native::batch).collect();
        let (mut next, mut native_next) = (0, 0);
        let pairs = Pairs::measure(
            PAIRS,
            || {
                rate_per_core(|| {
                    native_next = (native_next + 1) % native_batches.len();
                    let parsed = parse_market::parse(black_box(&native_batches[native_next]), options);
                    whole(black_box(parsed).map_err(|why| anyhow!(why))?.rows.rows)
                })
            },
            || {
                rate_per_core(|| {
                    next = (next + 1) % batches.len();
                    whole(black_box(function.parse(&mut batches[next])?).rows.table.rows)
                })
            },
        )?;
        let name = |what: &str| format!("parse, {}: {what}", case.name);
        let sandbox =
            Measure::new(name("sandbox"), median(pairs.b.clone()), "records/s a core").aim(case.aim);
        measures.extend([
            Measure::new(name("native"), median(pairs.a.clone()), "records/s a core"),
            case.reach.into_iter().fold(sandbox, Measure::reach),
            Measure::new(name("native / sandbox"), pairs.ratio(), "times").at_most().aim(AIM_RATIO),
        ]);
    }
    Ok(())
}

/// Rejected trades would cost less than parsed ones.
fn whole(rows: u32) -> Result<usize> {
    ensure!(u64::from(rows) == BATCH_RECORDS, "{rows} rows of {BATCH_RECORDS} trades");
    Ok(rows as usize)
}
