//! `[application.trigger.kafka.backfill.NAME]`.

#![allow(clippy::unwrap_used, reason = "the manifests that are taken apart here are the test's own")]

mod common;

use std::time::Duration;

use common::{error, read, with_backfill};
use tallow_manifest::{Asking, Backfill};

fn backfill(lines: &str) -> Backfill {
    read(&with_backfill(lines)).unwrap_or_else(|errors| panic!("{errors}")).backfills.remove(0)
}

#[test]
fn the_windows_are_the_pipelines_over_the_exchanges_bars() {
    let backfill = backfill("scales = { close = 2 }");
    assert_eq!((backfill.name.as_str(), backfill.pipeline()), ("history", "candles"));
    assert_eq!(backfill.bars.parse, "parse-market");
    let window = &backfill.bars.windows[0];
    assert_eq!((window.name.as_str(), window.kinds[0].as_str()), ("1m", "kline"));
    assert_eq!(window.aggregates[0].column.as_deref(), Some("close"));
    assert_eq!(window.ids.as_ref().unwrap().first, "id");
    let columns: Vec<_> = backfill.bars.wanted_columns().into_iter().map(|it| (it.name, it.scale)).collect();
    let wanted = [("close", 2), ("event_time", 8), ("id", 8), ("symbol", 8)];
    assert_eq!(columns, wanted.map(|(name, scale)| (name.to_owned(), scale)));
}

#[test]
fn what_is_not_written_has_its_default() {
    let backfill = backfill("");
    let asking = Asking { weight: 1200, timeout: Duration::from_secs(20), body_bytes: 16 << 20, attempts: 6 };
    assert_eq!(backfill.asking, asking);
    assert_eq!((backfill.interval_us, backfill.settle_us), (60_000_000, 60_000_000));
    assert_eq!((backfill.from_us, backfill.symbols.clone(), backfill.internal), (None, None, false));
}

#[test]
fn symbols_are_a_list_or_a_table_of_the_exchanges_names() {
    let symbols =
        |lines: &str| -> Vec<(String, String)> { backfill(lines).symbols.unwrap().into_iter().collect() };
    let pair = |symbol: &str, listed: &str| (symbol.to_owned(), listed.to_owned());
    assert_eq!(symbols("symbols = [\"A\", \"B\"]"), [pair("A", "A"), pair("B", "B")]);
    assert_eq!(symbols("symbols = { BTCUSD = \"BTC-USD\" }"), [pair("BTCUSD", "BTC-USD")]);
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    let other_window = |shape: &str, keys: &str, aggregates: &str| {
        let window = format!(
            "[[trigger.kafka.windows]]\nname = \"x\"\nkinds = [\"trade\"]\n{shape}\nkeys = {keys}\naggregates = \
             {{ {aggregates} }}\n\n[component.parse-market]"
        );
        with_backfill("windows = [\"x\"]").replace("[component.parse-market]", &window)
    };
    for (text, part) in [
        (
            with_backfill("").replace("pipeline = \"candles\"", "pipeline = \"candle\""),
            "did you mean `candles`?",
        ),
        (with_backfill("windows = [\"1h\"]"), "pipeline `candles` has no `1h`"),
        (with_backfill("interval = \"7s\""), "window `1m` is not made of whole bars"),
        (with_backfill("intervall = \"1m\""), "did you mean `interval`?"),
        (with_backfill("covered-by = [\"../x\"]"), "is not a table of the lake"),
        (with_backfill("symbols = []"), "name at least one symbol"),
        (with_backfill("from = \"yesterday\""), "write a day like 2024-08-09"),
        (with_backfill("").replace("https://api.", "ftp://api."), "write https://api.example.com"),
        (with_backfill("").replace("https://api.", "https://u:p@api."), "credentials"),
        (
            with_backfill("").replace("close = \"last(close)\"", "open = \"first(open)\""),
            "has a column `close`",
        ),
        (with_backfill("scales = { price = 2 }"), "no window of this pipeline reads such a column"),
        (
            with_backfill("function = \"x\"").replacen("function = \"backfill-binance\"\n", "", 1),
            "no [component.x]",
        ),
        (
            other_window("session = \"5m\"", "[\"symbol\"]", "close = \"last(price)\""),
            "window `x` is not a tumbling one",
        ),
        (
            other_window("tumbling = \"1h\"", "[\"symbol\", \"interval\"]", "close = \"last(price)\""),
            "window `x` must have one key",
        ),
        (
            with_backfill("")
                .replace("topic = \"trades\"", "topic = \"trades\"\nbackfill = \"auto\"")
                .replace("pipeline = \"candles\"", "pipeline = \"other\""),
            "there is no pipeline `other`",
        ),
    ] {
        let errors = read(&text).map(drop).unwrap_err().to_string();
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn a_pipeline_that_wants_to_be_filled_needs_somebody_who_does() {
    let auto = common::with_line("topic = \"trades\"", "backfill = \"auto\"");
    assert!(error(&auto).contains("has `pipeline = \"candles\"`: add one, or remove the key"));
    let both = with_backfill("").replace("topic = \"trades\"", "topic = \"trades\"\nbackfill = \"auto\"");
    assert!(read(&both).unwrap().pipelines[0].auto_backfill);
}

#[test]
fn two_that_would_fill_the_same_windows_are_refused() {
    let second = |symbols: &str| {
        with_backfill("symbols = [\"A\"]").replace(
            "[component.backfill-binance]",
            &format!(
                "[application.trigger.kafka.backfill.other]\npipeline = \"candles\"\nfunction = \"backfill-binance\"\n\
                 base-url = \"https://b.example\"\naggregates = {{ close = \"last(close)\" }}\n{symbols}\n\
                 [component.backfill-binance]"
            ),
        )
    };
    assert!(error(&second("symbols = [\"B\", \"A\"]")).contains("fetches the same windows of A"));
    assert!(error(&second("")).contains("fetches the same windows of every symbol"));
    assert_eq!(read(&second("symbols = [\"B\"]")).unwrap().backfills.len(), 2);
}
