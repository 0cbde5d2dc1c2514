//! Binary messages that no host would send: noise, real messages cut off, and real ones with some bits turned. A gateway
//! refuses them or makes something of them; it never breaks down, whichever function the bytes reach.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use gateway_core::contracts::{backfill, merge, parse, types, window};
use tallow_contract::messages::{
    CONTENT_TYPE, DECODE, DecodeCall, MERGE, MergeCall, PARSE, PLAN, ParseCall, PlanCall, State, Step,
    WINDOW, WINDOW_CONTENT_TYPE, WindowAnswer, WindowCall, decode, encode,
};
use tallow_env::{Random, SeededRandom};
use tallow_tests::gateways::Gateways;

static GATEWAYS: LazyLock<Gateways> = LazyLock::new(Gateways::start);

/// Messages of each kind for each path.
const TRIES: u64 = 250;

const MINUTE_US: i64 = 60_000_000;

fn media_type(path: &str) -> &'static str {
    if path == WINDOW { WINDOW_CONTENT_TYPE } else { CONTENT_TYPE }
}

/// Fails where a gateway breaks down over a message.
fn refused_or_answered(path: &str, message: &[u8], how: &str) {
    let reply = GATEWAYS.post(path, media_type(path), message);
    assert!(
        matches!(reply.status, 200 | 400 | 413),
        "{path}, {how}: {} {}\n{message:?}",
        reply.status,
        String::from_utf8_lossy(&reply.body)
    );
}

fn survives(path: &str, real: &[u8]) {
    let reply = GATEWAYS.post(path, media_type(path), real);
    assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.body.first(), Some(&0), "{path}: the function takes the real message");
    let random = SeededRandom::new(real.len() as u64);
    let below = |bound: usize| random.below(bound as u64) as usize;
    for _ in 0..TRIES {
        let noise: Vec<u8> = (0..below(200)).map(|_| random.next_u64() as u8).collect();
        refused_or_answered(path, &noise, "noise");
        refused_or_answered(path, &real[..below(real.len())], "cut off");
        let mut turned = real.to_vec();
        for _ in 0..=below(3) {
            let at = below(real.len());
            turned[at] ^= 1 << below(8);
        }
        refused_or_answered(path, &turned, "bits turned");
        let mut replaced = real.to_vec();
        let at = below(real.len());
        replaced[at] = [0, 1, 127, 128, 255][below(5)];
        refused_or_answered(path, &replaced, "a byte replaced");
    }
}

fn text(values: &[&str]) -> types::Text {
    let mut text = types::Text { bytes: Vec::new(), ends: Vec::new(), codes: Vec::new() };
    for (code, value) in values.iter().enumerate() {
        text.bytes.extend_from_slice(value.as_bytes());
        text.ends.push(text.bytes.len() as u32);
        text.codes.push(code as u32);
    }
    text
}

fn column(name: &str, data: types::ColumnData) -> types::Column {
    types::Column { name: name.to_owned(), data, validity: None }
}

fn decimals(values: &[i64], high: Option<Vec<i64>>) -> types::ColumnData {
    types::ColumnData::Decimal(types::Decimals { scale: 8, values: values.to_vec(), high })
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn specs() -> Vec<window::Spec> {
    let aggregate = |name: &str, operation, column: &str, by: Option<&str>| window::Aggregate {
        name: name.to_owned(),
        operation,
        column: Some(column.to_owned()),
        by: by.map(str::to_owned),
    };
    let spec = |name: &str, shape| window::Spec {
        name: name.to_owned(),
        kinds: names(&["trade"]),
        keys: names(&["symbol"]),
        time: "event_time".to_owned(),
        ids: Some(window::IdColumns {
            first: "id".to_owned(),
            last: "id".to_owned(),
            max_bytes: u64::MAX,
            halt: true,
            silence_us: u64::MAX,
        }),
        shape,
        offset_us: 0,
        aggregates: vec![
            aggregate("open", window::Operation::First, "price", None),
            aggregate("vwap", window::Operation::Vwap, "price", Some("quantity")),
        ],
    };
    let sliding = window::Sliding { size_us: MINUTE_US as u64, slide_us: MINUTE_US as u64 / 2 };
    vec![
        spec("1m", window::Shape::Tumbling(MINUTE_US as u64)),
        spec("slide", window::Shape::Sliding(sliding)),
        spec("session", window::Shape::Session(MINUTE_US as u64)),
    ]
}

fn rows() -> window::Rows {
    let ids: Vec<i64> = (0..8).collect();
    let symbols = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let mut last = column("note", types::ColumnData::Text(text(&symbols)));
    last.validity = Some(vec![0b1010_1010]);
    window::Rows {
        table: types::Table {
            rows: 8,
            columns: vec![
                column("symbol", types::ColumnData::Text(text(&symbols))),
                column(
                    "event_time",
                    types::ColumnData::TimestampUs(ids.iter().map(|id| id * MINUTE_US / 4).collect()),
                ),
                column("id", types::ColumnData::Int64(ids.clone())),
                column("price", decimals(&ids, Some(vec![0; 8]))),
                column("quantity", decimals(&ids, None)),
                last,
            ],
        },
        kinds: text(&["trade", "trade", "trade", "trade", "kline", "trade", "trade", "trade"]),
        records: (0..8).collect(),
        topics: names(&["trades"]),
        runs: vec![types::Run { topic: 0, partition: 0, records: 8 }],
        offsets: ids,
    }
}

#[test]
fn no_message_breaks_parse() {
    let records = [
        r#"{"e":"trade","E":1,"s":"AB","t":7,"p":"2.5","q":"3","T":1704067200000}"#,
        r#"{"e":"trade","E":1,"s":"CD","t":8,"p":"2.5","q":"3","T":1704067200000}"#,
        "",
        "{}",
    ];
    let values = text(&records);
    let keys = text(&["AB", "CD", "", ""]);
    let call = ParseCall {
        batch: types::Batch {
            topics: names(&["trades"]),
            runs: vec![types::Run { topic: 0, partition: 0, records: 4 }],
            offsets: (0..4).collect(),
            timestamps_us: vec![-1; 4],
            values: types::ByteColumn { bytes: values.bytes, ends: values.ends, nulls: vec![2] },
            keys: Some(types::ByteColumn { bytes: keys.bytes, ends: keys.ends, nulls: Vec::new() }),
            headers: Some(types::Headers {
                records: vec![1],
                names: text(&["h"]),
                values: types::ByteColumn { bytes: vec![1], ends: vec![1], nulls: Vec::new() },
            }),
        },
        options: parse::Options {
            kinds: names(&["trade"]),
            columns: ["symbol", "event_time", "id", "price"]
                .map(|name| parse::WantedColumn { name: name.to_owned(), scale: 8 })
                .to_vec(),
            settings: Vec::new(),
        },
    };
    survives(PARSE, &encode(&call).unwrap());
}

#[test]
fn no_message_breaks_window_whatever_its_state_is() {
    type Call = WindowCall<window::Spec, window::Part, window::Rows>;
    type Answer = WindowAnswer<window::Part, window::Report, window::Output, window::Stats>;
    let fresh: Call =
        WindowCall { specs: specs(), state: None, steps: vec![Step::Update(rows()), Step::Stats] };
    let fresh = encode(&fresh).unwrap();
    survives(WINDOW, &fresh);

    let answer: Result<Answer, String> =
        decode(&GATEWAYS.post(WINDOW, WINDOW_CONTENT_TYPE, &fresh).body).unwrap();
    let parts = answer.unwrap().changed;
    assert!(!parts.is_empty());
    let steps = vec![Step::Changed, Step::Advance(MINUTE_US), Step::CloseAll, Step::Stats];
    let state = State { watermark_us: 0, parts };
    survives(WINDOW, &encode(&Call { specs: specs(), state: Some(state), steps }).unwrap());
}

#[test]
fn no_message_breaks_merge() {
    let table = |from: i64| {
        let starts: Vec<i64> = (from..from + 3).map(|minute| minute * MINUTE_US).collect();
        let mut complete = column("complete", types::ColumnData::Boolean(vec![true, false, true]));
        complete.validity = Some(vec![0b011]);
        types::Table {
            rows: 3,
            columns: vec![
                column("symbol", types::ColumnData::Text(types::Text { codes: vec![0; 3], ..text(&["A"]) })),
                column("window_start", types::ColumnData::TimestampUs(starts.clone())),
                column(
                    "window_end",
                    types::ColumnData::TimestampUs(starts.iter().map(|start| start + MINUTE_US).collect()),
                ),
                column("close", decimals(&[1, 2, 3], Some(vec![0; 3]))),
                column("mean", types::ColumnData::Float64(vec![0.5, 1.5, f64::MAX])),
                complete,
            ],
        }
    };
    let input = |source, from, covers| merge::Input { source, table: table(from), covers };
    let covers = merge::Range { from_us: 0, to_us: 4 * MINUTE_US };
    let average =
        |name: &str, column: &str| merge::Average { name: name.into(), column: column.into(), length: 2 };
    let call = MergeCall {
        before: Some(table(-3)),
        inputs: vec![input(merge::Source::Batch, 0, Some(covers)), input(merge::Source::Speed, 4, None)],
        settings: merge::Settings {
            keys: names(&["symbol"]),
            step_us: MINUTE_US as u64,
            fill: true,
            until_us: Some(9 * MINUTE_US),
            carried: names(&["close"]),
            zeroed: names(&["mean"]),
            averages: vec![average("ma", "close"), average("mb", "mean")],
        },
    };
    survives(MERGE, &encode(&call).unwrap());
}

#[test]
fn no_message_breaks_backfill() {
    let options = || backfill::Options {
        symbol: "AB".to_owned(),
        listed_as: "AB".to_owned(),
        interval_us: MINUTE_US as u64,
        settings: Vec::new(),
    };
    let span = |from: i64, to: i64| backfill::Span { from_us: from * MINUTE_US, to_us: to * MINUTE_US };
    let call = PlanCall { options: options(), wanted: vec![span(0, 2_000)], covered: vec![span(10, 20)] };
    survives(PLAN, &encode(&call).unwrap());

    let call = DecodeCall {
        options: options(),
        request: backfill::Request {
            method: backfill::Method::Get,
            path: "/api/v3/klines".to_owned(),
            query: vec![("symbol".to_owned(), "AB".to_owned())],
            headers: Vec::new(),
            body: Vec::new(),
            weight: 2,
            covers: span(0, 3),
        },
        answer: backfill::Answer {
            status: 200,
            headers: vec![("x-mbx-used-weight-1m".to_owned(), "4".to_owned())],
            body: br#"[[60000,"1","1","1","1","0",119999,"0",0,"0","0","0"]]"#.to_vec(),
        },
    };
    survives(DECODE, &encode(&call).unwrap());
}
