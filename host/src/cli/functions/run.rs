//! `tallow functions run`: what a function makes of a sample.

mod forecast;
mod show;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, json};
use tallow_engine::golden::text_as_json;
use tallow_engine::{
    CallError, Component, Contract, Output, ParseFunction, ParseOptions, Runtime, WantedColumn,
    WindowFunction,
};
use tallow_manifest::{DEFAULT_SCALE, Pipeline};
use tallow_record::Batch;
use tallow_vet::Description;

use self::show::{Apart, Shown};
use super::find::{self, Found};
use super::sample::{self, Records};
use crate::cli::{Failure, settings};
use tallow_worker::plan::{Mode, Plan};

#[derive(clap::Args)]
pub struct Args {
    /// A component's file, or a component of the manifest
    #[arg(value_name = "FILE|NAME")]
    function: String,
    #[command(flatten)]
    find: find::Args,
    /// The sample: a message a line, or one message in a `.json` file; `-` is standard input. For a forecast function:
    /// a request, as in its golden vectors
    #[arg(long, short, value_name = "PATH")]
    input: PathBuf,
    /// What counts as a message [default: the whole of a .json file, each line of others]
    #[arg(long, value_enum)]
    records: Option<Records>,
    /// The records' key
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// A setting of the parse or forecast function
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Show candles: a window as TOML, like `name = "1m", kinds = ["trade"], tumbling = "1m", keys = ["symbol"],
    /// aggregates = { close = "last(price)" }`
    #[arg(long = "window", value_name = "TOML")]
    windows: Vec<String>,
    /// Show candles of the manifest's windows
    #[arg(long, conflicts_with = "windows")]
    candles: bool,
    /// The other function that candles need: a window function for a parse function, or the reverse
    /// [default: the manifest's]
    #[arg(long, value_name = "FILE|NAME")]
    with: Option<String>,
    /// Print JSON: a line a row, then a line of counts
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let found = args.find.find(&args.function)?;
    let runtime = found.runtime()?;
    let (component, description) = found.load(&runtime, None, args.json)?;
    let batches = || {
        let records = args.records.unwrap_or_else(|| Records::of(&args.input));
        sample::read(&args.input, records, args.key.as_deref())
    };
    let wants_candles = args.candles || !args.windows.is_empty();
    match description {
        Description::Parse(_) if wants_candles => {
            let plan = plan(&args, &found)?;
            let window = other(&args, &found, plan.pipeline.window_function(), &runtime, Contract::Window)?;
            candles(&args, &component, &window, &plan, batches()?)
        }
        Description::Parse(it) => {
            let mut options = found.plan().map_or_else(ParseOptions::default, |plan| plan.parse_options);
            with_settings(&args, &mut options)?;
            if found.plan().is_none() {
                let wanted = |name: &String| WantedColumn { name: name.clone(), scale: DEFAULT_SCALE };
                let it = it.with_settings(&options.settings);
                options.columns = it.columns.iter().map(|column| wanted(&column.name)).collect();
            }
            rows(&args, &component, options, batches()?)
        }
        Description::Window(_) => {
            let plan = plan(&args, &found)?;
            let parse = other(&args, &found, &plan.pipeline.parse, &runtime, Contract::Parse)?;
            candles(&args, &parse, &component, &plan, batches()?)
        }
        Description::Merge(_) => {
            let text = "a merge function reads tables, not records: `tallow merge` runs it";
            Err(Failure::usage(text))
        }
        Description::Feed(_) => {
            let text = "a feed function reads an exchange's sockets, not records: `tallow produce --source feed` runs it";
            Err(Failure::usage(text))
        }
        Description::Forecast(_) => {
            let of_records = args.records.is_some() || args.key.is_some() || args.with.is_some();
            if of_records || wants_candles {
                let text = "a forecast function reads a request, not records: leave out --records, --key, --with, \
                            --window and --candles";
                return Err(Failure::usage(text));
            }
            let settings = find::pairs(&args.settings)?.into_iter().collect();
            forecast::run(&component, &args.input, settings, args.json)
        }
        Description::Backfill(_) => {
            let text = "a backfill function reads an exchange's answers, not records: `tallow backfill --dry-run` shows \
                        what it would ask";
            Err(Failure::usage(text))
        }
    }
}

/// The pipeline whose windows are shown.
fn plan(args: &Args, found: &Found) -> Result<Plan, Failure> {
    let mut plan = if args.windows.is_empty() {
        let which = "which windows? Give them with --window, or a component of the manifest with --for NAME";
        found.plan().ok_or_else(|| Failure::usage(which))?
    } else {
        let pipeline = Pipeline::of_windows(&args.windows, Path::new("--window")).map_err(Failure::usage)?;
        Plan::new(&pipeline, Mode::default())
    };
    with_settings(args, &mut plan.parse_options)?;
    Ok(plan)
}

fn with_settings(args: &Args, options: &mut ParseOptions) -> Result<(), Failure> {
    let mut settings: BTreeMap<String, String> = options.settings.drain(..).collect();
    settings.extend(find::pairs(&args.settings)?);
    options.settings = settings.into_iter().collect();
    Ok(())
}

/// The function beside the one that was named.
fn other(
    args: &Args,
    found: &Found,
    name: &str,
    runtime: &Runtime,
    contract: Contract,
) -> Result<Component, Failure> {
    if let Some(with) = &args.with {
        return Ok(args.find.find(with)?.load(runtime, Some(contract), args.json)?.0);
    }
    if let (Some(manifest), true) = (&found.manifest, args.windows.is_empty()) {
        return settings::component(manifest, runtime, name, contract);
    }
    let text = format!("candles need a {} function too: name its file with --with", contract.name());
    Err(Failure::usage(text))
}

fn rows(
    args: &Args,
    component: &Component,
    options: ParseOptions,
    batches: Vec<Batch>,
) -> Result<(), Failure> {
    let mut function = parse_function(component, options)?;
    let mut shown = Shown::new(args.json, &["offset", "kind"]);
    let mut apart = Apart::default();
    for mut batch in batches {
        let parsed = function.parse(&mut batch).map_err(|error| failed(component, &error))?;
        let rows = &parsed.rows;
        for row in 0..rows.table.rows as usize {
            let offset = rows.offsets[rows.records[row] as usize];
            let begin =
                [("offset".to_owned(), json!(offset)), ("kind".to_owned(), text_as_json(&rows.kinds, row))];
            shown.row(&rows.table, row, Map::from_iter(begin));
        }
        apart.add(&batch, &parsed);
    }
    shown.finish();
    apart.finish(args.json);
    Ok(())
}

fn candles(
    args: &Args,
    parse: &Component,
    window: &Component,
    plan: &Plan,
    batches: Vec<Batch>,
) -> Result<(), Failure> {
    let mut function = parse_function(parse, plan.parse_options.clone())?;
    let failed_window = |error: CallError| failed(window, &error);
    let mut windows = WindowFunction::open(window, plan.limits, &plan.specs).map_err(failed_window)?;
    let mut apart = Apart::default();
    for mut batch in batches {
        let parsed = function.parse(&mut batch).map_err(|error| failed(parse, &error))?;
        windows.update(&parsed.rows).map_err(failed_window)?;
        apart.add(&batch, &parsed);
    }
    // The sample is all there is: every window that it opened is closed.
    let outputs: Vec<Output> = windows.advance(i64::MAX).map_err(failed_window)?;
    for (index, spec) in plan.specs.iter().enumerate() {
        let mut shown = Shown::new(args.json, &["window"]);
        for output in outputs.iter().filter(|output| output.spec as usize == index) {
            for row in 0..output.table.rows as usize {
                let begin = [("window".to_owned(), json!(spec.name))];
                shown.row(&output.table, row, Map::from_iter(begin));
            }
        }
        shown.finish();
    }
    apart.finish(args.json);
    Ok(())
}

fn parse_function(component: &Component, options: ParseOptions) -> Result<ParseFunction, Failure> {
    ParseFunction::new(component, Default::default(), options).map_err(|error| failed(component, &error))
}

fn failed(component: &Component, error: &CallError) -> Failure {
    Failure::failed(format!("function `{}`: it {error}", component.name()))
}
