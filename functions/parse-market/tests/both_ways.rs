//! The templates against the full parser: they may leave a record to it, and never disagree with it.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all_columns, batch};
use parse_market::{Batch, Options, Path, parse_by};
use proptest::prelude::*;
use proptest::sample::Index;

/// Parses both ways, alone and between two sound trades, and gives how many rows came of it.
fn agree(value: &[u8], options: &Options) -> Result<u32, TestCaseError> {
    let sound = br#"{"e":"trade","E":1,"s":"A","t":1,"p":"1.5","q":"2","T":1,"m":true}"#;
    let mut last = 0;
    for batch in [batch([value]), batch([&sound[..], value, &sound[..]]), batch([value, &[b'7'; 300][..]])] {
        let full = parse_by(Path::FullOnly, &batch, options).unwrap();
        let fast = parse_by(Path::Templates, &batch, options).unwrap();
        prop_assert!(fast == full, "{}\nfast {fast:?}\nfull {full:?}", String::from_utf8_lossy(value));
        last = full.rows.rows;
    }
    Ok(last)
}

fn decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[0-9]{1,6}\\.[0-9]{8}",
        2 => "[0-9]{1,12}(\\.[0-9]{1,12})?",
        1 => "-?[0-9]{0,3}\\.?[0-9]{0,3}([eE][-+]?[0-9]{1,3})?",
    ]
}

fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1_500_000_000_000i64..1_800_000_000_000).prop_map(|time| time.to_string()),
        2 => (1_500_000_000_000_000i64..1_800_000_000_000_000).prop_map(|time| time.to_string()),
        1 => "-?[0-9]{1,20}",
    ]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[1-9][0-9]{0,17}", 1 => "-?[0-9]{1,20}"]
}

fn symbol() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[A-Z0-9]{1,16}", 1 => "[A-Z_ é\\\\u0-9]{0,20}"]
}

prop_compose! {
    fn message()(
        aggregate in any::<bool>(), enveloped in any::<bool>(), order_ids in any::<bool>(), ignore in any::<bool>(),
        symbol in symbol(), sent in time(), time in time(), ids in [id(), id(), id()],
        price in decimal(), quantity in decimal(), maker in prop_oneof![Just("true"), Just("false"), Just("null")],
        stream in "[a-z@]{0,70}",
    ) -> String {
        let [a, b, c] = ids;
        let orders = if order_ids { r#","b":88,"a":50"# } else { "" };
        let ignore = if ignore { r#","M":true"# } else { "" };
        let message = match aggregate {
            false => format!(r#"{{"e":"trade","E":{sent},"s":"{symbol}","t":{a},"p":"{price}","q":"{quantity}"{orders},"T":{time},"m":{maker}{ignore}}}"#),
            true => format!(r#"{{"e":"aggTrade","E":{sent},"s":"{symbol}","a":{a},"p":"{price}","q":"{quantity}","f":{b},"l":{c},"T":{time},"m":{maker}{ignore}}}"#),
        };
        if enveloped { format!(r#"{{"stream":"{stream}","data":{message}}}"#) } else { message }
    }
}

/// A byte that JSON gives a meaning to, or any.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(br#"{}[]",:\0129.-+eEtfn "#.to_vec()), any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn messages_of_the_exchange_read_the_same(message in message(), scale in 0u8..13) {
        agree(message.as_bytes(), &all_columns(&[], scale))?;
    }

    #[test]
    fn messages_with_changed_bytes_read_the_same(message in message(), changes in prop::collection::vec((any::<Index>(), byte()), 1..4)) {
        let mut message = message.into_bytes();
        for (at, byte) in changes {
            let at = at.index(message.len());
            message[at] = byte;
        }
        agree(&message, &all_columns(&["trade"], 8))?;
    }

    #[test]
    fn cut_and_spliced_messages_read_the_same(message in message(), at in any::<Index>(), until in any::<Index>(), between in "[ \\n}{\"0]{0,2}") {
        let mut message = message.into_bytes();
        let (start, end) = (at.index(message.len()), until.index(message.len()));
        message.splice(start.min(end)..end.max(start), between.bytes());
        agree(&message, &all_columns(&[], 8))?;
    }
}

#[test]
fn a_plain_trade_of_every_shape_is_a_row_both_ways() {
    for value in [
        r#"{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}"#,
        r#"{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63","q":"1","b":88,"a":50,"T":1723161255342000,"m":false}"#,
        r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":7,"p":"1.5","q":"2","f":3,"l":9,"T":1,"m":true,"M":true}}"#,
    ] {
        assert_eq!(agree(value.as_bytes(), &all_columns(&[], 8)).unwrap(), 1, "{value}");
    }
}

#[test]
fn nulls_between_trades_keep_their_places() {
    let trade: &[u8] = br#"{"e":"trade","E":1,"s":"A","t":1,"p":"1.5","q":"2","T":1,"m":true}"#;
    let mut batch = Batch::default();
    for index in 0..1000 {
        batch.values.push((index % 3 != 0).then_some(trade));
    }
    let options = all_columns(&["trade"], 8);
    let fast = parse_by(Path::Templates, &batch, &options).unwrap();
    assert_eq!(fast, parse_by(Path::FullOnly, &batch, &options).unwrap());
    assert!(fast.records.iter().all(|record| record % 3 != 0));
    assert!(fast.ignored.records.iter().all(|record| record % 3 == 0));
    assert_eq!(fast.records.len() + fast.ignored.records.len(), 1000);
}
