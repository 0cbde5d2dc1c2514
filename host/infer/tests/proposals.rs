//! What is proposed for samples.

#![allow(clippy::unwrap_used)]

use tallow_infer::{Sample, messages};

fn proposed(text: &str) -> String {
    let mut sample = Sample::default();
    messages(text.as_bytes()).into_iter().for_each(|message| sample.see(message));
    sample.to_toml("sample.jsonl")
}

#[test]
fn trades_and_other_messages_give_their_columns_and_a_kind() {
    let text = r#"
{"e":"trade","T":1723161255342,"s":"BTCUSDT","t":1,"p":"61837.63000000","m":true}
{"e":"trade","T":1723161255343,"s":"ETHUSDT","t":2,"p":"2683.1","m":false}
{"e":"book","T":1723161255343,"s":"ETHUSDT","p":null}
not json
"#;
    assert_eq!(
        proposed(text),
        r#"# Proposed from 4 messages of sample.jsonl. Check what ends in a question mark.
# Could not read 1 of them: message 4 (JSON: "o" at byte 1, not true, false or null)
[trigger.kafka.schema]
event-time = "T"
kind-from = "e" # book 1, trade 2

[trigger.kafka.schema.columns]
e = "text"
T = { type = "timestamp", unit = "ms" }
s = "text"
t = "int64" # missing or null in 1 of 3
p = "decimal" # missing or null in 1 of 3
m = "boolean" # missing or null in 1 of 3
"#
    );
}

#[test]
fn nested_arrays_give_rows_and_others_are_named() {
    let text = r#"[
{"sent":"2024-01-01T00:00:00Z","orders":[{"id":1,"fills":[{"p":1.5,"id":"a"}]}],"tags":["x"]}
]"#;
    assert_eq!(
        proposed(text),
        r#"# Proposed from 1 messages of sample.jsonl. Check what ends in a question mark.
# Left out: tags is another array; rows can be made of one
[trigger.kafka.schema]
event-time = "sent"
# A row for each item of orders[].fills[].

[trigger.kafka.schema.columns]
sent = "timestamp"
id = { type = "int64", path = "orders[].id" }
p = { type = "decimal", path = "orders[].fills[].p" }
orders_fills_id = { type = "text", path = "orders[].fills[].id" }
"#
    );
}

#[test]
fn what_is_unsure_is_reported() {
    let text = r#"{"a":1723161255,"b":"1","c":1,"d":null,"e f":"007","g":1e-30,"h":0.1234567891}
{"a":1723161256,"b":2,"c":"x","d":null,"e f":"008","g":1,"h":1}"#;
    assert_eq!(
        proposed(text),
        r#"# Proposed from 2 messages of sample.jsonl. Check what ends in a question mark.
[trigger.kafka.schema]
event-time = "event_time" # Kafka's own: no time was found in the messages?

[trigger.kafka.schema.columns]
event_time = { type = "timestamp", from = "timestamp" }
a = "int64" # could be a time: { type = "timestamp", unit = "s" }?
b = "decimal" # written with and without quotes?
c = "text" # holds numbers and texts?
d = "text" # missing or null in 2 of 2; only null in the sample?
e_f = { type = "text", path = "e f" } # digits that are no 64-bit integer, or with zeros before them?
g = "float64" # 30 places after the point, more than a decimal keeps?
h = { type = "decimal", scale = 10 }
"#
    );
}
