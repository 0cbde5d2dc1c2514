//! `[application.trigger.kafka.backfill.NAME]`: where missing windows are fetched from.

mod bars;
pub(crate) mod forms;

use std::collections::BTreeMap;
use std::time::Duration;

use self::bars::Bars;
use self::forms::{BASE_URL, MOMENT, OWN_COMPONENT, SYMBOLS, TABLES};
use crate::aggregate::Aggregate;
use crate::error::{Report, suggestion};
use crate::forms::{
    BOOLEAN, COMPONENT, DURATION_US, GIB, Integer, KIB, PLAIN_SETTINGS, POSITIVE_DURATION, POSITIVE_US, Size,
    TEXT, TEXTS, Takes,
};
use crate::merge::Merge;
use crate::node::Node;
use crate::pipeline::{self, Pipeline, SCALES};
use crate::section::{Written, read_section};
use crate::table::table;
use crate::window::{self, AGGREGATES, IDS, IdColumns, KINDS, Window};
use crate::{config_digest, names, values};
use tallow_lake::partition::{batch, serving};

table! {
    /// A backfill with everything decided.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Backfill in "[application.trigger.kafka.backfill.NAME]",
        "Where missing windows are fetched from, and how they are made of an exchange's bars.";
    fn read(reader, report, called: String, pipelines: &[Written<Pipeline>]);

    "What the backfill is called."
    pub name: String = from(Some(called));

    "The pipeline whose tables are filled."
    let target: Pipeline = key(
        "pipeline",
        TEXT.called("a pipeline's id"),
        required(),
        |node, report| named_pipeline(node, pipelines, report)
    );

    "The backfill function, which knows the exchange."
    pub function: String = key("function", COMPONENT, required());

    "The backfill function's own settings."
    pub settings: BTreeMap<String, String> = key("settings", PLAIN_SETTINGS, empty("no settings"));

    "Where the exchange is; the function's paths follow it. No other host is asked."
    pub base_url: String = key("base-url", BASE_URL, required());

    "Whether this host and port may be at an internal address (this machine, a private network), for tests and mirrors."
    pub internal: bool = key("internal", BOOLEAN, default("false"));

    "Further hosts that an answer may redirect to."
    pub hosts: Vec<String> = key(
        "hosts",
        TEXTS.called("a list of `host`, `host:port` or `http://host:port`"),
        empty("no redirect leaves `base-url`")
    );

    "What is fetched."
    pub symbols: Option<BTreeMap<String, String>> =
        key("symbols", SYMBOLS, none("the symbols that the tables have"));

    "The windows that are filled."
    let windows: Option<Vec<String>> =
        key("windows", TEXTS.called("a list of window names"), none("all tumbling windows of the pipeline"));

    "Length of the bars that are fetched."
    pub interval_us: u64 =
        key("interval", POSITIVE_US.called("a duration that divides the windows"), default("\"1m\""));

    "The rows that the parse function makes of bars."
    let kinds: Vec<String> = key("kinds", KINDS, default("[\"kline\"]"));

    "Id column of bars. A bar that comes twice counts once."
    let ids: IdColumns = key("ids", IDS, default("\"id\""));

    "How each column of the windows is made of bars: `open = \"first(open)\"`, `volume = \"sum(volume)\"`."
    let aggregates: Vec<Aggregate> = key(
        "aggregates",
        AGGREGATES,
        required(),
        |node, report| window::read_aggregates(node, &[], report)
    );

    "The windows as they are computed from bars."
    let windows: Vec<Window> = from({
        let (kinds, ids) = (kinds?, ids?);
        let bars = Bars { node: reader.node(), interval_us: interval_us?, kinds, ids, aggregates: aggregates? };
        bars.windows(target.as_ref()?, windows?.as_deref(), report)
    });

    "Decimal places kept of a bar's decimal column."
    let scales: BTreeMap<String, u8> = key("scales", SCALES, empty("8 for every column"), |node, report| {
        pipeline::read_scales(node, windows.as_deref().unwrap_or_default(), report)
    });

    "The function that makes rows of the messages that the backfill function gives."
    let parse: Option<String> = key("parse", OWN_COMPONENT, none("the pipeline's"));

    "The parse function's own settings."
    let parse_settings: Option<BTreeMap<String, String>> =
        key("parse-settings", PLAIN_SETTINGS, none("the pipeline's"));

    "More tables than the pipeline's own: windows that are in them, complete and not filled, are not fetched."
    pub covered_by: Vec<String> = key("covered-by", TABLES, empty("only the pipeline's own tables count"));

    "Where history begins."
    pub from_us: Option<i64> = key("from", MOMENT, none("the first window that the tables have"));

    "How long after its end a window is asked for."
    pub settle_us: i64 = key("settle", DURATION_US, default("\"1m\""));

    "How long an exchange's answer that it has nothing is believed. `tallow backfill --again` asks at once."
    pub ask_again_us: i64 = key("ask-again", DURATION_US, default("\"7d\""));

    "What may be used of the exchange's allowance in a minute, in the weights that the function gives."
    let weight: u32 = key("weight", Integer(1, u32::MAX as i64), default("1200"));

    "How long one answer may take."
    let timeout: Duration = key("timeout", POSITIVE_DURATION, default("\"20s\""));

    "Bytes of one answer."
    let body_bytes: u64 = key("max-body", Size(KIB, GIB), default("\"16MiB\""));

    "Times that a request is tried, with growing pauses, before it is given up."
    let attempts: u32 = key("attempts", Integer(1, 100), default("6"));

    "How the exchange is asked."
    pub asking: Asking = from(Some(Asking {
        weight: weight?,
        timeout: timeout?,
        body_bytes: body_bytes?,
        attempts: attempts?,
    }));

    "The pipeline as it is computed from the exchange's bars: its id, limits and lake are the stream's; parse function, \
     kinds, ids and aggregates are the backfill's. All windows are tumbling and have one key."
    pub bars: Pipeline = from({
        let target = target?;
        let mut bars = Pipeline {
            parse: parse?.unwrap_or(target.parse),
            parse_settings: parse_settings?.unwrap_or(target.parse_settings),
            scales: scales?,
            windows: windows?,
            ..target
        };
        bars.digest = config_digest::digest(&bars.meaning());
        Some(bars)
    });
}

impl Backfill {
    /// What a merge of one of its tables takes and serves need not be fetched: a served table may be the only one that
    /// still has a row.
    pub(crate) fn cover_by(&mut self, merges: &[Written<Merge>]) {
        let own: Vec<String> = self.bars.windows.iter().map(|window| self.bars.table(window)).collect();
        for (_, merge) in merges {
            if merge.speed.as_ref().is_some_and(|table| own.contains(table)) {
                let tables = merge.batch.iter().map(|table| batch(table)).chain([serving(&merge.name)]);
                let new: Vec<String> = tables.filter(|table| !self.covered_by.contains(table)).collect();
                self.covered_by.extend(new);
            }
        }
    }
}

/// How an exchange is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// What may be used of the exchange's allowance in a minute.
    pub weight: u32,
    /// For one answer.
    pub timeout: Duration,
    /// Bytes of one answer.
    pub body_bytes: u64,
    /// Times that a request is tried before it is given up.
    pub attempts: u32,
}

/// Reads all tables `backfill.NAME` inside the cluster's table, and sees that the pipelines that want one have one.
pub(crate) fn read_all(
    cluster: &Node,
    pipelines: &[Written<Pipeline>],
    report: &mut Report,
) -> Vec<Written<Backfill>> {
    let backfills = read_section(cluster, "backfill", report, |entry, others, report| {
        let name = names::WINDOW.read(&Node::text(entry.node.path.clone(), &entry.key), report)?;
        let backfill = Backfill::read(&entry.node, name, pipelines, report)?;
        if let Some(problem) = others.iter().find_map(|(_, other)| backfill.overlaps(other)) {
            report.at(&entry.node, problem);
        }
        Some(backfill)
    });
    let written = cluster.find(&["backfill"]).and_then(Node::as_table);
    for (node, pipeline) in pipelines {
        if pipeline.auto_backfill
            && written.is_none_or(|all| !all.entries.iter().any(|it| names_it(&it.node, pipeline)))
        {
            let problem = format!(
                "no [application.trigger.kafka.backfill.NAME] has `pipeline = \"{}\"`: add one, or remove the key",
                pipeline.id
            );
            report.at(node.find(&["backfill"]).unwrap_or(node), problem);
        }
    }
    backfills
}

fn names_it(backfill: &Node, pipeline: &Pipeline) -> bool {
    backfill.find(&["pipeline"]).and_then(Node::as_str) == Some(&pipeline.id)
}

impl Backfill {
    pub fn pipeline(&self) -> &str {
        &self.bars.id
    }

    /// Two that publish revisions of one window would give two rows the same number.
    fn overlaps(&self, other: &Backfill) -> Option<String> {
        let shares = |name: &str| other.bars.windows.iter().any(|window| window.name == name);
        if self.pipeline() != other.pipeline() || !self.bars.windows.iter().any(|window| shares(&window.name))
        {
            return None;
        }
        let both = match (&self.symbols, &other.symbols) {
            (Some(ours), Some(theirs)) => ours.keys().find(|symbol| theirs.contains_key(*symbol))?.clone(),
            _ => "every symbol".to_owned(),
        };
        Some(format!(
            "backfill `{}` fetches the same windows of {both}: give each its own `symbols` or `windows`",
            other.name
        ))
    }
}

fn named_pipeline(node: &Node, pipelines: &[Written<Pipeline>], report: &mut Report) -> Option<Pipeline> {
    let id = values::text(node, report)?;
    let found = pipelines.iter().find(|(_, pipeline)| pipeline.id == id);
    if found.is_none() {
        let known: Vec<&str> = pipelines.iter().map(|(_, pipeline)| pipeline.id.as_str()).collect();
        report.at(node, format!("there is no pipeline `{id}`; {}", suggestion(&id, &known)));
    }
    found.map(|(_, pipeline)| pipeline.clone())
}
