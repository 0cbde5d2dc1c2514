//! `[application.trigger.kafka.merge.NAME]`: one table of batch and speed.

mod columns;

use std::time::Duration;

use serde_json::json;

pub(crate) use self::columns::check as check_columns;
use crate::aggregate;
use crate::error::{Problem, Report, suggestion};
use crate::forms::{BOOLEAN, COLUMN, COMPONENT, Form, Integer, POSITIVE_DURATION, POSITIVE_US, TEXT};
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::section::{Written, read_section};
use crate::table::{Rule, table};
use crate::window::{Shape, Window};
use crate::{names, schema_pieces, values};

table! {
    /// A merge with everything decided. Its tables are `serving/<name>` and `prophet_input/<name>`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Merge in "[application.trigger.kafka.merge.NAME]",
        "A merge: one table `serving/NAME`, partitioned by key and year, of a batch table and a pipeline's window. At \
         least one of `batch` and `speed` is given.";
    rule Rule::AtLeastOne(
        &["batch", "speed"],
        "one of `batch` and `speed` is missing: there is nothing to merge"
    );
    fn read(reader, report, called: &str, pipelines: &[Written<Pipeline>]);

    "What the job is called."
    pub name: String = from(names::job(called, reader.node(), report));

    "The table below `batch/`."
    pub batch: Option<String> = key("batch", names::TABLE, none("no batch table"));

    "The table below `speed/`, of a tumbling window with one key."
    let window: Option<SpeedTable> = key(
        "speed",
        TEXT.called("`\"<pipeline>_<window>\"`"),
        none("no speed table"),
        |node, report| SpeedTable::read(node, pipelines, report)
    );

    "The merge function."
    pub function: String = key("function", COMPONENT, default("\"merge\""));

    "The key's column, by which the tables are partitioned."
    pub key: String = key("key", TEXT_COLUMN, default("\"symbol\""));

    "Table below `speed/`, of a window of this manifest."
    pub speed: Option<String> = from({
        if let (Some(Some(window)), Some(key)) = (&window, &key)
            && window.key != *key
        {
            let (table, is) = (&window.table, &window.key);
            report.at(reader.node(), format!("the key of `{table}` is `{is}`, not `{key}`: name it with `key`"));
        }
        Some(window.as_ref()?.as_ref().map(|window| window.table.clone()))
    });

    "Size of the windows."
    let step: Option<u64> =
        key("step", POSITIVE_US, none("the size of the window that `speed` names, else one day"));

    "Size of the windows."
    pub step_us: u64 = from({
        let (step_us, window_us) = (step?, window?.map(|window| window.size_us));
        if step_us.is_some() && window_us.is_some() && step_us != window_us {
            report.at(reader.node(), "`step` is not the size of the window that `speed` names: leave it out");
        }
        step_us.or(window_us).or(Some(DAY_US))
    });

    "Whether windows that neither table has are filled in, and marked."
    pub fill: bool = key("fill", BOOLEAN, default("true"));

    "Columns that a filled window copies from the last real one, each from its own."
    pub carry: Option<Vec<String>> =
        key("carry", COLUMNS, none("those of `open`, `high`, `low`, `close` that the tables have"));

    "Columns that are 0 in a filled window. All others are null there."
    pub zero: Option<Vec<String>> =
        key("zero", COLUMNS, none("those of `volume`, `quote_volume`, `trades` that the tables have"));

    "Trailing averages, this window included, partial at the start."
    pub averages: Option<Vec<Average>> =
        key("averages", AVERAGES, none("`ma7 = \"mean(close, 7)\"` and `ma30 = \"mean(close, 30)\"`"));

    "The column that becomes `y` of `prophet_input/NAME`; `\"\"` writes no such table."
    pub prophet: Option<String> = key("prophet", COLUMN_OR_NOTHING, default("\"close\""));

    "Whether `tallow up` merges when a day (or longer window) has closed, and batch and backfill when they are done."
    pub auto: bool = key("auto", BOOLEAN, default("true"));

    "Whether gaps are noted for a backfill to fetch."
    pub heal: bool = key("heal", BOOLEAN, default("true"));

    "Runs for which replaced partitions are kept, and can be restored."
    pub keep_backups: u64 = key("keep-backups", Integer(0, 1000), default("5"));

    "Age at which the speed files of a day are removed, after the day is served in full."
    pub speed_retention: Option<Duration> =
        key("speed-retention", POSITIVE_DURATION, none("speed files are kept"));
}

const TEXT_COLUMN: Form<String> = COLUMN.called("a text column");
const COLUMNS: Form<Vec<String>> = Form::new(
    "a list of columns",
    || json!({ "type": "array", "items": schema_pieces::column(), "uniqueItems": true }),
    |node, report| names::list(node, "a list of columns", &COLUMN, report),
);
const COLUMN_OR_NOTHING: Form<Option<String>> = Form::parsed(
    "a column, or `\"\"`",
    || schema_pieces::either([json!({ "const": "" }), schema_pieces::column()]),
    "a column",
    |text| if text.is_empty() { Ok(None) } else { aggregate::column(text).map(Some) },
);
pub(crate) const AVERAGES: Form<Vec<Average>> =
    Form::new("a table of name = \"mean(column, windows)\"", schema_pieces::averages, |node, report| {
        values::entries(node, report, |entry, report| {
            if let Err(problem) = aggregate::column(&entry.key) {
                report.add(entry.key_place, &entry.node.path, problem);
                return None;
            }
            let form = "an expression like \"mean(close, 7)\"";
            values::parsed(&entry.node, form, report, |text| average(&entry.key, text))
        })
    });

/// A trailing average.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Average {
    /// Name of the column that it makes.
    pub name: String,
    pub column: String,
    /// In windows, this one included.
    pub length: u32,
}

const DAY_US: u64 = 86_400_000_000;

/// A longer one is not meant as windows.
const LONGEST_AVERAGE: u32 = 100_000;

/// The merges of `[application.trigger.kafka]`, by name, each with its table.
pub(crate) fn read_all(
    cluster: &Node,
    pipelines: &[Written<Pipeline>],
    report: &mut Report,
) -> Vec<Written<Merge>> {
    let mut merges = read_section(cluster, "merge", report, |entry, _, report| {
        Merge::read(&entry.node, &entry.key, pipelines, report)
    });
    merges.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
    merges
}

/// The table of a pipeline's tumbling window.
struct SpeedTable {
    table: String,
    size_us: u64,
    /// The window's one key.
    key: String,
}

impl SpeedTable {
    fn read(node: &Node, pipelines: &[Written<Pipeline>], report: &mut Report) -> Option<Self> {
        let wanted = values::text(node, report)?;
        let windows: Vec<(String, &Window)> = pipelines
            .iter()
            .flat_map(|(_, pipeline)| pipeline.windows.iter().map(|window| (pipeline.table(window), window)))
            .collect();
        let Some((table, window)) = windows.iter().find(|(table, _)| *table == wanted) else {
            let known: Vec<&str> = windows.iter().map(|(table, _)| table.as_str()).collect();
            return report.refuse(
                node,
                format!("no pipeline writes a table `{wanted}`; {}", suggestion(&wanted, &known)),
            );
        };
        match (window.shape, &window.keys[..]) {
            (Shape::Tumbling { size_us }, [key]) => {
                Some(Self { table: table.clone(), size_us, key: key.clone() })
            }
            _ => {
                let problem =
                    format!("`{table}` is not of a tumbling window with one key: it cannot be merged");
                report.refuse(node, problem)
            }
        }
    }
}

fn average(name: &str, text: &str) -> Result<Average, Problem> {
    let parse = || {
        let inside = text.trim().strip_prefix("mean")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
        let (column, length) = inside.split_once(',')?;
        let length = length.trim().parse().ok().filter(|length| (1..=LONGEST_AVERAGE).contains(length))?;
        Some((column.trim(), length))
    };
    let (column, length) = parse().ok_or_else(|| {
        format!(
            "write it as mean(column, windows), like \"mean(close, 7)\", over 1 to {LONGEST_AVERAGE} windows"
        )
    })?;
    Ok(Average { name: name.to_owned(), column: aggregate::column(column)?, length })
}
