//! `[application.trigger.kafka.batch.NAME]`: files into a rebuilt table.

mod symbol;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use tallow_digest::Digest;

pub use self::symbol::{FilePattern, SymbolOf};
use self::symbol::{SYMBOL, SYMBOL_FROM};
use crate::aggregate::Aggregate;
use crate::error::Report;
use crate::forms::{
    BOOLEAN, COMPONENT, Choice, DURATION_US, Form, Integer, PLAIN_SETTINGS, POSITIVE_US, TEXT,
};
use crate::limits::{LIMITS, Limits};
use crate::merge::{AVERAGES, Average};
use crate::node::Node;
use crate::pipeline::{self, DECIMALS, Decimals, ON_REJECT_OF_LINES, OnReject, SCALES};
use crate::secret::Setting;
use crate::section::{Written, read_section};
use crate::settings::STORE_OPTIONS;
use crate::table::{Rule, table};
use crate::window::{self, AGGREGATES, IDS, IdColumns, KINDS, OFFSET, OnUntracked, Shape, Window};
use crate::{config_digest, names, schema_pieces, values};

table! {
    /// A batch job with everything decided.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Batch in "[application.trigger.kafka.batch.NAME]",
        "A batch: files of klines, by the stream's functions, into the table `batch/NAME`, partitioned by symbol and year \
         and rebuilt whole.";
    rule Rule::NotBoth("symbol", "symbol-from");
    fn read_keys(reader, report, called: &str, folder: &Path);

    "What the job is called."
    pub name: String = from(names::job(called, reader.node(), report));

    "The files: plain, gzip, zstd, zip, Parquet, Arrow or Feather, told by their content. Relative paths start from the \
     manifest's folder."
    pub inputs: Vec<String> = key("input", INPUT, required());

    "Options for inputs in an object store."
    pub input_options: BTreeMap<String, Setting> = key("input-options", STORE_OPTIONS, empty("no options"));

    "Whether a file is compared with its `.CHECKSUM`: where there is one, always, never."
    pub checksums: Checksums = key("checksums", CHECKSUMS, default("\"present\""));

    "The table below `batch/`."
    let table: Option<String> = key("table", names::TABLE, none("the batch's name"));

    "Table below `batch/`."
    pub table: String = from(Some(table?.unwrap_or_else(|| called.to_owned())));

    "The function that makes rows of lines."
    pub parse: String = key("parse", COMPONENT, default("\"parse-kline\""));

    "The parse function's own settings; of parse-kline `columns`, `delimiter` and `dates`."
    pub parse_settings: BTreeMap<String, String> = key("parse-settings", PLAIN_SETTINGS, empty("no settings"));

    "The symbol of all rows."
    let fixed: Option<SymbolOf> = key("symbol", SYMBOL, none("`symbol-from` says it, or a column of the files"));

    "Finds the symbol in a file's name: its first group, or all that it matches. An expression with a `/` in it looks at \
     the path, folders included."
    let by_name: Option<SymbolOf> =
        key("symbol-from", SYMBOL_FROM, none("`symbol` says it, or a column of the files"));

    "What names the symbol of a row."
    pub symbol: SymbolOf = from(Some(fixed?.or(by_name?).unwrap_or(SymbolOf::Column)));

    "How long a kline is."
    pub interval: Option<String> = key(
        "interval",
        TEXT.called("`\"1m\"`, `\"1h\"`, `\"1d\"` …"),
        none("of each file: as most of its rows say, or as their distances show")
    );

    "Size of the windows."
    let size_us: u64 = key("tumbling", POSITIVE_US, default("\"1d\""));

    "The windows are tumbling ones."
    let shape: Shape = from(Some(Shape::Tumbling { size_us: size_us? }));

    "Shift of the windows against 1970-01-01 00:00 UTC; shorter than the size."
    let offset_us: i64 =
        key("offset", OFFSET, default("\"0s\""), |node, report| window::read_offset(node, shape, report));

    "The window function, as the stream's."
    let function: String = key("window", COMPONENT, default("\"window\""));

    "The rows that the windows take."
    let kinds: Vec<String> = key("kinds", KINDS, default("[\"kline\"]"));

    "Rows with the same id are one row: duplicates are dropped, and of conflicts the first counts."
    let ids: IdColumns = key("ids", IDS, default("\"id\""));

    "The table's columns, in the order in which they are written."
    let aggregates: Vec<Aggregate> = key(
        "aggregates",
        AGGREGATES,
        default(
            "{ open = \"first(open)\", high = \"max(high)\", low = \"min(low)\", close = \"last(close)\", \
             volume = \"sum(volume)\", quote_volume = \"sum(quote_volume)\", trades = \"sum(trades)\", \
             klines = \"count()\", flagged = \"sum(flagged)\" }"
        ),
        |node, report| window::read_aggregates(node, &[KEY.to_owned()], report)
    );

    "Keyed by `symbol`, tumbling."
    pub window: Window = from(Some(Window {
        name: called.to_owned(),
        function: function?,
        kinds: kinds?,
        shape: shape?,
        offset_us: offset_us?,
        keys: vec![KEY.to_owned()],
        time: "event_time".to_owned(),
        ids: Some(ids?),
        on_untracked: OnUntracked::Count,
        keep_ids_us: u64::MAX,
        latest_by: None,
        fill: None,
        kafka: None,
        influxdb: None,
        aggregates: aggregates?,
    }));

    "Decimal places that are kept of a decimal column. Values with more are rounded half to even and counted."
    pub scales: BTreeMap<String, u8> = key("scales", SCALES, empty("8 for every column"), |node, report| {
        pipeline::read_scales(node, window.as_slice(), report)
    });

    "How long a time without klines must be to count as a gap. A window with a gap in it is partial. For sources that \
     leave out klines without trades."
    pub gap_us: Option<i64> = key("gap", DURATION_US, none("any missing kline is a gap"));

    "A row whose event time is further ahead of the clock than this is set aside."
    pub max_future_us: i64 = key("max-future", DURATION_US, default("\"1d\""));

    "What to do with a line that the parse function rejects; `drop` counts it."
    pub on_reject: OnReject = key("on-reject", ON_REJECT_OF_LINES, default("\"dead-letter\""));

    "Whether files with no klines or nearly none are intended, and rows or symbols that the last run had and this one has \
     not. If not, nothing of their group is published, and the exit code is 65."
    pub allow_empty: bool = key("allow-empty", BOOLEAN, default("false"));

    "The merge function, which fills and averages."
    pub merge: String = key("merge", COMPONENT, default("\"merge\""));

    "Whether windows without rows are filled in and marked: firsts, lasts, extremes and means as in the window before, \
     sums and counts 0."
    pub fill: bool = key("fill", BOOLEAN, default("true"));

    "Trailing averages, this window included, partial at the start."
    pub averages: Vec<Average> =
        key("averages", AVERAGES, default("{ ma7 = \"mean(close, 7)\", ma30 = \"mean(close, 30)\" }"));

    "Decimals as the nearest double, or as Parquet decimals."
    pub decimals: Decimals = key("decimals", DECIMALS, default("\"double\""));

    "Commits for which replaced partitions are kept."
    pub keep_backups: u64 = key("keep-backups", Integer(0, 1000), default("5"));

    "Instances of the parse function that work side by side."
    pub workers: Option<usize> =
        key("workers", Integer(1, 64), none("decided by the number of processors"));

    "Where rows are sorted and large files are put together if memory has no room for them. Nothing is left in it."
    pub scratch: Option<PathBuf> = key(
        "scratch",
        TEXT.called("a folder"),
        none("the system's for temporary files, as `TMPDIR` says"),
        |node, report| Some(folder.join(values::text(node, report)?))
    );

    "As of a pipeline."
    pub limits: Limits = key("limits", LIMITS, inner("its defaults"));

    "Of all that decides which rows the job makes of which files."
    pub digest: Digest = from(Some(Digest::of(b"")));
}

/// Column by which batch tables are partitioned.
const KEY: &str = "symbol";

const INPUT: Form<Vec<String>> = Form::new(
    "a path or URL with `*`, `?`, `[…]` and `**`, or a list of them",
    schema_pieces::one_or_more,
    |node, report| {
        let inputs = values::one_or_more(node, report)?;
        if inputs.is_empty() || inputs.iter().any(String::is_empty) {
            return report.refuse(node, "name at least one file, like \"data/*.csv.gz\"");
        }
        Some(inputs)
    },
);
const CHECKSUMS: Choice<Checksums> = Choice(&[
    ("present", Checksums::Present),
    ("required", Checksums::Required),
    ("ignored", Checksums::Ignored),
]);
/// What is done about the checksums beside files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksums {
    Present,
    Required,
    Ignored,
}

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
        let mut batch = Self::read_keys(node, name, folder, report)?;
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
            "on_reject": ON_REJECT_OF_LINES.word(self.on_reject),
            "merge": self.merge,
            "fill": self.fill,
            "averages": averages,
            "decimals": DECIMALS.word(self.decimals),
        })
    }
}
