//! `tallow functions run`: what a function makes of a sample.

use std::collections::BTreeMap;
use std::path::PathBuf;

use comfy_table::CellAlignment;
use serde_json::{Map, Value, json};
use tallow_engine::golden::{row_as_json, text_as_json};
use tallow_engine::{
    CallError, Component, Contract, Marked, Output, ParseFunction, ParseOptions, Parsed, Runtime, Table,
    WantedColumn, WindowFunction,
};
use tallow_manifest::{DEFAULT_SCALE, Overrides, Pipeline};
use tallow_record::Batch;
use tallow_vet::{Description, excerpt};

use super::find::{self, Found};
use super::sample::{self, Records};
use super::values;
use crate::cli::report::counted;
use crate::cli::table::{indented, table};
use crate::cli::{Failure, settings};
use tallow_env::exit;
use tallow_worker::plan::{Mode, Plan};

/// Rows and rejections that people are shown.
const SHOWN: usize = 40;

#[derive(clap::Args)]
pub struct Args {
    /// A component's file, or a component of the manifest
    #[arg(value_name = "FILE|NAME")]
    function: String,
    #[command(flatten)]
    find: find::Args,
    /// The sample: a message a line, or one message in a `.json` file; `-` is standard input
    #[arg(long, short, value_name = "PATH")]
    input: PathBuf,
    /// What is a message [default: the whole of a .json file, each line of others]
    #[arg(long, value_enum)]
    records: Option<Records>,
    /// The records' key
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// A setting of the parse function
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Show candles: a window as TOML, like `name = "1m", kinds = ["trade"], tumbling = "1m", keys = ["symbol"],
    /// aggregates = { close = "last(price)" }`
    #[arg(long = "window", value_name = "TOML")]
    windows: Vec<String>,
    /// Show candles of the manifest's windows
    #[arg(long, conflicts_with = "windows")]
    candles: bool,
    /// The other function that candles need: a window function for a parse function, and the other way round
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
    let records = args.records.unwrap_or_else(|| Records::of(&args.input));
    let batches = sample::read(&args.input, records, args.key.as_deref())?;
    let wants_candles = args.candles || !args.windows.is_empty();
    match description {
        Description::Parse(_) if wants_candles => {
            let plan = plan(&args, &found)?;
            let window = other(&args, &found, plan.pipeline.window_function(), &runtime, Contract::Window)?;
            candles(&args, &component, &window, &plan, batches)
        }
        Description::Parse(it) => {
            let mut options = found.plan().map_or_else(ParseOptions::default, |plan| plan.parse_options);
            if found.plan().is_none() {
                let wanted = |name: String| WantedColumn { name, scale: DEFAULT_SCALE };
                options.columns = it.columns.into_iter().map(|column| wanted(column.name)).collect();
            }
            with_settings(&args, &mut options)?;
            rows(&args, &component, options, batches)
        }
        Description::Window(_) => {
            let plan = plan(&args, &found)?;
            let parse = other(&args, &found, &plan.pipeline.parse, &runtime, Contract::Parse)?;
            candles(&args, &parse, &component, &plan, batches)
        }
        Description::Merge(_) => {
            let text = "a merge function reads tables, not records: `tallow merge` runs it";
            Err(Failure::new(exit::USAGE, text))
        }
        Description::Backfill(_) => {
            let text = "a backfill function reads an exchange's answers, not records: `tallow backfill --dry-run` shows \
                        what it would ask";
            Err(Failure::new(exit::USAGE, text))
        }
    }
}

/// The pipeline whose windows are shown.
fn plan(args: &Args, found: &Found) -> Result<Plan, Failure> {
    let plan = if args.windows.is_empty() {
        found.plan().ok_or_else(|| {
            let text =
                "which windows? Give them with --window, or a component of the manifest with --for NAME";
            Failure::new(exit::USAGE, text)
        })?
    } else {
        Plan::new(&pipeline_of(&args.windows)?, Mode::default())
    };
    let mut plan = plan;
    with_settings(args, &mut plan.parse_options)?;
    Ok(plan)
}

fn with_settings(args: &Args, options: &mut ParseOptions) -> Result<(), Failure> {
    let mut settings: BTreeMap<String, String> = options.settings.drain(..).collect();
    settings.extend(find::pairs(&args.settings)?);
    options.settings = settings.into_iter().collect();
    Ok(())
}

/// Windows of the command line, read as those of a manifest are.
fn pipeline_of(windows: &[String]) -> Result<Pipeline, Failure> {
    let tables: Vec<String> = windows.iter().map(|window| format!("{{ {window} }}")).collect();
    let text = format!(
        r#"spin_manifest_version = 2
application = {{ name = "run", trigger = {{ kafka = {{ brokers = "localhost", lake = "memory:///" }} }} }}
component = {{ parse = {{ source = "parse.wasm" }}, window = {{ source = "window.wasm" }} }}
[[trigger.kafka]]
id = "run"
topic = "sample"
parse = "parse"
windows = [{}]
"#,
        tables.join(", ")
    );
    let (path, folder) = (std::path::Path::new("--window"), std::path::Path::new("/"));
    let manifest = tallow_manifest::resolve(&text, path, folder, &BTreeMap::new(), &Overrides::default());
    let mut manifest = manifest.map_err(|errors| Failure::new(exit::USAGE, errors))?;
    Ok(manifest.pipelines.remove(0))
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
    Err(Failure::new(exit::USAGE, text))
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
    Failure::new(exit::FAILED, format!("function `{}`: it {error}", component.name()))
}

/// Rows as they are shown.
struct Shown {
    json: bool,
    begin: &'static [&'static str],
    table: Option<comfy_table::Table>,
    rows: usize,
}

impl Shown {
    fn new(json: bool, begin: &'static [&'static str]) -> Self {
        Self { json, begin, table: None, rows: 0 }
    }

    fn row(&mut self, of: &Table, row: usize, begin: Map<String, Value>) {
        self.rows += 1;
        if self.json {
            println!("{}", row_as_json(of, row, begin));
            return;
        }
        if self.rows > SHOWN {
            return;
        }
        let first = self.begin.iter().map(|name| match &begin[*name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let cells: Vec<String> = first.chain(values::row(of, row)).collect();
        self.table.get_or_insert_with(|| header(self.begin, of)).add_row(cells);
    }

    fn finish(self) {
        if let Some(table) = &self.table {
            println!("{}", indented(table));
        }
        if self.rows > SHOWN && !self.json {
            println!("  … and {} more (--json shows all)", counted((self.rows - SHOWN) as u64, "row"));
        }
    }
}

fn header(begin: &[&str], of: &Table) -> comfy_table::Table {
    let names: Vec<&str> =
        begin.iter().copied().chain(of.columns.iter().map(|column| column.name.as_str())).collect();
    let mut table = table(&names);
    if let Some(kind) = table.column_mut(begin.len() - 1) {
        kind.set_cell_alignment(CellAlignment::Left);
    }
    for (index, column) in of.columns.iter().enumerate() {
        if !values::is_number(&column.data)
            && let Some(column) = table.column_mut(begin.len() + index)
        {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    table
}

/// What became of the records.
#[derive(Default)]
struct Apart {
    records: usize,
    rows: usize,
    rounded: u64,
    ignored: BTreeMap<String, usize>,
    rejected: BTreeMap<String, usize>,
    /// Offset, reason and value of the first rejected ones.
    examples: Vec<(i64, String, String)>,
}

impl Apart {
    fn add(&mut self, batch: &Batch, parsed: &Parsed) {
        self.records += batch.len();
        self.rows += parsed.rows.table.rows as usize;
        self.rounded += parsed.rounded;
        let count = |counts: &mut BTreeMap<String, usize>, marked: &Marked| {
            marked.iter().for_each(|(_, reason)| *counts.entry(reason.to_owned()).or_default() += 1);
        };
        count(&mut self.ignored, &parsed.ignored);
        count(&mut self.rejected, &parsed.rejected);
        for (record, reason) in parsed.rejected.iter().take(SHOWN.saturating_sub(self.examples.len())) {
            let value = batch.values.get(record).unwrap_or_default();
            self.examples.push((batch.offsets[record], reason.to_owned(), excerpt(value)));
        }
    }

    fn finish(self, json: bool) {
        let Self { records, rows, rounded, ignored, rejected, examples } = self;
        if json {
            let counts = json!({
                "records": records, "rows": rows, "ignored": ignored, "rejected": rejected, "rounded": rounded,
            });
            println!("{}", json!({ "counts": counts }));
            return;
        }
        let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        let (ignored_sum, rejected_sum) = (sum(&ignored), sum(&rejected));
        let (records, rows) = (counted(records as u64, "record"), counted(rows as u64, "row"));
        println!("{records}: {rows}, {ignored_sum} ignored, {rejected_sum} rejected, {rounded} rounded");
        for (reason, records) in &ignored {
            println!("  ignored   {records:>6}  {reason}");
        }
        for (offset, reason, value) in &examples {
            println!("  rejected  offset {offset}: {reason}: {value}");
        }
    }
}
