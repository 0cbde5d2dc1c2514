//! `[application.trigger.kafka.backfill.NAME]`: where the windows that a pipeline lacks are fetched from.

mod bars;

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use crate::error::{Report, suggestion};
use crate::merge::Merge;
use crate::node::{Node, Value};
use crate::pipeline::{self, Pipeline};
use crate::reader::{self, Reader};
use crate::section::{Written, read_section};
use crate::{names, schema, units};

/// A backfill with everything decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backfill {
    pub name: String,
    /// The backfill component's name.
    pub function: String,
    /// The function's own settings.
    pub settings: BTreeMap<String, String>,
    /// Scheme, host and port, and what stands before the function's paths; no slash at its end.
    pub base_url: String,
    /// Whether that very host and port may be at an internal address.
    pub internal: bool,
    /// Further hosts that an answer may redirect to.
    pub hosts: Vec<String>,
    /// The exchange's name of a symbol by the lake's; none: the symbols that the lake has, by their own names.
    pub symbols: Option<BTreeMap<String, String>>,
    /// Length of the bars that are fetched.
    pub interval_us: u64,
    /// Where history begins, µs since 1970-01-01 UTC; none: with the first window that the lake has.
    pub from_us: Option<i64>,
    /// How long after its end a window is asked for.
    pub settle_us: i64,
    /// How long the exchange is believed that it has nothing.
    pub ask_again_us: i64,
    /// Tables of the lake beside the pipeline's own whose complete rows need not be fetched.
    pub covered_by: Vec<String>,
    pub asking: Asking,
    /// The pipeline as it is computed from the exchange's bars: its id, limits and lake are the stream's; parse
    /// function, kinds, ids and aggregates are the backfill's. All windows are tumbling and have one key.
    pub bars: Pipeline,
}

impl Backfill {
    /// What a merge of one of its tables takes and serves need not be fetched: a served table may be the only one that
    /// still has a row.
    pub(crate) fn cover_by(&mut self, merges: &[Written<Merge>]) {
        let own: Vec<String> = self.bars.windows.iter().map(|window| self.bars.table(window)).collect();
        for (_, merge) in merges {
            if merge.speed.as_ref().is_some_and(|table| own.contains(table)) {
                let batch = merge.batch.iter().map(|table| format!("batch/{table}"));
                let tables = batch.chain([format!("serving/{}", merge.name)]);
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

const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;

/// Reads all tables `backfill.NAME` inside the cluster's table, and sees that the pipelines that want one have one.
pub(crate) fn read_all(
    cluster: &Node,
    pipelines: &[Written<Pipeline>],
    report: &mut Report,
) -> Vec<Written<Backfill>> {
    let backfills = read_section(cluster, "backfill", report, |entry, others, report| {
        let name = names::window(&Node::text(entry.node.path.clone(), &entry.key), report)?;
        let backfill = read(name, &entry.node, pipelines, report)?;
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

fn read(name: String, node: &Node, pipelines: &[Written<Pipeline>], report: &mut Report) -> Option<Backfill> {
    let reader = Reader::open(node, &schema::BACKFILL, report)?;
    let function = reader.required("function", report, reader::text);
    let settings = reader.optional("settings", report, pipeline::read_parse_settings);
    let base_url =
        reader.required("base-url", report, |node, report| reader::parsed(node, "a URL", report, base_url));
    let internal = reader.required("internal", report, reader::boolean);
    let hosts = reader.optional("hosts", report, reader::texts);
    let symbols = reader.optional("symbols", report, read_symbols);
    let interval = reader.required("interval", report, reader::positive_duration);
    let from_us = reader
        .optional("from", report, |node, report| reader::parsed(node, "a day", report, units::moment_us));
    let settle_us = reader.required("settle", report, reader::duration_us);
    let ask_again_us = reader.required("ask-again", report, reader::duration_us);
    let covered_by = reader.optional("covered-by", report, |node, report| {
        let tables = reader::texts(node, report)?;
        tables.iter().all(|table| check_table(node, table, report)).then_some(tables)
    });
    let asking = read_asking(&reader, report);
    let target = reader.required("pipeline", report, |node, report| {
        let id = reader::text(node, report)?;
        let known: Vec<&str> = pipelines.iter().map(|(_, pipeline)| pipeline.id.as_str()).collect();
        let found = pipelines.iter().find(|(_, pipeline)| pipeline.id == id);
        if found.is_none() {
            report.at(node, format!("there is no pipeline `{id}`; {}", suggestion(&id, &known)));
        }
        found.map(|(_, pipeline)| pipeline.clone())
    });
    let interval_us = interval?.as_micros() as u64;
    let bars = bars::read(&reader, target?, interval_us, report);
    Some(Backfill {
        name,
        function: function?,
        settings: settings?.unwrap_or_default(),
        base_url: base_url?,
        internal: internal?,
        hosts: hosts?.unwrap_or_default(),
        symbols: symbols?,
        interval_us,
        from_us: from_us?,
        settle_us: settle_us?,
        ask_again_us: ask_again_us?,
        covered_by: covered_by?.unwrap_or_default(),
        asking: asking?,
        bars: bars?,
    })
}

fn read_asking(reader: &Reader<'_>, report: &mut Report) -> Option<Asking> {
    let weight = reader
        .required("weight", report, |node, report| reader::integer(node, 1..=i64::from(u32::MAX), report));
    let timeout = reader.required("timeout", report, reader::positive_duration);
    let body_bytes =
        reader.required("max-body", report, |node, report| reader::bytes(node, KIB..=GIB, report));
    let attempts = reader.required("attempts", report, |node, report| reader::integer(node, 1..=100, report));
    Some(Asking {
        weight: weight? as u32,
        timeout: timeout?,
        body_bytes: body_bytes?,
        attempts: attempts? as u32,
    })
}

/// A table is a folder of the lake, and nothing leads out of it.
fn check_table(node: &Node, table: &str, report: &mut Report) -> bool {
    let plain = |part: &str| !part.is_empty() && !matches!(part, "." | ".." | "_tallow");
    let sound = table.split('/').count() >= 2 && table.split('/').all(plain);
    if !sound {
        report.at(node, format!("`{table}` is not a table of the lake; write one like \"batch/daily\""));
    }
    sound
}

fn base_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; write https://api.example.com"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("write https://api.example.com".to_owned());
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("credentials, `?` and `#` do not belong here".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A list of symbols that the exchange calls by the same names, or a table of the lake's names to the exchange's.
fn read_symbols(node: &Node, report: &mut Report) -> Option<BTreeMap<String, String>> {
    let symbols: Option<BTreeMap<String, String>> = match &node.value {
        Value::Table(table) => {
            let entries = table.entries.iter();
            let pairs: Vec<_> =
                entries.map(|entry| Some((entry.key.clone(), reader::text(&entry.node, report)?))).collect();
            pairs.into_iter().collect()
        }
        _ => {
            let names = reader::texts(node, report)?;
            names::unique(node, &names, report);
            Some(names.into_iter().map(|name| (name.clone(), name)).collect())
        }
    };
    if symbols.as_ref().is_some_and(|symbols| symbols.is_empty() || symbols.keys().any(String::is_empty)) {
        report.at(node, "name at least one symbol, none of them empty");
        return None;
    }
    symbols
}
