//! Remote functions as components, and what a gateway takes of them at once.

use std::collections::BTreeMap;

use crate::component::{Component, Source};
use crate::error::Report;
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::secret::Secret;
use crate::section::Written;
use crate::window::Shape;

/// Records come with their offsets, and go as rows that may be longer than they.
const BATCH_BYTES: u64 = 2 << 20;
/// (Row, window) pairs that a gateway computes in one call.
const CALL_PAIRS: u64 = 5_000_000;

/// The remote functions of pipelines, as components that go by their addresses.
pub(crate) fn components(
    pipelines: &[Written<Pipeline>],
    report: &mut Report,
) -> BTreeMap<String, Component> {
    let mut remotes = BTreeMap::new();
    for (node, pipeline) in pipelines {
        if let Some(parse) = node.find(&["parse"]).filter(|parse| parse.find(&["remote"]).is_some()) {
            check_batches(parse, pipeline, report);
            add(&mut remotes, parse, &pipeline.parse);
        }
        for (window, read) in node.items("windows").iter().zip(&pipeline.windows) {
            let Some(function) = window.find(&["function"]).filter(|it| it.find(&["remote"]).is_some())
            else {
                continue;
            };
            check_pairs(function, read.shape, pipeline, report);
            add(&mut remotes, function, &read.function);
        }
    }
    remotes
}

fn add(remotes: &mut BTreeMap<String, Component>, node: &Node, url: &str) {
    let token = node.find(&["token"]).and_then(Node::as_str).map(|token| Secret::new(token.to_owned()));
    let component = Component {
        name: url.to_owned(),
        source: Source::Remote { url: url.to_owned(), token },
        build: Vec::new(),
        place: node.place,
    };
    remotes.insert(url.to_owned(), component);
}

fn check_batches(node: &Node, pipeline: &Pipeline, report: &mut Report) {
    if pipeline.limits.batch_bytes > BATCH_BYTES {
        report.at(node, "a remote function takes smaller batches: `batch-bytes` in [trigger.kafka.limits] is 2MiB at most");
    }
}

/// A row is in many windows that slide: where a whole batch is in more than a gateway computes at once, every call would
/// be refused. Their state, too, goes with every call.
fn check_pairs(node: &Node, shape: Shape, pipeline: &Pipeline, report: &mut Report) {
    let Shape::Sliding { size_us, slide_us } = shape else { return };
    let windows = size_us.div_ceil(slide_us.max(1));
    let records = pipeline.limits.batch_records as u64;
    if records.saturating_mul(windows) > CALL_PAIRS {
        let most = CALL_PAIRS / windows.max(1);
        report.at(
            node,
            format!(
                "a row is in {windows} windows, and a gateway computes {CALL_PAIRS} pairs of rows and windows a call: set \
                 `batch-records` in [trigger.kafka.limits] to {most} or less, slide in larger steps, or let the host run \
                 the function: `function = \"window\"`"
            ),
        );
    }
}
