//! The recordings of a market, against counts and sums that another reader takes from them.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all_columns, batch, recorded_messages};
use parse_market::{ColumnData, Parsed, Path, parse, parse_by};
use serde_json::Value;

fn integers<'p>(parsed: &'p Parsed, name: &str) -> &'p [i64] {
    let column = parsed.rows.columns.iter().find(|column| column.name == name).unwrap();
    match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => values,
        ColumnData::Decimal(decimals) => &decimals.values,
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn every_recorded_trade_is_a_row_and_everything_else_is_ignored() {
    let Some(messages) = recorded_messages() else { return };
    let parsed = parse(&batch(&messages), &all_columns(&["trade"], 8)).unwrap();
    // The counts that the recordings' own README gives.
    assert_eq!(parsed.rows.rows, 19_904 + 14_515);
    assert_eq!(parsed.rejected.records, [] as [u32; 0]);
    assert_eq!(parsed.ignored.records.len() + parsed.rows.rows as usize, messages.len());
    assert_eq!(parsed.rounded, 0);
}

#[test]
fn recorded_trades_have_the_values_that_serde_json_reads() {
    let Some(messages) = recorded_messages() else { return };
    let parsed = parse(&batch(&messages), &all_columns(&[], 8)).unwrap();
    // The exchange writes eight places: without the point the text is the mantissa.
    let mantissa = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    for (row, &record) in parsed.records.iter().enumerate() {
        let message: Value = serde_json::from_str(&messages[record as usize]).unwrap();
        let trade = &message["data"];
        assert_eq!(integers(&parsed, "price")[row], mantissa(&trade["p"]));
        assert_eq!(integers(&parsed, "quantity")[row], mantissa(&trade["q"]));
        assert_eq!(integers(&parsed, "event_time")[row], trade["T"].as_i64().unwrap() * 1000);
        assert_eq!(integers(&parsed, "id")[row], trade["t"].as_i64().unwrap());
        assert_eq!(integers(&parsed, "last_id")[row], trade["t"].as_i64().unwrap());
        let ColumnData::Text(symbols) = &parsed.rows.columns[0].data else { panic!() };
        assert_eq!(symbols.get(row), trade["s"].as_str());
    }
}

#[test]
fn both_ways_agree_on_the_recordings_whole_and_bare() {
    let Some(messages) = recorded_messages() else { return };
    // The stream's messages as a connection to one stream gives them; answers have no envelope.
    let bare = messages.iter().map(|message| match message.split_once("\"data\":") {
        Some((_, data)) => data.strip_suffix('}').unwrap().to_owned(),
        None => message.clone(),
    });
    let bare: Vec<String> = bare.collect();
    for (messages, scale) in [(&messages, 8), (&bare, 8), (&messages, 2), (&bare, 11)] {
        let (batch, options) = (batch(messages), all_columns(&["trade"], scale));
        let full = parse_by(Path::FullOnly, &batch, &options).unwrap();
        assert_eq!(parse_by(Path::Templates, &batch, &options).unwrap(), full);
    }
}

/// A fixture without its `//` comments.
fn fixture(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(common::recordings("fixtures")?.join(name)).unwrap();
    Some(text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n"))
}

#[test]
fn messages_from_other_projects_fixtures_are_told_apart() {
    let names =
        ["testTradeEvent.json", "testTickerEvent.json", "testKlineEvent.json", "testBookTickerEvent.json"];
    let Some(messages) = names.iter().map(|name| fixture(name)).collect::<Option<Vec<_>>>() else { return };
    let parsed = parse(&batch(&messages), &all_columns(&[], 8)).unwrap();
    assert_eq!(parsed.records, [0, 1]);
    assert_eq!((parsed.kinds.get(0), parsed.kinds.get(1)), (Some("trade"), Some("ticker")));
    assert_eq!(integers(&parsed, "price"), [100_000, 9_177_200]);
    assert_eq!(parsed.ignored.records, [2, 3]);
    assert_eq!(parsed.ignored.reasons.get(0), Some("kline: not final"));
}

#[test]
fn an_answer_with_klines_takes_its_symbol_from_the_setting() {
    let Some(answer) = fixture("binance_rest/get_klines.json") else { return };
    let mut options = all_columns(&["kline"], 8);
    options.settings.push(("symbol".to_owned(), "ETHBTC".to_owned()));
    let parsed = parse(&batch([answer]), &options).unwrap();
    assert_eq!(parsed.rows.rows, 1);
    assert_eq!(integers(&parsed, "close"), [1_577_100]);
    assert_eq!(integers(&parsed, "trades"), [308]);
}

/// Values as in the fixtures, worked out by hand: eight places, milliseconds to microseconds.
#[test]
fn tickers_of_the_exchange_over_rest_are_read_as_they_stand() {
    for name in [
        "single-24hr-ticker.json",
        "binance_rest/get_24h_price_stats.json",
        "binance_rest/get_all_24h_price_stats.json",
    ] {
        let Some(answer) = fixture(name) else { return };
        let parsed = parse(&batch([answer]), &all_columns(&["ticker"], 8)).unwrap();
        assert_eq!((parsed.rows.rows, parsed.kinds.get(0)), (1, Some("ticker")), "{name}");
        for (column, value) in [
            ("event_time", 1_499_869_899_040_000),
            ("price", 400_000_200),
            ("rolling_open", 9_900_000_000),
            ("rolling_high", 10_000_000_000),
            ("rolling_low", 10_000_000),
            ("rolling_volume", 891_330_000_000),
            ("rolling_quote_volume", 1_530_000_000),
            ("rolling_trades", 76),
            ("rolling_price_change", -9_499_999_800),
            ("rolling_price_change_percent", -9_596_000_000),
        ] {
            assert_eq!(integers(&parsed, column), [value], "{name}: {column}");
        }
    }
}
