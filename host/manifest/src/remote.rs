//! `{ remote = "https://…" }`: a function behind a gateway.

use std::collections::BTreeMap;

use crate::component::{Component, Source};
use crate::error::Report;
use crate::forms::{COMPONENT, Form};
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::secret::Secret;
use crate::section::Written;
use crate::table::{Rule, only, table};
use crate::window::Shape;
use crate::{json_schema, values};

/// Records come with their offsets, and go as rows that may be longer than they.
const BATCH_BYTES: u64 = 2 << 20;
/// (Row, window) pairs that a gateway computes in one call.
const CALL_PAIRS: u64 = 5_000_000;

table! {
    /// Where a function is, written as a table.
    pub(crate) struct FunctionPlace in "parse = { … }, and function = { … } of a window",
        "Where the function is: exactly one of `component` and `remote`.";
    rule Rule::ExactlyOne(&["component", "remote"]);
    fn read(reader, report);

    "A component of this manifest."
    pub component: Option<String> = key("component", COMPONENT, none("`remote` says it"));

    "A gateway that runs the function. Batches and state go there and come back. docs/platforms.md says what that costs."
    pub remote: Option<String> = key("remote", GATEWAY, none("`component` says it"));

    "What the gateway, or a proxy before it, expects as `Authorization: Bearer`."
    pub token: Option<Secret> =
        key("token", Form::new("a string", json_schema::text, values::secret), none("none is sent"));
}

const GATEWAY: Form<String> = Form::new(
    "an address, `https://host`",
    || json_schema::matching("https?://.+"),
    |node, report| values::parsed(node, "a gateway's address, https://host", report, address),
);

/// The name of a function: a component's, or the address of its gateway.
pub(crate) const FUNCTION: Form<String> = Form::new(
    "a component's name",
    || json_schema::either([json_schema::text(), FunctionPlace::declaration().schema()]),
    |node, report| {
        if node.as_table().is_none() {
            return values::text(node, report);
        }
        let place = FunctionPlace::read(node, report)?;
        let remote = node.find(&["remote"]).zip(place.remote.as_ref());
        if let Some((node, url)) = remote
            && place.token.is_some()
            && url.starts_with("http://")
            && !is_loopback(url)
        {
            report.at(node, "a `token` goes over https only: anybody on the way could read it");
            return None;
        }
        only([Some(place.component), Some(place.remote)])
    },
);

/// Scheme, host and path of a gateway, without a slash at the end.
fn address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or("it begins with https:// or http://")?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("it has no host".to_owned());
    }
    if host.contains('@') {
        return Err("no user name in it: write `token` beside it".to_owned());
    }
    if text.contains(['?', '#']) || text.contains(char::is_whitespace) {
        return Err("it ends with a host or a path; no query".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_nothing_that_must_not_be_logged() {
        assert_eq!(address("https://candles.example.com/").unwrap(), "https://candles.example.com");
        assert_eq!(address("http://gateway:3000/v1").unwrap(), "http://gateway:3000/v1");
        for wrong in
            ["candles.example.com", "ftp://a", "https://", "https://:3000", "https://u:p@a", "https://a?k=v"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn loopback_is_told_from_hosts_that_are_called_alike() {
        assert!(is_loopback("http://127.0.0.1:3000") && is_loopback("http://localhost/x"));
        assert!(is_loopback("http://[::1]:80"));
        assert!(!is_loopback("http://localhost.example.com") && !is_loopback("http://127.0.0.10"));
    }
}
