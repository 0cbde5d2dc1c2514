//! `[application.trigger.kafka.batch.NAME]`: files into a rebuilt table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::json;

use crate::error::Report;
use crate::limits::Limits;
use crate::merge::{self, Average};
use crate::node::{Node, Value};
use crate::pipeline::{self, Decimals, OnReject};
use crate::reader::{self, Reader};
use crate::secret::Setting;
use crate::section::{Written, read_section};
use crate::window::{self, Shape, Window};
use crate::{config_digest, names, schema};

/// A batch job with everything decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub name: String,
    /// Paths and URLs with wildcards; at least one.
    pub inputs: Vec<String>,
    /// Object-store options by name, for inputs in a store.
    pub input_options: BTreeMap<String, Setting>,
    pub checksums: Checksums,
    /// Table below `batch/`.
    pub table: String,
    /// The parse component's name.
    pub parse: String,
    pub parse_settings: BTreeMap<String, String>,
    pub symbol: SymbolOf,
    /// As the parse function takes it (`1m`); none: as the files show.
    pub interval: Option<String>,
    /// Keyed by `symbol`, tumbling.
    pub window: Window,
    /// Decimal places by column, where they are not [`crate::DEFAULT_SCALE`].
    pub scales: BTreeMap<String, u8>,
    /// How long a time without rows is that counts as a gap; none: any.
    pub gap_us: Option<i64>,
    pub max_future_us: i64,
    pub on_reject: OnReject,
    /// Whether files without rows, and lost rows, are meant.
    pub allow_empty: bool,
    /// The merge component's name.
    pub merge: String,
    pub fill: bool,
    pub averages: Vec<Average>,
    pub decimals: Decimals,
    /// Runs for which replaced partitions are kept.
    pub keep_backups: u64,
    /// None: the host decides.
    pub workers: Option<usize>,
    /// Folder for what memory has no room for; none: the system's for temporary files.
    pub scratch: Option<PathBuf>,
    pub limits: Limits,
    /// SHA-256, in hexadecimal, of all that decides which rows the job makes of which files.
    pub digest: String,
}

/// What is done about the checksums beside files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksums {
    Present,
    Required,
    Ignored,
}

/// What names the symbol of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SymbolOf {
    /// A column of the files.
    Column,
    Fixed(String),
    /// The file's name.
    File(FilePattern),
}

/// A regular expression for names of files: what its first group matches, or all of it where it has none. One with a
/// slash in it is for the path, folders included.
#[derive(Clone, Debug)]
pub struct FilePattern(Regex);

impl FilePattern {
    pub fn find<'n>(&self, path: &'n str) -> Option<&'n str> {
        let name = match self.as_str().contains('/') {
            true => path,
            false => path.rsplit('/').next()?,
        };
        let found = self.0.captures(name)?;
        let part = found.get(1).or_else(|| found.get(0))?.as_str();
        (!part.is_empty()).then_some(part)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for FilePattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for FilePattern {}

/// The batches of `[application.trigger.kafka]`, by name, each with its table.
pub(crate) fn read_all(cluster: &Node, folder: &Path, report: &mut Report) -> Vec<Written<Batch>> {
    let mut batches = read_section(cluster, "batch", report, |entry, _, report| {
        Batch::read(&entry.key, &entry.node, folder, report)
    });
    batches.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
    for index in 1..batches.len() {
        let (node, batch) = &batches[index];
        if let Some((_, other)) = batches[..index].iter().find(|(_, other)| other.table == batch.table) {
            let problem = format!(
                "batch `{}` writes the table `{}` too: each would remove what the other wrote",
                other.name, other.table
            );
            report.at(node, problem);
        }
    }
    batches
}

impl Batch {
    fn read(name: &str, node: &Node, folder: &Path, report: &mut Report) -> Option<Self> {
        let reader = Reader::open(node, &schema::BATCH, report)?;
        if let Err(problem) = names::check(name) {
            report.at(node, format!("`{name}`: {problem}"));
        }
        let inputs = reader.required("input", report, read_inputs);
        let input_options =
            reader.optional("input-options", report, |node, report| reader::settings(node, &[], report));
        let checksums = reader.required("checksums", report, |node, report| {
            let choices = [
                ("present", Checksums::Present),
                ("required", Checksums::Required),
                ("ignored", Checksums::Ignored),
            ];
            reader::choice(node, &choices, report)
        });
        let table = reader.optional("table", report, names::window);
        let parse = reader.required("parse", report, reader::text);
        let parse_settings = reader.optional("parse-settings", report, pipeline::read_parse_settings);
        let symbol = read_symbol(&reader, report);
        let interval = reader.optional("interval", report, reader::text);
        let window = read_window(name, &reader, report);
        let scales = reader.optional("scales", report, |node, report| {
            pipeline::read_scales(node, window.as_slice(), report)
        });
        let gap_us = reader.optional("gap", report, reader::duration_us);
        let max_future_us = reader.required("max-future", report, reader::duration_us);
        let on_reject = reader.required("on-reject", report, pipeline::read_on_reject);
        let allow_empty = reader.required("allow-empty", report, reader::boolean);
        let merge = reader.required("merge", report, reader::text);
        let fill = reader.required("fill", report, reader::boolean);
        let averages = reader.required("averages", report, merge::read_averages);
        let decimals = reader.required("decimals", report, pipeline::read_decimals);
        let keep_backups =
            reader.required("keep-backups", report, |node, report| reader::integer(node, 0..=1000, report));
        let workers =
            reader.optional("workers", report, |node, report| reader::integer(node, 1..=64, report));
        let scratch = reader.optional("scratch", report, reader::text);
        let limits = Limits::read(&reader, report);
        let mut batch = Self {
            name: name.to_owned(),
            inputs: inputs?,
            input_options: input_options?.unwrap_or_default(),
            checksums: checksums?,
            table: table?.unwrap_or_else(|| name.to_owned()),
            parse: parse?,
            parse_settings: parse_settings?.unwrap_or_default(),
            symbol: symbol?,
            interval: interval?,
            window: window?,
            scales: scales?.unwrap_or_default(),
            gap_us: gap_us?,
            max_future_us: max_future_us?,
            on_reject: on_reject?,
            allow_empty: allow_empty?,
            merge: merge?,
            fill: fill?,
            averages: averages?,
            decimals: decimals?,
            keep_backups: keep_backups? as u64,
            workers: workers?.map(|workers| workers as usize),
            scratch: scratch?.map(|path| folder.join(path)),
            limits: limits?,
            digest: String::new(),
        };
        batch.digest = config_digest::digest(&batch.meaning());
        Some(batch)
    }

    /// Everything that decides which rows the job makes of which files, without what only makes it slower or faster.
    fn meaning(&self) -> serde_json::Value {
        let averages: Vec<_> =
            self.averages.iter().map(|it| json!([it.name, it.column, it.length])).collect();
        json!({
            "name": self.name,
            "table": self.table,
            "parse": self.parse,
            "parse_settings": self.parse_settings,
            "symbol": match &self.symbol {
                SymbolOf::Column => json!("column"),
                SymbolOf::Fixed(symbol) => json!({ "fixed": symbol }),
                SymbolOf::File(pattern) => json!({ "file": pattern.as_str() }),
            },
            "interval": self.interval,
            "window": self.window,
            "scales": self.scales,
            "gap_us": self.gap_us,
            "max_future_us": self.max_future_us,
            "on_reject": pipeline::on_reject_name(self.on_reject),
            "merge": self.merge,
            "fill": self.fill,
            "averages": averages,
            "decimals": match self.decimals {
                Decimals::Double => "double",
                Decimals::Decimal => "decimal",
            },
        })
    }
}

fn read_inputs(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let inputs = match node.value {
        Value::List(_) => reader::texts(node, report)?,
        _ => vec![reader::text(node, report)?],
    };
    if inputs.is_empty() || inputs.iter().any(String::is_empty) {
        report.at(node, "name at least one file, like \"data/*.csv.gz\"");
        return None;
    }
    Some(inputs)
}

fn read_symbol(reader: &Reader<'_>, report: &mut Report) -> Option<SymbolOf> {
    let fixed = reader.optional("symbol", report, reader::text);
    let pattern = reader.optional("symbol-from", report, |node, report| {
        reader::parsed(node, "a regular expression", report, |text| {
            Regex::new(text).map(FilePattern).map_err(|error| format!("no regular expression: {error}"))
        })
    });
    match (fixed?, pattern?) {
        (Some(_), Some(_)) => {
            report.at(reader.node(), "only one of `symbol` and `symbol-from` can be given");
            None
        }
        (Some(symbol), None) if symbol.is_empty() || symbol.len() > 256 => {
            report.at(reader.node(), "`symbol` is a text of 1 to 256 bytes");
            None
        }
        (Some(symbol), None) => Some(SymbolOf::Fixed(symbol)),
        (None, Some(pattern)) => Some(SymbolOf::File(pattern)),
        (None, None) => Some(SymbolOf::Column),
    }
}

/// Column by which batch tables are partitioned.
const KEY: &str = "symbol";

fn read_window(name: &str, reader: &Reader<'_>, report: &mut Report) -> Option<Window> {
    let size = reader.required("tumbling", report, reader::positive_duration);
    let shape = size.map(|size| Shape::Tumbling { size_us: size.as_micros() as u64 });
    let offset_us =
        reader.required("offset", report, |node, report| window::read_offset(node, shape, report));
    let function = reader.required("window", report, reader::text);
    let kinds = reader.required("kinds", report, window::read_kinds);
    let ids = reader.required("ids", report, window::read_ids);
    let keys = vec![KEY.to_owned()];
    let aggregates =
        reader.required("aggregates", report, |node, report| window::read_aggregates(node, &keys, report));
    Some(Window {
        name: name.to_owned(),
        function: function?,
        kinds: kinds?,
        shape: shape?,
        offset_us: offset_us?,
        keys,
        time: "event_time".to_owned(),
        ids: Some(ids?),
        on_untracked: window::OnUntracked::Count,
        keep_ids_us: u64::MAX,
        aggregates: aggregates?,
    })
}
