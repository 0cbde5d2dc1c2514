//! `[[trigger.kafka]]`: a pipeline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::error::Report;
use crate::limits::{Epoch, Limits};
use crate::node::{Node, Value};
use crate::reader::{self, Reader};
use crate::swap::Swap;
use crate::topics::{self, StartingOffsets, Topics};
use crate::window::Window;
use crate::{config_digest, names, remote, schema};

/// A pipeline with everything decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    pub id: String,
    pub topics: Topics,
    /// The parse component's name.
    pub parse: String,
    pub parse_settings: BTreeMap<String, String>,
    /// Decimal places by column, where they are not [`DEFAULT_SCALE`].
    pub scales: BTreeMap<String, u8>,
    /// How far the watermark stays behind the newest event time.
    pub delay_us: i64,
    /// How far ahead of the chunk's clock an event time may be.
    pub max_future_us: i64,
    /// How long a partition must have been at its end to count as idle.
    pub idle_after: Duration,
    /// Whether the watermark follows the clock while all partitions are idle.
    pub idle_advance: bool,
    pub starting_offsets: StartingOffsets,
    pub on_data_loss: OnDataLoss,
    pub on_reject: OnReject,
    pub on_bad_function: OnBadFunction,
    /// None: the host decides.
    pub parse_workers: Option<usize>,
    pub fetch_clients: usize,
    pub new_partitions_every: Duration,
    /// Whether the records themselves are kept in the lake, as long as their commit is.
    pub archive: bool,
    /// Newest commits that the log keeps, with their state and output.
    pub verify_retention: u64,
    pub epoch: Epoch,
    pub limits: Limits,
    /// Whether `tallow up` fetches by itself what the stream lacks.
    pub auto_backfill: bool,
    /// How decimals are written into the lake.
    pub decimals: Decimals,
    pub swap: Swap,
    /// At least one; all of one function and one time column.
    pub windows: Vec<Window>,
    /// SHA-256, in hexadecimal, of [`Pipeline::meaning`].
    pub digest: String,
}

/// Decimal places of a column whose `scales` entry is missing.
pub const DEFAULT_SCALE: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDataLoss {
    Halt,
    Continue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReject {
    DeadLetter,
    Drop,
    Fail,
}

/// What a start does with a changed file that is not fit to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadFunction {
    #[default]
    Stop,
    /// The functions of the last run go on.
    LastGood,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimals {
    Double,
    Decimal,
}

/// A column that parse must make, with the decimal places to keep if it is a decimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedColumn {
    pub name: String,
    pub scale: u8,
}

impl Pipeline {
    /// Kinds of rows that any of the windows takes; sorted.
    pub fn kinds(&self) -> Vec<String> {
        let kinds: BTreeSet<&String> = self.windows.iter().flat_map(|window| &window.kinds).collect();
        kinds.into_iter().cloned().collect()
    }

    /// Columns that any of the windows reads; sorted by name.
    pub fn wanted_columns(&self) -> Vec<WantedColumn> {
        columns(&self.windows)
            .into_iter()
            .map(|name| WantedColumn { name: name.to_owned(), scale: self.scale(name) })
            .collect()
    }

    pub fn scale(&self, column: &str) -> u8 {
        self.scales.get(column).copied().unwrap_or(DEFAULT_SCALE)
    }

    /// Has the watermark follow the clock while all partitions are idle, whatever the manifest says. That decides which
    /// candles come out, so it is another pipeline by its digest.
    pub fn follow_clock_when_idle(&mut self) {
        self.idle_advance = true;
        self.digest = config_digest::digest(&self.meaning());
    }

    /// The event-time column of all windows.
    pub fn time(&self) -> &str {
        self.windows.first().map_or("", |window| &window.time)
    }

    /// The window component's name.
    pub fn window_function(&self) -> &str {
        self.windows.first().map_or("", |window| &window.function)
    }

    /// Name of a window's table in the lake, below `speed/`.
    pub fn table(&self, window: &Window) -> String {
        format!("{}_{}", self.id, window.name)
    }

    pub(crate) fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let reader = Reader::open(node, &schema::PIPELINE, report)?;
        let id = reader.required("id", report, names::pipeline);
        let topics = topics::read_topics(&reader, report);
        let parse = reader.required("parse", report, remote::read_function);
        let parse_settings = reader.optional("parse-settings", report, read_parse_settings);
        let delay_us = reader.required("delay", report, reader::duration_us);
        let max_future_us = reader.required("max-future", report, reader::duration_us);
        let idle_after = reader.required("idle-after", report, reader::duration);
        let idle_advance = reader.required("idle-advance", report, reader::boolean);
        let starting_offsets = reader.required("starting-offsets", report, topics::read_starting_offsets);
        let on_data_loss = reader.required("on-data-loss", report, |node, report| {
            let choices = [("halt", OnDataLoss::Halt), ("continue", OnDataLoss::Continue)];
            reader::choice(node, &choices, report)
        });
        let on_reject = reader.required("on-reject", report, read_on_reject);
        let on_bad_function = reader.required("on-bad-function", report, read_on_bad_function);
        let parse_workers =
            reader.optional("parse-workers", report, |node, report| reader::integer(node, 1..=64, report));
        let fetch_clients =
            reader.required("fetch-clients", report, |node, report| reader::integer(node, 1..=16, report));
        let new_partitions_every = reader.required("new-partitions-every", report, reader::positive_duration);
        let archive = reader.required("archive", report, reader::boolean);
        let verify_retention = reader
            .required("verify-retention", report, |node, report| reader::integer(node, 2..=100_000, report));
        let epoch = Epoch::read(&reader, report);
        let limits = Limits::read(&reader, report);
        let auto_backfill = reader.required("backfill", report, |node, report| {
            reader::choice(node, &[("manual", false), ("auto", true)], report)
        });
        let decimals = reader
            .inner("lake", &schema::LAKE, report)
            .and_then(|lake| lake.required("decimals", report, read_decimals));
        let swap = Swap::read(&reader, report);
        let windows = reader.required("windows", report, read_windows);
        if let (Some(swap), Some(windows)) = (&swap, &windows) {
            swap.check_columns(node, windows, report);
        }
        let scales = reader.optional("scales", report, |node, report| {
            read_scales(node, windows.as_deref().unwrap_or_default(), report)
        });
        let mut pipeline = Self {
            id: id?,
            topics: topics?,
            parse: parse?,
            parse_settings: parse_settings?.unwrap_or_default(),
            scales: scales?.unwrap_or_default(),
            delay_us: delay_us?,
            max_future_us: max_future_us?,
            idle_after: idle_after?,
            idle_advance: idle_advance?,
            starting_offsets: starting_offsets?,
            on_data_loss: on_data_loss?,
            on_reject: on_reject?,
            on_bad_function: on_bad_function?,
            parse_workers: parse_workers?.map(|workers| workers as usize),
            fetch_clients: fetch_clients? as usize,
            new_partitions_every: new_partitions_every?,
            archive: archive?,
            verify_retention: verify_retention? as u64,
            epoch: epoch?,
            limits: limits?,
            auto_backfill: auto_backfill?,
            decimals: decimals?,
            swap: swap?,
            windows: windows?,
            digest: String::new(),
        };
        pipeline.digest = config_digest::digest(&pipeline.meaning());
        Some(pipeline)
    }
}

fn columns(windows: &[Window]) -> BTreeSet<&str> {
    windows.iter().flat_map(Window::columns).collect()
}

pub(crate) fn read_parse(node: &Node, report: &mut Report) -> Option<String> {
    if matches!(node.value, Value::Table(_)) {
        let reader = Reader::open(node, &schema::PARSE, report)?;
        if !reader.has("component") && reader.has("remote") {
            return None;
        }
        return reader.required("component", report, reader::text);
    }
    reader::text(node, report)
}

pub(crate) fn read_parse_settings(node: &Node, report: &mut Report) -> Option<BTreeMap<String, String>> {
    let entries = &reader::table(node, report)?.entries;
    let settings: Vec<_> = entries
        .iter()
        .map(|entry| {
            let value = match &entry.node.value {
                Value::Integer(number) => Some(number.to_string()),
                Value::Float(number) => Some(number.to_string()),
                Value::Boolean(yes) => Some(yes.to_string()),
                _ => reader::text(&entry.node, report),
            };
            Some((entry.key.clone(), value?))
        })
        .collect();
    settings.into_iter().collect()
}

const ON_REJECT: [(&str, OnReject); 3] =
    [("dead-letter", OnReject::DeadLetter), ("drop", OnReject::Drop), ("fail", OnReject::Fail)];

pub(crate) fn read_on_reject(node: &Node, report: &mut Report) -> Option<OnReject> {
    reader::choice(node, &ON_REJECT, report)
}

/// As the manifest writes it.
pub(crate) fn on_reject_name(on_reject: OnReject) -> &'static str {
    ON_REJECT.iter().find(|(_, known)| *known == on_reject).map_or("", |(name, _)| name)
}

fn read_on_bad_function(node: &Node, report: &mut Report) -> Option<OnBadFunction> {
    reader::choice(node, &[("stop", OnBadFunction::Stop), ("last-good", OnBadFunction::LastGood)], report)
}

pub(crate) fn read_decimals(node: &Node, report: &mut Report) -> Option<Decimals> {
    reader::choice(node, &[("double", Decimals::Double), ("decimal", Decimals::Decimal)], report)
}

pub(crate) fn read_scales(
    node: &Node,
    windows: &[Window],
    report: &mut Report,
) -> Option<BTreeMap<String, u8>> {
    let wanted: Vec<&str> = columns(windows).into_iter().collect();
    let entries = &reader::table(node, report)?.entries;
    let scales: Vec<_> = entries
        .iter()
        .map(|entry| {
            let scale = reader::integer(&entry.node, 0..=18, report);
            if !windows.is_empty() && !wanted.contains(&entry.key.as_str()) {
                let suggestion = crate::error::suggestion(&entry.key, &wanted);
                let problem = format!("no window of this pipeline reads such a column; {suggestion}");
                report.add(entry.key_place, &entry.node.path, problem);
            }
            Some((entry.key.clone(), scale? as u8))
        })
        .collect();
    scales.into_iter().collect()
}

fn read_windows(node: &Node, report: &mut Report) -> Option<Vec<Window>> {
    let items = reader::list(node, "[[trigger.kafka.windows]] with two brackets", report)?;
    if items.is_empty() {
        report.at(node, "name at least one window");
        return None;
    }
    let windows: Vec<_> = items.iter().map(|item| Window::read(item, report)).collect();
    let read: Vec<(&Node, &Window)> =
        items.iter().zip(&windows).filter_map(|(item, window)| Some((item, window.as_ref()?))).collect();
    for (index, (item, window)) in read.iter().enumerate() {
        if read[..index].iter().any(|(_, other)| other.name == window.name) {
            report.at(
                item,
                format!("a window `{}` is there already; names are unique in a pipeline", window.name),
            );
        }
        let (_, first) = read[0];
        if first.function != window.function {
            report.at(
                item,
                format!(
                    "`function` is `{}` here and `{}` in window `{}`: one function computes all windows of a \
                     pipeline; write a second [[trigger.kafka]] for the other",
                    window.function, first.function, first.name
                ),
            );
        }
        if first.time != window.time {
            report.at(
                item,
                format!(
                    "`time` is `{}` here and `{}` in window `{}`: the windows of a pipeline share one watermark, so \
                     they go by one time column; write a second [[trigger.kafka]] for the other",
                    window.time, first.time, first.name
                ),
            );
        }
    }
    windows.into_iter().collect()
}
