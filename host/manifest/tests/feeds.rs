//! Tables `[application.trigger.kafka.feed.NAME]`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tallow_manifest::{Manifest, Overrides};

/// A manifest with these lines in the tables of feeds.
fn resolve(feeds: &str) -> Result<Manifest, String> {
    let text = format!(
        r#"
spin_manifest_version = 2
[application]
name = "test"
[application.trigger.kafka]
brokers = "localhost:9092"
lake = "lake"
{feeds}
[[trigger.http]]
route = "/"
component = "feed-binance"
[component.feed-binance]
source = "feed-binance.wasm"
"#
    );
    let folder = Path::new("/srv/app");
    let overrides = Overrides::default();
    tallow_manifest::resolve(&text, Path::new("spin.toml"), folder, &BTreeMap::new(), &overrides)
        .map_err(|errors| errors.to_string())
}

const FEED: &str = r#"
[application.trigger.kafka.feed.binance]
function = "feed-binance"
topic = "trades"
symbols = ["BTCUSDT", "ETHUSDT"]
streams = ["trade"]
"#;

#[test]
fn a_feed_needs_no_pipeline_and_has_defaults() {
    let manifest = resolve(FEED).unwrap();
    let feed = manifest.feed("binance").unwrap();
    assert_eq!((feed.run, feed.internal, feed.most_ids), (false, false, 1_000_000));
    assert_eq!((feed.patience, feed.weight, &feed.ws_url), (Duration::from_secs(600), None, &None));
    let needed: Vec<&str> = manifest.needed_components().into_iter().map(|(_, name)| name).collect();
    assert_eq!(needed, ["feed-binance"]);
}

#[test]
fn all_keys_are_taken() {
    let more = r#"
run = true
settings = { poll = 5 }
ws-url = "ws://127.0.0.1:8080/"
rest-url = "http://127.0.0.1:8081"
internal = true
weight = 100
patience = "5s"
most-ids = 10
renew-after = "1h"
quiet-after = "30s"
"#;
    let manifest = resolve(&format!("{FEED}{more}")).unwrap();
    let feed = manifest.feed("binance").unwrap();
    assert_eq!(feed.ws_url.as_deref(), Some("ws://127.0.0.1:8080"));
    assert_eq!((feed.renew, feed.quiet), (Some(Duration::from_secs(3600)), Some(Duration::from_secs(30))));
    assert_eq!((feed.settings["poll"].as_str(), feed.weight, feed.run), ("5", Some(100), true));
}

#[test]
fn mistakes_are_named_where_they_are() {
    for (from, to, word) in [
        ("\"feed-binance\"\n", "\"feed-binanse\"\n", "no [component.feed-binanse]"),
        ("[\"trade\"]", "[]", "name at least one"),
        ("[\"BTCUSDT\", \"ETHUSDT\"]", "[\"A\", \"A\"]", "`A` is here twice"),
        ("topic = \"trades\"", "topic = \"a b\"", "feed.binance.topic"),
        ("streams = [\"trade\"]", "streams = [\"trade\"]\nws-url = \"https://x\"", "wss://"),
        ("streams = [\"trade\"]", "streams = [\"trade\"]\nrest-url = \"https://u:p@x\"", "credentials"),
        ("streams = [\"trade\"]", "streams = [\"trade\"]\nruns = true", "did you mean `run`?"),
    ] {
        assert!(FEED.contains(from));
        let error = resolve(&FEED.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(word), "{to}: {error}");
    }
    let second = FEED.replace("feed.binance]", "feed.other]").replace("\"BTCUSDT\", ", "");
    let error = resolve(&format!("{FEED}{second}")).unwrap_err();
    assert!(error.contains("each record would be there twice"), "{error}");
}
