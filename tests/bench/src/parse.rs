//! parse-market and parse-json, natively and in the sandbox, on one thread.

use std::hint::black_box;

use anyhow::{Result, anyhow, ensure};
use tallow_contract::parse::Parsed;
use tallow_contract::schema::{Field, FieldType, KindOf, Path, SETTING, Schema, Source, TimeForm};
use tallow_contract::{Batch, Refusal};
use tallow_engine::{Contract, ParseFunction, ParseOptions, Runtime};

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
    function: &'static str,
    native: fn(&Batch, &ParseOptions) -> Result<Parsed, Refusal>,
    look: Look,
    /// Of the sandbox, records a second.
    reach: Option<f64>,
    aim: f64,
}

impl Case {
    const fn market(name: &'static str, look: Look, reach: Option<f64>, aim: f64) -> Self {
        Self { name, function: "parse-market", native: parse_market::parse, look, reach, aim }
    }

    const fn json(name: &'static str, look: Look, aim: f64) -> Self {
        Self { name, function: "parse-json", native: parse_json::parse, look, reach: None, aim }
    }
}

const CASES: [Case; 5] = [
    Case::market("bare trades", Look::Bare, Some(8e6), 12e6),
    Case::market("enveloped trades", Look::Enveloped, None, 12e6),
    Case::market("full parser", Look::Reordered, None, 2.5e6),
    Case::json("any JSON, keys in one order", Look::Bare, 4e6),
    Case::json("any JSON, keys in any order", Look::Shuffled, 2.5e6),
];
/// How much slower the sandbox may be.
const AIM_RATIO: f64 = 1.6;

pub fn run(measures: &mut Vec<Measure>) -> Result<()> {
    let plan = functions::plan()?;
    let runtime = Runtime::new(None)?;
    for case in CASES {
        let component = functions::component(&runtime, case.function, Contract::Parse)?;
        let options = options(&case, &plan.parse_options);
        let mut function = ParseFunction::new(&component, plan.limits, options.clone())?;
        eprintln!("parse: {}, {PAIRS} pairs", case.name);
        let mut batches = functions::batches(case.look, BATCHES, SPAN_MS);
        let native_batches: Vec<_> = batches.iter().map(native::batch).collect();
        let (mut next, mut native_next) = (0, 0);
        let pairs = Pairs::measure(
            PAIRS,
            || {
                rate_per_core(|| {
                    native_next = (native_next + 1) % native_batches.len();
                    let parsed = (case.native)(black_box(&native_batches[native_next]), &options);
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

/// The pipeline's options; parse-json is told by a schema what parse-market knows.
fn options(case: &Case, pipeline: &ParseOptions) -> ParseOptions {
    let mut options = pipeline.clone();
    if case.function == "parse-json" {
        let field = |name: &str, type_, key: &str| Field {
            name: name.to_owned(),
            type_,
            source: Source::Value(Path::key(key)),
            required: true,
            default: None,
        };
        let schema = Schema {
            columns: vec![
                field("symbol", FieldType::Text, "s"),
                field("event_time", FieldType::Timestamp(TimeForm::Milliseconds), "T"),
                field("id", FieldType::Int64, "t"),
                field("price", FieldType::Decimal, "p"),
                field("quantity", FieldType::Decimal, "q"),
            ],
            event_time: "event_time".to_owned(),
            kind: KindOf::At(Path::key("e")),
            raw: None,
            confluent: false,
        };
        options.settings = vec![(SETTING.to_owned(), schema.to_setting())];
    }
    options
}

/// Rejected trades would cost less than parsed ones.
fn whole(rows: u32) -> Result<usize> {
    ensure!(u64::from(rows) == BATCH_RECORDS, "{rows} rows of {BATCH_RECORDS} trades");
    Ok(rows as usize)
}
