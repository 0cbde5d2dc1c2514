//! `make bench`: what the functions do natively and in their sandbox, what a whole run does beside bare
//! consumption of the same topic, and Spark beside it. docs/benchmarks.md says how to read the figures.

mod batch;
mod end_to_end;
mod forecast;
mod functions;
mod grid;
mod klines;
mod merge;
mod native;
mod pairs;
mod parse;
mod process;
mod remote;
mod report;
mod spark;
mod swap;
mod topic;
mod trades;
mod window;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use tallow_tests::{kafka::Kafka, paths};

use report::Measure;

/// Measures tallow on this machine.
#[derive(Parser)]
#[command(name = "tallow-bench")]
struct Arguments {
    /// Measure this and nothing else; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<Name>,
    /// Trades in the topic of the end-to-end measure
    #[arg(long, value_name = "N", default_value_t = 8_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    records: u64,
    /// Trades in the topic of the comparison with Spark
    #[arg(long, value_name = "N", default_value_t = 4_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    spark_records: u64,
    /// Rows of klines in the comparison with Polars and DuckDB
    #[arg(long, value_name = "N", default_value_t = 50_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    batch_rows: u64,
    /// Where the report goes as JSON [default: target/bench/bench.json]
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Parse,
    Window,
    Batch,
    Merge,
    Forecast,
    Grid,
    Remote,
    EndToEnd,
    Swap,
    Spark,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wanted = |name: Name| arguments.only.is_empty() || arguments.only.contains(&name);
    let mut measures = Vec::new();
    if wanted(Name::Parse) {
        parse::run(&mut measures)?;
    }
    if wanted(Name::Window) {
        window::run(&mut measures)?;
    }
    if wanted(Name::Batch) {
        batch::run(arguments.batch_rows, &mut measures)?;
    }
    if wanted(Name::Merge) {
        merge::run(&mut measures)?;
    }
    if wanted(Name::Forecast) {
        forecast::run(&mut measures)?;
    }
    if wanted(Name::Grid) {
        grid::run(&mut measures)?;
    }
    if wanted(Name::Remote) {
        remote::run(&mut measures)?;
    }
    if [Name::EndToEnd, Name::Swap, Name::Spark].into_iter().any(wanted) {
        with_kafka(&arguments, wanted, &mut measures)?;
    }
    println!("{}", report::table(&measures));
    let path = arguments.json.unwrap_or_else(|| paths::target().join("bench/bench.json"));
    report::write(&measures, &path)?;
    println!("written to {}", path.display());
    Ok(())
}

fn with_kafka(
    arguments: &Arguments,
    wanted: impl Fn(Name) -> bool,
    measures: &mut Vec<Measure>,
) -> Result<()> {
    eprintln!("starting Kafka");
    let kafka = match Kafka::start() {
        Ok(kafka) => kafka,
        Err(why) => {
            eprintln!("skipped: end-to-end, swap, spark: {why}");
            return Ok(());
        }
    };
    if wanted(Name::EndToEnd) {
        end_to_end::run(&kafka, arguments.records, measures)?;
    }
    if wanted(Name::Swap) {
        swap::run(&kafka, arguments.records, measures)?;
    }
    if wanted(Name::Spark) {
        match spark::python() {
            Ok(python) => spark::run(&kafka, &python, arguments.spark_records, measures)?,
            Err(why) => eprintln!("skipped: spark: {why}"),
        }
    }
    Ok(())
}
