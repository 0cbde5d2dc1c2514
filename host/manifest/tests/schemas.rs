//! `[trigger.kafka.schema]`: what the parse function gets of it, and what is said about what is wrong.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{error, errors, pipeline, with_line};
use tallow_contract::schema::{Field, FieldType, KindOf, SETTING, Schema, Source, TimeForm};
use tallow_manifest::OnReject;

const TOPIC: &str = r#"topic = "trades""#;

/// `MINIMAL` with a schema, and more keys of the pipeline before it.
fn schema(keys: &str, lines: &str) -> String {
    let text = with_line(TOPIC, keys).replace("kinds = [\"trade\"]", "kinds = [\"json\"]");
    text.replace(
        "\n[[trigger.kafka.windows]]",
        &format!("\n[trigger.kafka.schema]\n{lines}\n[[trigger.kafka.windows]]"),
    )
}

fn read(text: &str) -> Schema {
    Schema::from_setting(&pipeline(text).parse_settings[SETTING]).unwrap()
}

#[test]
fn the_parse_function_gets_the_schema_as_a_setting() {
    let lines = r#"
event-time = "at"
kind-from = "data.kind"
confluent = true
columns = { at = { type = "timestamp", path = "T", unit = "ms" }, symbol = "text", price = { type = "decimal", path = "fills[].p", scale = 4, required = true }, side = { type = "text", from = "header:side", default = "buy" } }
"#;
    let text = schema("", lines).replace("kinds = [\"json\"]", "kinds = [\"trade\"]");
    let field = |name: &str, type_, source| Field {
        name: name.to_owned(),
        type_,
        source,
        required: false,
        default: None,
    };
    let at = |path: &str| Source::Value(path.parse().unwrap());
    assert_eq!(
        read(&text),
        Schema {
            columns: vec![
                field("at", FieldType::Timestamp(TimeForm::Milliseconds), at("T")),
                field("symbol", FieldType::Text, at("symbol")),
                Field { required: true, ..field("price", FieldType::Decimal, at("fills[].p")) },
                Field {
                    default: Some("buy".to_owned()),
                    ..field("side", FieldType::Text, Source::Header("side".to_owned()))
                },
            ],
            event_time: "at".to_owned(),
            kind: KindOf::At("data.kind".parse().unwrap()),
            raw: None,
            confluent: true,
        }
    );
    let pipeline = pipeline(&text);
    assert_eq!((pipeline.time(), pipeline.scale("price")), ("at", 4));
}

#[test]
fn a_schema_of_spark_can_stay_as_it_is() {
    let text = with_line(TOPIC, r#"schema = "symbol STRING, price DECIMAL(38,2), ts TIMESTAMP""#)
        .replace("kinds = [\"trade\"]", "kinds = [\"json\"]");
    let pipeline = pipeline(&text);
    assert_eq!((pipeline.time(), pipeline.scale("price")), ("ts", 2));
    // What `columns` has takes its place; `scales` comes before both.
    let text = schema(
        "scales = { price = 3 }",
        "ddl = \"symbol STRING, price DECIMAL(38,2), event_time TIMESTAMP\"\n\
         columns = { event_time = { type = \"timestamp\", unit = \"s\" } }",
    );
    assert_eq!(read(&text).columns[2].type_, FieldType::Timestamp(TimeForm::Seconds));
    assert_eq!(common::pipeline(&text).scale("price"), 3);
}

#[test]
fn permissive_names_a_column_for_what_could_not_be_read() {
    let columns = "columns = { event_time = \"timestamp\", symbol = \"text\", price = \"decimal\" }";
    let text = schema("on-reject = \"permissive\"", columns);
    let said = error(&text);
    assert!(said.contains("add an aggregate such as broken = \"count(raw)\""), "{said}");
    let text = text.replace("close = \"last(price)\"", "close = \"last(price)\", broken = \"count(raw)\"");
    assert_eq!((read(&text).raw, pipeline(&text).on_reject), (Some("raw".to_owned()), OnReject::Permissive));
    let none = error(&with_line(TOPIC, "on-reject = \"permissive\""));
    assert!(none.contains("`permissive` needs [trigger.kafka.schema]"), "{none}");
}

#[test]
fn what_does_not_fit_together_is_said_with_what_to_do() {
    let sound = "columns = { event_time = \"timestamp\", symbol = \"text\", price = \"decimal\" }";
    assert_eq!(read(&schema("", sound)).event_time, "event_time");
    for (lines, part) in [
        ("", "`columns` or `ddl` says what the messages hold"),
        ("columns = { symbol = \"txt\" }", "one of `text`, `int64`"),
        (
            "columns = { event_time = { type = \"text\", unit = \"ms\" }, symbol = \"text\" }",
            "only a timestamp has a `unit`",
        ),
        ("columns = { ts = \"timestamp\", symbol = \"text\", price = \"decimal\" }", "did you mean `ts`?"),
        (
            "columns = { event_time = \"timestamp\", symbol = \"text\", prize = \"decimal\" }",
            "reads `price`, which no message has; did you mean `prize`?",
        ),
        (
            "columns = { event_time = { type = \"timestamp\", path = \"a..b\" } }",
            "an odd key goes into brackets",
        ),
        ("columns = { event_time = { type = \"timestamp\", from = \"keys\" } }", "headers as header:NAME"),
        ("ddl = \"a STRINGG\"", "a type of Spark"),
        (
            "kind = \"trade\"\ncolumns = { event_time = \"timestamp\", symbol = \"text\", price = \"decimal\" }",
            "takes `json`, and all rows are `trade`",
        ),
    ] {
        let said = errors(&schema("", lines)).join("\n");
        assert!(said.contains(part), "{lines}: {said}");
    }
    let twice = errors(&schema("parse-settings = { schema = \"x\" }", sound)).join("\n");
    assert!(twice.contains("[trigger.kafka.schema] gives this setting already"), "{twice}");
}
