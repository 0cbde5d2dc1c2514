//! `[trigger.kafka.rekey]`: records go to another topic under a key of their own columns.

use std::collections::BTreeSet;

use crate::error::Report;
use crate::forms::{COLUMN, Form};
use crate::names;
use crate::node::Node;
use crate::swap::{Swap, SwapMode};
use crate::table::table;
use crate::window::{KEYS, KINDS, Window};

table! {
    /// The topic that gets the records, and their key there.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Rekey in "[trigger.kafka.rekey]",
        "A topic that gets the pipeline's records as they came, each exactly once, under another key. A pipeline that does \
         nothing else needs no windows.";
    fn read(reader, report);

    "The topic. It must exist."
    pub topic: String = key("topic", names::TOPIC, required());

    "Columns that make the key: the text of the one, or several as a JSON object. A record goes out once for each key that \
     its rows have."
    pub keys: Vec<String> = key("keys", KEYS, required(), |node, report| {
        let keys = KEYS.read(node, report)?;
        if keys.is_empty() {
            return report.refuse(node, "name at least one column");
        }
        Some(keys)
    });

    "The rows that are looked at. Records without such rows do not go out."
    pub kinds: Vec<String> =
        key("kinds", KINDS.called("a list of kinds of rows, such as `[\"trade\"]`"), required());

    "The event time, by which the watermark moves; that of the windows, if there are any."
    pub time: String = key("time", COLUMN, default("\"event_time\""));
}

pub(crate) const REKEY: Form<Rekey> = Form::new("a table", || Rekey::declaration().schema(), Rekey::read);

/// Reads the table. `event_time`: of the messages' schema.
pub(crate) fn read(
    node: &Node,
    event_time: Option<&str>,
    windows: &[Window],
    report: &mut Report,
) -> Option<Rekey> {
    let mut rekey = Rekey::read(node, report)?;
    let time = node.find(&["time"]);
    if let (Some(event_time), None) = (event_time, time) {
        rekey.time = event_time.to_owned();
    }
    if let Some(window) = windows.first().filter(|window| window.time != rekey.time) {
        let problem = format!(
            "the time is `{}` here and `{}` in window `{}`: a pipeline has one watermark, so it goes by one time column",
            rekey.time, window.time, window.name
        );
        return report.refuse(time.unwrap_or(node), problem);
    }
    Some(rekey)
}

/// A rollback cannot take back what went out under a wrong key.
pub(crate) fn check_swap(pipeline: &Node, swap: &Swap, report: &mut Report) {
    let problem = "records that went out under another key cannot be taken back: with `rekey`, a swap waits in mode `hold`";
    for (key, is_wrong) in [("mode", swap.mode == SwapMode::Publish), ("watch", swap.watch)] {
        if is_wrong {
            report.at(pipeline.find(&["swap", key]).unwrap_or(pipeline), problem);
        }
    }
}

impl Rekey {
    /// Every column of the parsed rows that it reads.
    pub fn columns(&self) -> BTreeSet<&str> {
        self.keys.iter().chain([&self.time]).map(String::as_str).collect()
    }
}
