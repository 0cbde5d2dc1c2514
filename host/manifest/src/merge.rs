//! `[application.trigger.kafka.merge.NAME]`: one table of batch and speed.

mod columns;

use std::time::Duration;

pub(crate) use self::columns::check as check_columns;
use crate::aggregate;
use crate::error::{Report, suggestion};
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::reader::{self, Reader};
use crate::section::{Written, read_section};
use crate::window::{Shape, Window};
use crate::{names, schema};

/// A merge with everything decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Its tables are `serving/<name>` and `prophet_input/<name>`.
    pub name: String,
    /// Table below `batch/`; one of `batch` and `speed` is there.
    pub batch: Option<String>,
    /// Table below `speed/`, of a window of this manifest.
    pub speed: Option<String>,
    /// The merge component's name.
    pub function: String,
    /// Column by which the tables are partitioned.
    pub key: String,
    /// Size of the windows.
    pub step_us: u64,
    pub fill: bool,
    /// None: of the usual columns those that the tables have.
    pub carry: Option<Vec<String>>,
    /// None: of the usual columns those that the tables have.
    pub zero: Option<Vec<String>>,
    /// None: `ma7` and `ma30` of `close`, where the tables have it.
    pub averages: Option<Vec<Average>>,
    /// The column that becomes `y`; none: no such table.
    pub prophet: Option<String>,
    /// Whether it runs by itself.
    pub auto: bool,
    /// Whether holes are noted for a backfill.
    pub heal: bool,
    /// Runs for which replaced partitions are kept.
    pub keep_backups: u64,
    /// Age at which speed files that are served may go; none: never.
    pub speed_retention: Option<Duration>,
}

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

/// Beyond it nobody means windows.
const LONGEST_AVERAGE: u32 = 100_000;

/// The merges of `[application.trigger.kafka]`, by name, each with its table.
pub(crate) fn read_all(
    cluster: &Node,
    pipelines: &[Written<Pipeline>],
    report: &mut Report,
) -> Vec<Written<Merge>> {
    let mut merges = read_section(cluster, "merge", report, |entry, _, report| {
        Merge::read(&entry.key, &entry.node, pipelines, report)
    });
    merges.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
    merges
}

impl Merge {
    fn read(name: &str, node: &Node, pipelines: &[Written<Pipeline>], report: &mut Report) -> Option<Self> {
        let reader = Reader::open(node, &schema::MERGE, report)?;
        if let Err(problem) = names::check(name) {
            report.at(node, format!("`{name}`: {problem}"));
        }
        let batch = reader.optional("batch", report, names::window);
        let speed = reader.optional("speed", report, |node, report| window_of(node, pipelines, report));
        if !reader.has("batch") && !reader.has("speed") {
            report.at(node, "one of `batch` and `speed` is missing: there is nothing to merge");
        }
        let function = reader.required("function", report, reader::text);
        let key = reader.required("key", report, column);
        let step_us = reader.optional("step", report, |node, report| {
            reader::positive_duration(node, report).map(|step| step.as_micros() as u64)
        });
        let fill = reader.required("fill", report, reader::boolean);
        let carry = reader.optional("carry", report, columns);
        let zero = reader.optional("zero", report, columns);
        let averages = reader.optional("averages", report, read_averages);
        let prophet = reader.required("prophet", report, |node, report| {
            reader::parsed(node, "a column", report, |text| match text {
                "" => Ok(None),
                text => aggregate::check_column(text).map(|()| Some(text.to_owned())),
            })
        });
        let auto = reader.required("auto", report, reader::boolean);
        let heal = reader.required("heal", report, reader::boolean);
        let keep_backups =
            reader.required("keep-backups", report, |node, report| reader::integer(node, 0..=1000, report));
        let speed_retention = reader.optional("speed-retention", report, reader::positive_duration);

        let speed = speed?;
        let window_us = speed.as_ref().map(|(_, size_us, _)| *size_us);
        if let (Some(step_us), Some(window_us)) = (step_us?, window_us)
            && step_us != window_us
        {
            report.at(node, "`step` is not the size of the window that `speed` names: leave it out");
        }
        let key = key?;
        if let Some((table, _, window_key)) = &speed
            && *window_key != key
        {
            report
                .at(node, format!("the key of `{table}` is `{window_key}`, not `{key}`: name it with `key`"));
        }
        Some(Self {
            name: name.to_owned(),
            batch: batch?,
            function: function?,
            key,
            step_us: step_us?.or(window_us).unwrap_or(DAY_US),
            speed: speed.map(|(table, ..)| table),
            fill: fill?,
            carry: carry?,
            zero: zero?,
            averages: averages?,
            prophet: prophet?,
            auto: auto?,
            heal: heal?,
            keep_backups: keep_backups? as u64,
            speed_retention: speed_retention?,
        })
    }
}

/// The table of a pipeline's tumbling window, with the window's size and its one key.
fn window_of(
    node: &Node,
    pipelines: &[Written<Pipeline>],
    report: &mut Report,
) -> Option<(String, u64, String)> {
    let wanted = reader::text(node, report)?;
    let windows: Vec<(String, &Window)> = pipelines
        .iter()
        .flat_map(|(_, pipeline)| pipeline.windows.iter().map(|window| (pipeline.table(window), window)))
        .collect();
    let Some((table, window)) = windows.iter().find(|(table, _)| *table == wanted) else {
        let known: Vec<&str> = windows.iter().map(|(table, _)| table.as_str()).collect();
        report.at(node, format!("no pipeline writes a table `{wanted}`; {}", suggestion(&wanted, &known)));
        return None;
    };
    match (window.shape, &window.keys[..]) {
        (Shape::Tumbling { size_us }, [key]) => Some((table.clone(), size_us, key.clone())),
        _ => {
            report
                .at(node, format!("`{table}` is not of a tumbling window with one key: it cannot be merged"));
            None
        }
    }
}

fn column(node: &Node, report: &mut Report) -> Option<String> {
    reader::parsed(node, "a column", report, |text| aggregate::check_column(text).map(|()| text.to_owned()))
}

fn columns(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let items = reader::list(node, "a list of columns", report)?;
    let columns: Vec<_> = items.iter().map(|item| column(item, report)).collect();
    let columns: Vec<String> = columns.into_iter().collect::<Option<_>>()?;
    names::unique(node, &columns, report).then_some(columns)
}

pub(crate) fn read_averages(node: &Node, report: &mut Report) -> Option<Vec<Average>> {
    let table = reader::table(node, report)?;
    let averages: Vec<_> = table
        .entries
        .iter()
        .map(|entry| {
            if let Err(problem) = aggregate::check_column(&entry.key) {
                report.add(entry.key_place, &entry.node.path, problem);
                return None;
            }
            let form = "an expression like \"mean(close, 7)\"";
            reader::parsed(&entry.node, form, report, |text| average(&entry.key, text))
        })
        .collect();
    averages.into_iter().collect()
}

fn average(name: &str, text: &str) -> Result<Average, String> {
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
    aggregate::check_column(column)?;
    Ok(Average { name: name.to_owned(), column: column.to_owned(), length })
}
