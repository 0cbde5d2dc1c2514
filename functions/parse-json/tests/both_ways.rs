//! The quick reader against the full one, and both against serde_json.

#![allow(clippy::unwrap_used)]

mod common;

use common::{batch, both_ways, column, options, schema, shown};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

const KEYS: [&str; 6] = ["a", "b", "long_key", "é", "nested", "x"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => any::<i64>().prop_map(Value::from),
        2 => "[ -~é😀\\n\"]{0,12}".prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (any::<i32>(), 0..4u8).prop_map(|(it, places)| json!(f64::from(it) / 10f64.powi(i32::from(places)))),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(&KEYS[..]), inner), 0..3).prop_map(|it| it
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

/// Members of a message in any order, mostly the same.
fn members() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let values = prop::collection::vec(value(), KEYS.len());
    (values, prop_oneof![4 => Just(None), 1 => Just(KEYS.to_vec()).prop_shuffle().prop_map(Some)])
        .prop_map(|(values, order)| order.unwrap_or_else(|| KEYS.to_vec()).into_iter().zip(values).collect())
}

fn text(members: &[(&str, Value)], pretty: bool) -> String {
    let space = if pretty { " " } else { "" };
    let members = members.iter().map(|(key, value)| format!("{}:{space}{value}", Value::from(*key)));
    let members: Vec<String> = [format!("\"ts\":{space}1")].into_iter().chain(members).collect();
    format!("{{{}}}", members.join(&format!(",{space}")))
}

fn fields() -> Value {
    schema(json!([
        column("a", "text"),
        column("b", "text"),
        column("long_key", "text"),
        column("é", "text"),
        { "name": "inner", "type": "text", "source": { "value": "nested.a" } },
    ]))
}

/// What serde_json makes of the same message.
fn expected(members: &[(&str, Value)]) -> Option<Value> {
    let of =
        |key: &str| members.iter().find(|(name, _)| *name == key).map_or(&Value::Null, |(_, value)| value);
    let nested = of("nested");
    if !nested.is_null() && !nested.is_object() {
        return None;
    }
    let text = |value: &Value| match value {
        Value::String(_) | Value::Null => value.clone(),
        other => Value::from(other.to_string()),
    };
    Some(json!({
        "ts": 1000, "a": text(of("a")), "b": text(of("b")), "long_key": text(of("long_key")), "é": text(of("é")),
        "inner": text(&nested["a"]),
    }))
}

/// A sound message, twice, and after each bent one.
fn bent(sound: &[u8], bends: Vec<(Index, u8, u8)>) -> Vec<Vec<u8>> {
    let mut values = vec![sound.to_vec(), sound.to_vec()];
    for (at, byte, how) in bends {
        let mut bent = sound.to_vec();
        let at = at.index(bent.len());
        match how {
            0 => bent[at] = byte,
            1 => bent.insert(at, byte),
            _ => bent.truncate(at),
        }
        values.extend([bent, sound.to_vec()]);
    }
    values
}

/// A trade whose values are mostly of one form, and now and then of another.
fn trade() -> impl Strategy<Value = String> {
    let one = |of: &'static str| of.prop_map(|text| text).boxed();
    let number = prop_oneof![
        8 => one("\"[0-9]{1,6}\\.[0-9]{1,8}\""),
        2 => one("[1-9][0-9]{0,10}(\\.[0-9]{1,9})?"),
        1 => one("\"?-?[0-9]{0,3}\\.?[0-9]{0,12}([eE][-+]?[0-9]{1,2})?\"?"),
        1 => Just("null".to_owned()).boxed(),
    ];
    let integer =
        prop_oneof![8 => one("[1-9][0-9]{0,17}"), 1 => one("\"?-?[0-9]{1,20}\"?"), 1 => one("0[0-9]?")];
    let time = prop_oneof![8 => (0i64..2_000_000_000_000).prop_map(|it| it.to_string()).boxed(), 1 => one("[0-9]{1,19}")];
    let text = prop_oneof![8 => one("\"[A-Z]{1,16}\""), 1 => one("\"[ -~é]{0,20}\""), 1 => one("[1-9]{1,3}")];
    let flag = prop_oneof![4 => one("true|false"), 1 => one("null|0|\"true\"")];
    let kind = prop_oneof![8 => one("trade"), 1 => one("book|k[a-z]")];
    (kind, text, number.clone(), number, integer, time, flag, prop::bool::weighted(0.1)).prop_map(
        |(kind, text, price, quantity, id, time, flag, other)| {
            let skipped = if other { ",\"x\":[1,{\"y\":\"z\"}]" } else { ",\"x\":1.5" };
            format!(
                r#"{{"e":"{kind}","s":{text},"p":{price},"q":{quantity},"t":{id},"ts":{time},"m":{flag}{skipped}}}"#
            )
        },
    )
}

fn trade_fields() -> Value {
    let at = |name: &str, type_: &str, key: &str| json!({ "name": name, "type": type_, "source": { "value": key } });
    let mut schema = schema(json!([
        at("symbol", "text", "s"),
        at("price", "decimal", "p"),
        at("quantity", "decimal", "q"),
        at("id", "int64", "t"),
        at("maker", "boolean", "m"),
        { "name": "half", "type": "float64", "source": { "value": "x" }, "default": "0.5" },
        { "name": "seconds", "type": { "timestamp": "seconds" }, "source": { "value": "absent" } },
        { "name": "offset", "type": "int64", "source": "offset" },
    ]));
    schema["kind"] = json!({ "at": "e" });
    schema
}

/// A trade in an envelope: its members in any order, with others between them and now and then one twice, and any white
/// space between all of them.
fn enveloped() -> impl Strategy<Value = String> {
    let members = [
        r#""e":"trade""#,
        r#""s":"BTCUSDT""#,
        r#""p":"61837.63000000""#,
        r#""q":0.5"#,
        r#""t":3751467651"#,
        r#""ts":"1723161255342""#,
        r#""m":true"#,
        r#""note":{"a":[1,"}"],"b":null}"#,
        r#""x":null"#,
        r#""y":"long, 17 bytes""#,
    ];
    let chosen = prop::sample::subsequence(members.to_vec(), 6..=members.len()).prop_shuffle();
    let twice = prop_oneof![8 => Just(None), 1 => any::<Index>().prop_map(Some)];
    let white = prop::sample::select(vec!["", "", " ", "\n  ", " \t\r\n                "]);
    (chosen, twice, white, prop::bool::ANY).prop_map(|(mut members, twice, white, first)| {
        members.extend(twice.map(|at| members[at.index(members.len())]));
        let data = members.join(&format!("{white},{white}")).replace(':', &format!(":{white}"));
        let data = format!("\"data\":{white}{{{white}{data}{white}}}");
        let stream = r#""stream":"btcusdt@trade""#;
        let both = if first { [stream, &data] } else { [&*data, stream] };
        format!("{{{white}{}{white}}}{white}", both.join(&format!("{white},{white}")))
    })
}

/// The same trade's schema, one level down, with columns that share a place.
fn enveloped_fields() -> Value {
    let mut schema = trade_fields();
    for column in schema["columns"].as_array_mut().unwrap() {
        if let Some(path) = column["source"]["value"].as_str() {
            column["source"]["value"] = json!(format!("data.{path}"));
        }
    }
    let columns = schema["columns"].as_array_mut().unwrap();
    columns.push(json!({ "name": "kind", "type": "text", "source": { "value": "data.e" } }));
    columns.push(json!({ "name": "stream", "type": "text", "source": { "value": "stream" } }));
    schema["kind"] = json!({ "at": "data.e" });
    schema
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_read_what_serde_json_reads(messages in prop::collection::vec((members(), prop::bool::weighted(0.1)), 1..12)) {
        let texts: Vec<String> = messages.iter().map(|(members, pretty)| text(members, *pretty)).collect();
        let parsed = shown(&both_ways(&batch(&texts), &options(fields())));
        let rows: Vec<Value> = messages.iter().filter_map(|(members, _)| expected(members)).collect();
        prop_assert_eq!(&parsed["rows"], &Value::from(rows), "{:?}", texts);
    }

    #[test]
    fn both_ways_read_the_same_trades(trades in prop::collection::vec(trade(), 1..24), scale in 0u8..12) {
        let mut options = options(trade_fields());
        options.kinds = vec!["trade".to_owned(), "kx".to_owned()];
        options.columns.iter_mut().for_each(|column| column.scale = scale);
        both_ways(&batch(&trades), &options);
    }

    #[test]
    fn both_ways_agree_on_bent_trades(
        trade in trade(), bends in prop::collection::vec((any::<Index>(), prop_oneof![prop::sample::select(br#"{}[]",:\0129.-+eEtfn "#.to_vec()), any::<u8>()], 0..3u8), 1..6),
    ) {
        both_ways(&batch(bent(trade.as_bytes(), bends)), &options(trade_fields()));
    }

    #[test]
    fn both_ways_read_any_order_and_any_white_space(trades in prop::collection::vec(enveloped(), 1..16), wanted in prop::bool::ANY) {
        let mut options = options(enveloped_fields());
        if wanted {
            options.kinds = vec!["other".to_owned()];
            options.columns.truncate(3);
        }
        let parsed = both_ways(&batch(&trades), &options);
        for trade in trades.iter().filter(|_| !wanted) {
            prop_assert!(serde_json::from_str::<Value>(trade).is_ok(), "{}", trade);
        }
        prop_assert_eq!(parsed.records.is_empty(), wanted || parsed.rejected.records.len() == trades.len());
    }

    #[test]
    fn numbers_are_what_their_digits_say(
        whole in "0|[1-9][0-9]{0,17}", places in "[0-9]{0,8}", minus in prop::bool::ANY, quoted in prop::bool::ANY,
    ) {
        let number = format!("{}{whole}{}{places}", if minus { "-" } else { "" }, if places.is_empty() { "" } else { "." });
        let written = if quoted { format!("\"{number}\"") } else { number.clone() };
        let schema = schema(json!([column("d", "decimal"), column("f", "float64"), column("i", "int64")]));
        // An integer with places does not fit.
        let whole = if quoted { format!("\"{whole}\"") } else { whole };
        let text = format!("{{\"ts\":1,\"d\":{written},\"f\":{written},\"i\":{whole}}}");
        let row = &shown(&both_ways(&batch([&text]), &options(schema)))["rows"][0];
        let zero = number.bytes().all(|byte| matches!(byte, b'0' | b'-' | b'.'));
        let digits = number.split('.').next().unwrap_or_default();
        let digits = if zero { digits.trim_start_matches('-') } else { digits };
        prop_assert_eq!(&row["d"], &json!(format!("{digits}.{places:0<8}")), "{}", text);
        prop_assert_eq!(row["f"].as_f64(), number.parse::<f64>().ok(), "{}", text);
        prop_assert_eq!(&row["i"], &json!(whole.trim_matches('"').parse::<i64>().unwrap()), "{}", text);
    }

    #[test]
    fn both_ways_agree_on_bent_messages(
        members in members(), bends in prop::collection::vec((any::<Index>(), prop_oneof![prop::sample::select(br#"{}[]",:\0129.-+eEtfn "#.to_vec()), any::<u8>()], 0..3u8), 1..6),
    ) {
        let values = bent(text(&members, false).as_bytes(), bends);
        both_ways(&batch(&values), &options(fields()));
    }
}
