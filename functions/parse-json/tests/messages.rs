//! What messages become, case by case.

#![allow(clippy::unwrap_used)]

mod common;

use common::{batch, both_ways, column, options, parsed, schema, shown};
use parse_json::parse;
use serde_json::{Value, json};
use tallow_contract::{ByteColumn, Headers};

/// The one column `v` of messages, each alone.
fn values(type_: &str, texts: &[&str]) -> Vec<Value> {
    let one = |text: &&str| {
        let result = parsed(schema(json!([column("v", type_)])), [format!(r#"{{"ts":1,"v":{text}}}"#)]);
        match result["rows"].as_array().unwrap().first() {
            Some(row) => row["v"].clone(),
            None => result["rejected"][0][1].clone(),
        }
    };
    texts.iter().map(one).collect()
}

#[test]
fn numbers_keep_every_digit() {
    assert_eq!(
        values(
            "decimal",
            &["0.00000001", "\"61837.63000000\"", "-5", "1e3", "123456789012345678901234567890.5", "null"]
        ),
        [
            json!("0.00000001"),
            json!("61837.63000000"),
            json!("-5.00000000"),
            json!("1000.00000000"),
            json!("123456789012345678901234567890.50000000"),
            Value::Null
        ]
    );
    assert_eq!(
        values(
            "int64",
            &["9223372036854775807", "\"-9223372036854775808\"", "9223372036854775808", "1.0", "true"]
        ),
        [
            json!(i64::MAX),
            json!(i64::MIN),
            json!("v: beyond 64 bits: \"9223372036854775808\""),
            json!("v: not an integer: \"1.0\""),
            json!("v: not an integer: \"true\"")
        ]
    );
}

#[test]
fn what_is_no_number_is_refused() {
    assert_eq!(
        values("float64", &["1e308", "\"0.1\"", "1e400", "\"NaN\"", "\"inf\"", "\"\""]),
        [
            json!(1e308),
            json!(0.1),
            json!("v: too large for a double: \"1e400\""),
            json!("v: not a number: \"NaN\""),
            json!("v: not a number: \"inf\""),
            json!("v: not a number: \"\"")
        ]
    );
    let bare = parsed(schema(json!([column("v", "float64")])), [r#"{"ts":1,"v":NaN}"#]);
    assert_eq!(bare["rejected"], json!([[0, "JSON: \"N\" at byte 12, not a value"]]));
}

#[test]
fn a_text_is_unescaped_and_anything_else_stays_as_written() {
    assert_eq!(
        values(
            "text",
            &[r#""a\u00e9\n\ud83d\ude00""#, "1.50", "true", r#"{"a": [1, 2]}"#, r#""\ud800""#, "null"]
        ),
        [
            json!("aé\n😀"),
            json!("1.50"),
            json!("true"),
            json!(r#"{"a": [1, 2]}"#),
            json!(r#"v: half a surrogate pair is no text: "\\ud800""#),
            Value::Null
        ]
    );
}

#[test]
fn a_key_twice_is_refused_where_a_column_needs_it() {
    let b = json!({ "name": "b", "type": "int64", "source": { "value": "a.b" } });
    let result = parsed(
        schema(json!([b])),
        [
            r#"{"ts":1,"ts":2,"a":{"b":1}}"#,
            r#"{"ts":1,"a":{"b":1},"a":{"c":1}}"#,
            r#"{"ts":1,"a":{"b":1,"b":1}}"#,
            r#"{"ts":1,"a":{"b":1,"\u0062":2}}"#,
            r#"{"ts":1,"x":1,"x":2,"a":{"b":1}}"#,
        ],
    );
    assert_eq!(
        result["rejected"],
        json!([
            [0, "ts: there twice"],
            [1, "a: there twice"],
            [2, "a.b: there twice"],
            [3, "a.b: there twice"]
        ])
    );
    assert_eq!(result["records"], json!([4]));
}

#[test]
fn a_depth_bomb_takes_no_stack() {
    let deep = 300_000;
    let bomb = format!(r#"{{"ts":1,"x":{}{},"v":7}}"#, "[".repeat(deep), "]".repeat(deep));
    let result = parsed(schema(json!([column("v", "int64")])), [bomb]);
    assert_eq!(result["rows"][0]["v"], json!(7));
}

#[test]
fn nested_paths_items_and_defaults_find_their_values() {
    let columns = json!([
        { "name": "bid", "type": "decimal", "source": { "value": "book.bids[0][0]" } },
        { "name": "odd", "type": "text", "source": { "value": "[\"a.b\"][\"c d\"]" } },
        { "name": "side", "type": "text", "source": { "value": "side" }, "default": "none" },
        { "name": "must", "type": "int64", "source": { "value": "must" }, "required": true },
    ]);
    let result = parsed(
        schema(columns),
        [
            r#"{"ts":1,"book":{"bids":[["1.5","2"],["1.4","9"]]},"a.b":{"c d":"x"},"side":"buy","must":1}"#,
            r#"{"must":2,"ts":2,"book":{"bids":[]},"side":null}"#,
            r#"{"ts":3}"#,
            r#"{"ts":4,"must":1,"book":5}"#,
            r#"[1]"#,
        ],
    );
    assert_eq!(
        result["rows"],
        json!([
            { "ts": 1000, "bid": "1.50000000", "odd": "x", "side": "buy", "must": 1 },
            { "ts": 2000, "bid": null, "odd": null, "side": "none", "must": 2 },
        ])
    );
    assert_eq!(
        result["rejected"],
        json!([
            [2, "must: missing (must)"],
            [3, "book: not an object: \"5\""],
            [4, "JSON: not an object: \"[1]\""]
        ])
    );
}

#[test]
fn each_item_of_nested_arrays_gives_a_row() {
    let columns = json!([
        { "name": "id", "type": "int64", "source": { "value": "orders[].id" } },
        { "name": "price", "type": "decimal", "source": { "value": "orders[].fills[].p" } },
    ]);
    let result = parsed(
        schema(columns),
        [
            r#"{"orders":[{"id":1,"fills":[{"p":1},{"p":2}]},{"id":2,"fills":[]},{"fills":[{"p":3}]}],"ts":5}"#,
            r#"{"ts":6,"orders":[]}"#,
            r#"{"ts":7}"#,
            r#"{"ts":8,"orders":[{"id":1,"fills":[{"p":1},{"p":"x"}]}]}"#,
            r#"{"ts":9,"orders":[4]}"#,
        ],
    );
    assert_eq!(
        result["rows"],
        json!([
            { "ts": 5000, "id": 1, "price": "1.00000000" },
            { "ts": 5000, "id": 1, "price": "2.00000000" },
            { "ts": 5000, "id": null, "price": "3.00000000" },
        ])
    );
    assert_eq!(result["records"], json!([0, 0, 0]));
    assert_eq!(result["ignored"], json!([[1, "orders[]: no items"], [2, "orders[]: no items"]]));
    assert_eq!(
        result["rejected"],
        json!([
            [3, "orders item 0: orders[].fills item 1: price: not a decimal number: \"x\""],
            [4, "orders item 0: orders[]: not an object: \"4\""]
        ])
    );
}

#[test]
fn permissive_keeps_the_row_with_nulls_and_the_raw_text() {
    let mut schema = schema(json!([column("price", "decimal"), column("n", "int64")]));
    schema["raw"] = json!("raw");
    let result = parsed(
        schema,
        [
            r#"{"ts":1,"price":"x","n":1}"#,
            r#"{"ts":2,"price":2,"n":2}"#,
            r#"{"ts":"x","n":1}"#,
            r#"{"ts":4,"#,
            r#"{"n":1,"price":5,"n":2,"ts":5}"#,
        ],
    );
    assert_eq!(
        result["rows"],
        json!([
            { "ts": 1000, "price": null, "n": 1, "raw": r#"{"ts":1,"price":"x","n":1}"# },
            { "ts": 2000, "price": "2.00000000", "n": 2, "raw": null },
            { "ts": 5000, "price": "5.00000000", "n": 2, "raw": r#"{"n":1,"price":5,"n":2,"ts":5}"# },
        ])
    );
    // A row without an event time belongs to no window.
    assert_eq!(
        result["rejected"],
        json!([[2, "ts: not a number, as the column's unit asks: \"x\""], [3, "JSON: EOF at byte 8"]])
    );
}

#[test]
fn keys_headers_places_and_kafkas_time_are_columns() {
    let from =
        |name: &str, type_: Value, source: Value| json!({ "name": name, "type": type_, "source": source });
    let schema = json!({ "event-time": "at", "kind": { "fixed": "json" }, "columns": [
        from("at", json!({ "timestamp": "iso" }), json!("timestamp")),
        from("key", json!("text"), json!("key")),
        from("topic", json!("text"), json!("topic")),
        from("partition", json!("int64"), json!("partition")),
        from("offset", json!("int64"), json!("offset")),
        from("trace", json!("int64"), json!({ "header": "trace" })),
    ]});
    let mut batch = batch(["{}", "{}", "{}"]);
    batch.timestamps_us[2] = -1;
    let mut keys = ByteColumn::default();
    [Some(&b"\"BTC\""[..]), None, None].into_iter().for_each(|key| keys.push(key));
    batch.keys = Some(keys);
    let mut values = ByteColumn::default();
    [b"7", b"8"].into_iter().for_each(|value| values.push(Some(value)));
    batch.headers =
        Some(Headers { records: vec![1, 1], names: ["trace", "trace"].into_iter().collect(), values });
    let result = shown(&both_ways(&batch, &options(schema)));
    let at = 1_700_000_000_000_000_i64;
    assert_eq!(
        result["rows"],
        json!([
            { "at": at, "key": "\"BTC\"", "topic": "market", "partition": 3, "offset": 0, "trace": null },
            { "at": at + 1, "key": null, "topic": "market", "partition": 3, "offset": 1, "trace": 8 },
        ])
    );
    assert_eq!(result["rejected"], json!([[2, "at: the record has no timestamp"]]));
}

#[test]
fn other_kinds_are_ignored_before_their_values_are_read() {
    let mut schema = schema(json!([column("price", "decimal")]));
    schema["kind"] = json!({ "at": "e" });
    let mut options = options(schema);
    options.kinds = vec!["trade".to_owned()];
    let batch = batch([
        r#"{"e":"trade","ts":1,"price":1}"#,
        r#"{"e":"book","ts":1,"price":[[1,2]]}"#,
        r#"{"ts":1,"price":1}"#,
        r#"{"ts":1,"ts":2,"e":"beat"}"#,
    ]);
    let parsed = both_ways(&batch, &options);
    assert_eq!(parsed.kinds.get(0), Some("trade"));
    let result = shown(&parsed);
    assert_eq!(result["ignored"], json!([[1, "book: not asked for"], [3, "beat: not asked for"]]));
    assert_eq!(result["rejected"], json!([[2, "kind: missing (e)"]]));
}

#[test]
fn confluents_wire_format_is_named_and_read_on_request() {
    let framed = [&b"\0\0\0\0\x07"[..], br#"{"ts":1}"#].concat();
    let mut schema = schema(json!([]));
    let refused = parsed(schema.clone(), [&framed]);
    let reason = refused["rejected"][0][1].as_str().unwrap();
    assert!(
        reason.starts_with("Confluent's wire format, schema id 7: if JSON follows, set `confluent = true`"),
        "{reason}"
    );
    schema["confluent"] = json!(true);
    let read = parsed(schema, [&framed[..], br#"{"ts":1}"#]);
    assert_eq!(read["records"], json!([0]));
    assert_eq!(read["rejected"], json!([[1, "not in Confluent's wire format, as the schema says"]]));
}

#[test]
fn options_that_do_not_hold_are_refused_by_name() {
    let refusal = |change: fn(&mut Value)| {
        let mut schema = schema(json!([column("a", "int64")]));
        change(&mut schema);
        parse(&batch(["{}"]), &options(schema)).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(|it| it["event-time"] = json!("a")),
        "event-time `a` is no timestamp column of the schema"
    );
    assert_eq!(refusal(|it| it["columns"][1]["name"] = json!("ts")), "column `ts` is in the schema twice");
    assert_eq!(
        refusal(|it| it["columns"][1]["default"] = json!("x")),
        "column `a`: its default: a: not an integer: \"x\""
    );
    assert_eq!(
        refusal(|it| it["columns"][1]["source"] = json!("topic")),
        "column `a`: what it is read from is of the type text"
    );
    assert_eq!(
        refusal(|it| it["columns"][0]["type"] = json!({ "timestamp": { "pattern": "%Q" } })),
        "column `ts`: `%Q` is no pattern of strftime"
    );
    let mut none = options(schema(json!([])));
    none.settings.clear();
    assert_eq!(
        parse(&batch(["{}"]), &none).unwrap_err().to_string(),
        "parse-json needs a schema: [trigger.kafka.schema] in the manifest"
    );
}
