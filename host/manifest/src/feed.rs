//! `[application.trigger.kafka.feed.NAME]`: what is brought from an exchange into a topic.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::backfill::forms::{BASE_URL, base_url};
use crate::error::Report;
use crate::forms::{BOOLEAN, COMPONENT, Form, Integer, PLAIN_SETTINGS, POSITIVE_DURATION, TEXTS, Takes};
use crate::names;
use crate::node::Node;
use crate::schema_pieces;
use crate::section::{Written, read_section};
use crate::table::table;

table! {
    /// A feed with everything decided but what its function says.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Feed in "[application.trigger.kafka.feed.NAME]",
        "What is brought from an exchange's sockets into a topic: `tallow produce --source feed --feed NAME`.";
    fn read(reader, report, called: String);

    "What the feed is called."
    pub name: String = from(Some(called));

    "The feed function, which knows the exchange."
    pub function: String = key("function", COMPONENT, required());

    "The topic that is written to."
    pub topic: String = key("topic", names::TOPIC, required());

    "Symbols as the exchange writes them in its messages. They are the keys of the records."
    pub symbols: Vec<String> = key("symbols", NAMES.called("a list of symbols"), required());

    "Streams, by the names that the function gives them."
    pub streams: Vec<String> = key("streams", NAMES.called("a list of streams"), required());

    "Whether `tallow up` runs the feed beside the pipelines."
    pub run: bool = key("run", BOOLEAN, default("false"));

    "The feed function's own settings."
    pub settings: BTreeMap<String, String> = key("settings", PLAIN_SETTINGS, empty("no settings"));

    "Where the exchange's sockets are. No other host is connected to."
    pub ws_url: Option<String> = key("ws-url", WS_URL, none("where the function says"));

    "Where its REST API is. No other host is asked."
    pub rest_url: Option<String> = key("rest-url", BASE_URL, none("where the function says"));

    "Whether these hosts and ports may be at an internal address (this machine, a private network), for tests and \
     mirrors."
    pub internal: bool = key("internal", BOOLEAN, default("false"));

    "What may be used of the exchange's allowance of requests in a minute, in the weights that the function gives."
    pub weight: Option<u32> = key("weight", Integer(1, u32::MAX as i64), none("what the function says"));

    "How long missing ids are requested, while what follows them waits. After that a record says that they are missing."
    pub patience: Duration = key("patience", POSITIVE_DURATION, default("\"10m\""));

    "Of a longer hole, only so many ids before its end are requested. A record says that the others are missing."
    pub most_ids: u64 = key("most-ids", Integer(1, i64::MAX), default("1000000"));

    "Age at which a connection is replaced by a new one, before the exchange closes it."
    pub renew: Option<Duration> = key("renew-after", POSITIVE_DURATION, none("what the function says"));

    "How long a stream of a symbol may be quiet before the exchange is asked for its newest id."
    pub quiet: Option<Duration> = key("quiet-after", POSITIVE_DURATION, none("what the function says"));
}

const NAMES: Form<Vec<String>> = Form::new(
    "a list of names",
    || schema_pieces::list(schema_pieces::text()),
    |node, report| {
        let names = TEXTS.read(node, report)?;
        names::unique(node, &names, report);
        if names.is_empty() {
            return report.refuse(node, "name at least one");
        }
        Some(names)
    },
);
const WS_URL: Form<String> = Form::parsed(
    "a URL (`wss://…`, or `ws://…`)",
    || schema_pieces::matching("wss?://.+"),
    "a URL",
    |text| base_url(text, &["wss", "ws"]),
);

/// Reads all tables `feed.NAME` inside the cluster's table.
pub(crate) fn read_all(cluster: &Node, report: &mut Report) -> Vec<Written<Feed>> {
    read_section(cluster, "feed", report, |entry, others, report| {
        let name = names::WINDOW.read(&Node::text(entry.node.path.clone(), &entry.key), report)?;
        let feed = Feed::read(&entry.node, name, report)?;
        if let Some((_, other)) = others.iter().find(|(_, other)| feed.overlaps(other)) {
            let problem = format!(
                "feed `{}` brings the same streams of the same symbols into topic `{}`: each record would be there twice",
                other.name, other.topic
            );
            report.at(&entry.node, problem);
        }
        Some(feed)
    })
}

impl Feed {
    fn overlaps(&self, other: &Self) -> bool {
        let shares = |ours: &[String], theirs: &[String]| ours.iter().any(|name| theirs.contains(name));
        self.topic == other.topic
            && self.function == other.function
            && shares(&self.symbols, &other.symbols)
            && shares(&self.streams, &other.streams)
    }
}
