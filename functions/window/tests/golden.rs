//! Runs `golden/*.json`: specs, steps, and what each step must give, written by hand.
//!
//! A file has `specs`, `columns` (name, type, scale), and `steps`. A step is `update` with rows (a value a
//! column by name; null where left out), `advance` to a watermark in µs, `close_all`, `changed` or
//! `snapshot_restore`. `expect` lists, for each spec, the report (counts and rows that are left out are 0
//! and none) or the candles (every column; decimals as text with all their places).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use serde_json::{Map, Value as Json, json};
use support::{Row, Type, Value, by_spec};
use window::spec::{Aggregate, IdColumns, Operation, Shape, Sliding, Spec};
use window::{Report, Windows};

#[test]
fn every_golden_file_gives_what_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let golden: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        run(&golden, &file.file_name().unwrap().to_string_lossy());
    }
}

fn run(golden: &Json, file: &str) {
    let specs: Vec<Spec> = list(&golden["specs"]).iter().map(spec).collect();
    let schema: Vec<(String, Type)> = list(&golden["columns"]).iter().map(column).collect();
    let mut windows = Windows::open(specs.clone()).unwrap();
    let mut watermark_us = i64::MIN;
    for (index, step) in list(&golden["steps"]).iter().enumerate() {
        let place = format!("{file}, step {index}");
        let outputs = if let Some(update) = step.get("update") {
            let rows: Vec<Row> = list(&update["rows"]).iter().map(|row| parse_row(&schema, row)).collect();
            let reports = windows.update(&support::rows(&schema, &rows)).unwrap();
            let expected: Vec<Json> = list(&step["expect"]).iter().map(full_report).collect();
            let given: Vec<Json> = reports.iter().map(report).collect();
            assert_eq!(given, expected, "{place}");
            continue;
        } else if let Some(to_us) = step.get("advance") {
            watermark_us = watermark_us.max(to_us.as_i64().unwrap());
            windows.advance(watermark_us)
        } else if step.get("close_all").is_some() {
            windows.close_all()
        } else if step.get("changed").is_some() {
            windows.changed()
        } else {
            assert!(step.get("snapshot_restore").is_some(), "{place}: unknown step");
            let parts = windows.snapshot(0).parts;
            windows = Windows::restore(specs.clone(), watermark_us, &parts).unwrap();
            assert_eq!(windows.snapshot(0).parts, parts, "{place}");
            continue;
        };
        let given: Vec<Vec<Json>> = by_spec(&outputs, specs.len())
            .iter()
            .map(|candles| {
                let row = |candle: &support::Candle| {
                    Json::Object(candle.iter().map(|(name, value)| (name.clone(), show(value))).collect())
                };
                candles.iter().map(row).collect()
            })
            .collect();
        let expected: Vec<Vec<Json>> = list(&step["expect"]).iter().map(|rows| list(rows).clone()).collect();
        assert_eq!(given, expected, "{place}");
    }
}

fn list(json: &Json) -> &Vec<Json> {
    json.as_array().unwrap_or_else(|| panic!("{json} is no list"))
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_else(|| panic!("{json} is no text")).to_owned()
}

fn optional(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

fn spec(json: &Json) -> Spec {
    let us = |json: &Json| json.as_u64().unwrap();
    let shape = &json["shape"];
    let shape = if let Some(size_us) = shape.get("tumbling_us") {
        Shape::Tumbling(us(size_us))
    } else if let Some(sliding) = shape.get("sliding") {
        Shape::Sliding(Sliding { size_us: us(&sliding["size_us"]), slide_us: us(&sliding["slide_us"]) })
    } else {
        Shape::Session(us(&shape["session_gap_us"]))
    };
    Spec {
        name: text(&json["name"]),
        kinds: list(&json["kinds"]).iter().map(text).collect(),
        keys: list(&json["keys"]).iter().map(text).collect(),
        time: text(&json["time"]),
        ids: json["ids"]
            .as_object()
            .map(|ids| IdColumns::unbounded(&text(&ids["first"]), &text(&ids["last"]))),
        shape,
        offset_us: json["offset_us"].as_i64().unwrap(),
        aggregates: list(&json["aggregates"]).iter().map(aggregate).collect(),
    }
}

fn aggregate(json: &Json) -> Aggregate {
    let operation = text(&json["operation"]);
    let operation = *Operation::ALL.iter().find(|known| known.name() == operation).unwrap();
    Aggregate {
        name: text(&json["name"]),
        operation,
        column: optional(&json["column"]),
        by: optional(&json["by"]),
    }
}

fn column(json: &Json) -> (String, Type) {
    let kind = match json["type"].as_str().unwrap() {
        "int64" => Type::Int64,
        "timestamp-us" => Type::TimestampUs,
        "decimal" => Type::Decimal(json["scale"].as_u64().unwrap() as u8),
        "float64" => Type::Float64,
        "boolean" => Type::Boolean,
        "text" => Type::Text,
        other => panic!("unknown type {other}"),
    };
    (text(&json["name"]), kind)
}

fn parse_row(schema: &[(String, Type)], json: &Json) -> Row {
    let value = |(name, kind): &(String, Type)| match (kind, &json[name.as_str()]) {
        (_, Json::Null) => Value::Null,
        (Type::Decimal(scale), json) => Value::Decimal(mantissa(json.as_str().unwrap(), *scale), *scale),
        (Type::Text, json) => Value::Text(text(json)),
        (Type::Boolean, json) => Value::Bool(json.as_bool().unwrap()),
        (Type::Float64, json) => Value::Float(json.as_f64().unwrap()),
        (Type::Int64 | Type::TimestampUs, json) => Value::Int(json.as_i64().unwrap()),
    };
    Row {
        kind: text(&json["kind"]),
        topic: text(&json["topic"]),
        partition: json["partition"].as_i64().unwrap() as i32,
        offset: json["offset"].as_i64().unwrap(),
        values: schema.iter().map(value).collect(),
    }
}

fn mantissa(decimal: &str, scale: u8) -> i128 {
    let places = decimal.split_once('.').map_or(0, |(_, places)| places.len());
    assert_eq!(places, usize::from(scale), "{decimal} has not all places");
    decimal.replace('.', "").parse().unwrap()
}

fn show(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Bool(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Decimal(mantissa, 0) => json!(mantissa.to_string()),
        Value::Decimal(mantissa, scale) => {
            let scale = usize::from(*scale);
            let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
            let (whole, places) = digits.split_at(digits.len() - scale);
            json!(format!("{}{whole}.{places}", if *mantissa < 0 { "-" } else { "" }))
        }
    }
}

const COUNTS: [&str; 6] = ["taken", "assignments", "accepted", "late", "duplicate", "conflict"];
const ROWS: [&str; 3] = ["invalid", "late_rows", "conflict_rows"];

/// An expected report with what was left out.
fn full_report(json: &Json) -> Json {
    let given = json.as_object().unwrap();
    assert!(given.keys().all(|name| COUNTS.contains(&name.as_str()) || ROWS.contains(&name.as_str())));
    let mut full = Map::new();
    for name in COUNTS {
        full.insert(name.to_owned(), given.get(name).cloned().unwrap_or(json!(0)));
    }
    for name in ROWS {
        full.insert(name.to_owned(), given.get(name).cloned().unwrap_or(json!([])));
    }
    Json::Object(full)
}

fn report(report: &Report) -> Json {
    json!({
        "taken": report.taken, "assignments": report.assignments, "accepted": report.accepted,
        "late": report.late, "duplicate": report.duplicate, "conflict": report.conflict,
        "invalid": report.invalid, "late_rows": report.late_rows, "conflict_rows": report.conflict_rows,
    })
}
