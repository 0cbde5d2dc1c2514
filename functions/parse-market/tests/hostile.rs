//! Records that should not be sent. Each is set apart with a bounded reason, and its neighbours are not touched.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all_columns, batch};
use parse_market::{Batch, Parsed, parse};

const SOUND: &str = r#"{"e":"trade","E":1,"s":"A","t":1,"p":"1.5","q":"2","T":1,"m":true}"#;

fn parsed(value: &[u8]) -> Parsed {
    let parsed = parse(&batch([SOUND.as_bytes(), value, SOUND.as_bytes()]), &all_columns(&[], 8)).unwrap();
    let apart = parsed.ignored.records.iter().chain(&parsed.rejected.records);
    assert!(parsed.records.iter().chain(apart).any(|record| *record == 1), "record 1 is nowhere");
    assert_eq!((parsed.records.first(), parsed.records.last()), (Some(&0), Some(&2)));
    parsed
}

fn rejected(value: impl AsRef<[u8]>) -> String {
    let parsed = parsed(value.as_ref());
    assert_eq!(parsed.rejected.records, [1]);
    assert_eq!(parsed.rows.rows, 2, "a rejected record leaves no row");
    let reason = parsed.rejected.reasons.get(0).unwrap().to_owned();
    assert!(reason.len() <= 200, "{reason}");
    reason
}

fn ignored(value: impl AsRef<[u8]>) -> String {
    let parsed = parsed(value.as_ref());
    assert_eq!(parsed.ignored.records, [1]);
    parsed.ignored.reasons.get(0).unwrap().to_owned()
}

fn trade(change: &str, to: &str) -> String {
    let trade = r#"{"e":"trade","E":1,"s":"BTCUSDT","t":7,"p":"1.5","q":"2","T":1723161255342,"m":true}"#;
    assert!(trade.contains(change));
    trade.replace(change, to)
}

#[test]
fn a_value_that_is_no_json_is_rejected_with_the_place() {
    assert_eq!(rejected(""), "empty value");
    assert_eq!(rejected(" "), "JSON: EOF at byte 1");
    assert_eq!(rejected("hello"), "JSON: \"h\" at byte 0, not an object or array");
    assert_eq!(rejected("17"), "JSON: \"1\" at byte 0, not an object or array");
    assert_eq!(rejected(b"{\"e\":\"tr\xffde\"}"), "not UTF-8 at byte 8");
    assert_eq!(rejected(format!("{SOUND}\0")), "JSON: \"\\0\" at byte 66, not the end");
    assert_eq!(rejected(&SOUND[..34]), "JSON: EOF at byte 34");
    assert_eq!(rejected("\u{feff}{}"), "JSON: \"\\u{feff}\" at byte 0, not an object or array");
}

#[test]
fn a_message_that_is_not_known_is_rejected_with_its_keys() {
    assert_eq!(rejected(r#"{"a":1,"b":2}"#), "unknown message: no known \"e\", keys a, b");
    assert_eq!(rejected("{}"), "unknown message: no known \"e\", no keys");
    assert_eq!(rejected(r#"{"e":"party"}"#), "unknown message: \"e\" is \"party\"");
    assert_eq!(
        rejected(r#"{"stream":"x","data":[[1]]}"#),
        "data: symbol: neither a setting `symbol` nor a record key names it"
    );
    assert!(rejected(format!(r#"{{"{}":1}}"#, "k".repeat(1 << 20))).starts_with("unknown message"));
}

#[test]
fn numbers_that_no_market_makes_are_rejected_by_name() {
    assert_eq!(rejected(trade(r#""1.5""#, r#""abc""#)), "price: not a decimal: \"abc\"");
    assert_eq!(rejected(trade(r#""1.5""#, r#""-1""#)), "price: negative: \"-1\"");
    assert_eq!(rejected(trade(r#""1.5""#, r#""0.00""#)), "price: zero: \"0.00\"");
    assert_eq!(rejected(trade(r#""2""#, r#""-2""#)), "quantity: negative: \"-2\"");
    assert_eq!(rejected(trade(r#""2""#, r#""NaN""#)), "quantity: not a decimal: \"NaN\"");
    assert_eq!(rejected(trade(r#""2""#, "NaN")), "JSON: \"N\" at byte 53, not a value");
    assert_eq!(rejected(trade(r#""1.5""#, "1e99")), "price: more than 38 digits at scale 8: \"1e99\"");
    assert_eq!(
        rejected(trade(r#""1.5""#, "1e-99")),
        "price: not zero, but zero at scale 8 (raise it by `scales`): \"1e-99\""
    );
    assert_eq!(rejected(trade(r#""1.5""#, "[1]")), "price: not a text or number: \"[1]\"");
    assert_eq!(rejected(trade(r#""1.5""#, "null")), "price: missing (key \"p\")");
    assert_eq!(rejected(trade("\"t\":7", "\"t\":-7")), "id: negative: -7");
    assert_eq!(rejected(trade("\"t\":7", "\"t\":7.5")), "id: not an integer: \"7.5\"");
    assert_eq!(
        rejected(trade("\"t\":7", "\"t\":9223372036854775808")),
        "id: beyond 64 bits: \"9223372036854775808\""
    );
}

#[test]
fn times_outside_1970_to_9999_are_rejected() {
    assert_eq!(rejected(trade("1723161255342", "-1")), "event_time: before 1970: \"-1\"");
    assert_eq!(
        rejected(trade("1723161255342", "253402300800000000")),
        "event_time: after 9999: \"253402300800000000\""
    );
    assert_eq!(
        rejected(trade("1723161255342", "99999999999999999999")),
        "event_time: beyond 64 bits: \"99999999999999999999\""
    );
    for time in ["0", "99999999999999", "253402300799999999"] {
        assert_eq!(parsed(trade("1723161255342", time).as_bytes()).rows.rows, 3, "{time}");
    }
}

#[test]
fn a_key_given_twice_is_rejected_where_it_is_needed() {
    assert_eq!(rejected(trade("\"t\":7", "\"p\":\"2.5\",\"t\":7")), "JSON: key \"p\" is there twice");
    assert_eq!(rejected(trade("\"t\":7", "\"\\u0070\":\"2.5\",\"t\":7")), "JSON: key \"p\" is there twice");
    assert_eq!(parsed(trade("\"t\":7", "\"t\":7,\"zz\":1,\"zz\":2").as_bytes()).rows.rows, 3);
}

#[test]
fn symbols_are_any_text_of_1_to_256_bytes() {
    assert_eq!(rejected(trade("BTCUSDT", "")), "symbol: empty");
    assert_eq!(
        rejected(trade("BTCUSDT", "\\ud800")),
        "symbol: half a surrogate pair is no text: \"\\\\ud800\""
    );
    assert_eq!(rejected(trade("BTCUSDT", &"A".repeat(257))), "symbol: 257 bytes, more than 256");
    for symbol in ["é", "\\u00e9\\n\\u0000", "\\ud83d\\ude00", &"A".repeat(256)] {
        assert_eq!(parsed(trade("BTCUSDT", symbol).as_bytes()).rows.rows, 3, "{symbol}");
    }
}

#[test]
fn size_and_depth_are_no_danger() {
    let deep = 100_000;
    let bomb = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    assert_eq!(parsed(trade("\"t\":7", &format!("\"zz\":{bomb},\"t\":7")).as_bytes()).rows.rows, 3);
    assert!(rejected(&bomb).starts_with("symbol: neither"));
    assert_eq!(rejected(r#"{"stream":"","data":"#.repeat(deep)), format!("JSON: EOF at byte {}", 20 * deep));
    let huge = "7".repeat(10_000_000);
    assert!(rejected(trade(r#""1.5""#, &huge)).starts_with("price: more than 38 digits"));
    assert!(rejected(trade("\"t\":7", &format!("\"t\":{huge}"))).starts_with("id: beyond 64 bits"));
    assert!(rejected(format!(r#"{{"x":"{huge}{huge}"}}"#)).starts_with("unknown message"));
    assert!(rejected(format!("[{}1]", "1,".repeat(5_000_000))).starts_with("JSON: "));
}

#[test]
fn known_messages_that_nobody_asked_for_are_ignored_by_name() {
    assert_eq!(
        ignored(r#"{"e":"depthUpdate","E":1,"s":"A","U":1,"u":2,"b":[],"a":[]}"#),
        "depthUpdate: not asked for"
    );
    assert_eq!(ignored(r#"{"u":1,"s":"A","b":"1","B":"1","a":"1","A":"1"}"#), "bookTicker: not asked for");
    assert_eq!(ignored(r#"{"result":null,"id":1}"#), "answer to a subscription");
    assert_eq!(ignored("[]"), "an empty array");
}

#[test]
fn a_column_of_a_kind_without_it_is_null_bit_by_bit() {
    let ticker = r#"{"symbol":"A","event_time":1,"price":1.5}"#;
    let mut values = vec![SOUND; 9];
    values.insert(4, ticker);
    let parsed = parse(&batch(values), &all_columns(&[], 8)).unwrap();
    let column = |name: &str| parsed.rows.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!(column("price").validity, None);
    assert_eq!(column("quantity").validity, Some(vec![0b1110_1111, 0b11]));
    assert_eq!(column("open").validity, Some(vec![0, 0]));
}

#[test]
fn a_wide_value_widens_its_column_and_keeps_its_neighbours() {
    let ticker =
        |volume: &str| format!(r#"{{"symbol":"PEPE","event_time":1,"price":"1","volume":{volume}}}"#);
    let values = [ticker("12.5"), ticker("\"123456789012345678.12345678\""), ticker("null"), ticker("3")];
    let parsed = parse(&batch(values), &all_columns(&["ticker"], 8)).unwrap();
    let column = parsed.rows.columns.iter().find(|column| column.name == "rolling_volume").unwrap();
    let parse_market::ColumnData::Decimal(decimals) = &column.data else { panic!() };
    assert!(decimals.high.is_some());
    let mantissas: Vec<i128> = (0..4).map(|row| decimals.mantissa(row)).collect();
    assert_eq!(mantissas, [1_250_000_000, 12_345_678_901_234_567_812_345_678, 0, 300_000_000]);
    assert_eq!(column.validity, Some(vec![0b1011]));
}

#[test]
fn a_batch_that_is_none_is_an_error_and_not_a_panic() {
    let mut bad = Batch::default();
    bad.values.push(Some(b"ab"));
    bad.values.ends = vec![5];
    assert_eq!(
        parse(&bad, &all_columns(&[], 8)).unwrap_err().to_string(),
        "batch: `values` is not a column of byte strings"
    );
    bad.values.ends = vec![2, 1];
    assert!(parse(&bad, &all_columns(&[], 8)).is_err());
    let empty = parse(&Batch::default(), &all_columns(&[], 8)).unwrap();
    assert_eq!(empty.rows.rows, 0);
}
