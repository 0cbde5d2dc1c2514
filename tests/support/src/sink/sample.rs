//! Epochs to test sinks with.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use tallow_record::Place;
use tallow_sink::{DeadLetter, EpochOutput, LateRow, OffsetRange, Origin, Provenance, ReasonKind, Rekeyed};
use tallow_store::Digest;

/// 2024-08-09 00:00 UTC.
const MIDNIGHT_US: i64 = 1_723_161_600_000_000;
const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 86_400_000_000;

/// Two outputs that give items of the same names, with other content in every one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    First,
    Second,
}

/// An epoch of pipeline `trades` with windows `1m` and `1d`, two days of candles, late rows for both windows
/// and dead letters of every kind.
pub fn sample(seq: u64, variant: Variant) -> EpochOutput<'static> {
    let functions = [("parse", "p"), ("window", "w")];
    EpochOutput {
        pipeline: "trades",
        chain: "c1a9",
        shard: 3,
        seq,
        clock_us: MIDNIGHT_US + DAY_US / 2,
        provenance: Provenance {
            origin: Origin::Stream,
            functions: functions
                .map(|(role, digest)| (role.to_owned(), Digest::of(digest.as_bytes())))
                .into(),
            offsets: vec![
                OffsetRange { topic: "btc".into(), partition: 1, from: 7, to: 9 },
                OffsetRange { topic: "btc".into(), partition: 0, from: 0, to: 1_000 },
            ],
        },
        closed: vec![
            ("1m".into(), minutes(variant, &["ETHUSDT", "币安人生USDT", "../../x", "a/b", "%2e%2e"], 0)),
            ("1d".into(), days(variant)),
            ("1m".into(), minutes(variant, &["BTCUSDT", "a\0b", "", "x".repeat(4096).as_str()], -1)),
        ],
        open: Vec::new(),
        repeated: Vec::new(),
        whole: Vec::new(),
        late: late(variant),
        dead: dead(variant),
        rekeyed: rekeyed(),
    }
}

fn rekeyed() -> Vec<Rekeyed> {
    let record = |(offset, key): (i64, &str)| Rekeyed {
        place: Place { topic: "btc".into(), partition: 0, offset },
        timestamp_us: 1000 + offset,
        key: key.to_owned(),
        value: Some(b"\xff".to_vec()),
        headers: vec![("h".to_owned(), None)],
    };
    [(5, "ETHUSDT"), (5, "BTCUSDT"), (6, "ETHUSDT")].map(record).into()
}

fn minutes(variant: Variant, symbols: &[&str], minute: i64) -> RecordBatch {
    let shift = variant as i128;
    let rows = symbols.len();
    let start = MIDNIGHT_US + minute * MINUTE_US;
    let mantissas = [6_012_312_345_678, 1, -1, i128::from(i64::MAX) * 1_000_003, 9_007_199_254_740_993];
    let decimals = |null: usize| -> ArrayRef {
        let values = (0..rows).map(|row| (row != null).then(|| mantissas[row % mantissas.len()] + shift));
        decimal(values.collect())
    };
    let complete = [Some(true), Some(false), None];
    batch([
        ("symbol", Arc::new(StringArray::from(symbols.to_vec()))),
        ("window_start", times(vec![start; rows])),
        ("window_end", times(vec![start + MINUTE_US; rows])),
        ("open", decimals(rows)),
        ("volume", decimals(1)),
        ("trades", Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| row - 1)))),
        ("first_id", Arc::new(Int64Array::from(vec![None; rows]))),
        ("complete", Arc::new((0..rows).map(|row| complete[row % 3]).collect::<BooleanArray>())),
        ("revision", Arc::new(Int64Array::from(vec![0; rows]))),
    ])
}

/// Two keys; starts before 1970 and beyond the years that readers take for dates.
fn days(variant: Variant) -> RecordBatch {
    let starts = vec![MIDNIGHT_US, MIDNIGHT_US - DAY_US, -DAY_US, i64::MAX - DAY_US];
    let shift = variant as i64 as f64;
    batch([
        ("exchange", Arc::new(StringArray::from(vec!["b", "a", "a", "a"]))),
        ("symbol", Arc::new(StringArray::from(vec!["BTCUSDT"; 4]))),
        ("window_start", times(starts.clone())),
        ("window_end", times(starts.iter().map(|start| start + DAY_US).collect())),
        (
            "rate",
            Arc::new(Float64Array::from(vec![0.1 + shift, -0.0 + shift, 1e308 - shift, 5e-324 + shift])),
        ),
        ("last_seen", times(starts)),
        ("venue", Arc::new(StringArray::from(vec![Some("x"), None, Some(""), Some("é")]))),
        ("revision", Arc::new(Int64Array::from(vec![variant as i64; 4]))),
    ])
}

fn late(variant: Variant) -> Vec<LateRow> {
    let row = |offset, row, window: &str, value: Option<&[u8]>| LateRow {
        place: Place { topic: "btc".into(), partition: 1, offset },
        row,
        timestamp_us: if row == 0 { -1 } else { MIDNIGHT_US },
        event_time_us: -1,
        watermark_us: MIDNIGHT_US + variant as i64,
        window: window.to_owned(),
        key: None,
        value: value.map(<[u8]>::to_vec),
    };
    vec![
        row(8, 1, "1m", Some(b"\xff\x00 not text")),
        row(8, 0, "1m", Some(b"\xff\x00 not text")),
        row(7, 0, "1d", Some(b"{}")),
        row(7, 0, "1m", Some(b"{}")),
    ]
}

fn dead(variant: Variant) -> Vec<DeadLetter> {
    let values = [None, Some(&b""[..]), Some(b"\xc3\x28"), Some(b"{\"p\":\"NaN\"}"), Some(b"\0"), Some(b"x")];
    let letters = ReasonKind::ALL.iter().zip(values).enumerate().map(|(at, (kind, value))| DeadLetter {
        place: Place { topic: "btc".into(), partition: 0, offset: 100 - at as i64 },
        timestamp_us: if at == 0 { -1 } else { i64::MAX },
        key: (at % 2 == 0).then(|| b"k\xfe".to_vec()),
        value: value.map(<[u8]>::to_vec),
        headers: match at {
            2 => vec![("h".into(), Some(b"1".to_vec())), ("h".into(), None), (String::new(), Some(vec![]))],
            _ => vec![],
        },
        kind: *kind,
        reason: format!("price is not a number\n({variant:?})"),
        window: (at == 4).then(|| "1m".to_owned()),
        row: (at >= 4).then_some(0),
    });
    letters.collect()
}

fn times(times_us: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(times_us).with_timezone("UTC"))
}

fn decimal(mantissas: Vec<Option<i128>>) -> ArrayRef {
    match Decimal128Array::from(mantissas).with_precision_and_scale(38, 8) {
        Ok(array) => Arc::new(array),
        Err(error) => panic!("the sample's decimals: {error}"),
    }
}

fn batch<const COLUMNS: usize>(columns: [(&str, ArrayRef); COLUMNS]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap_or_else(|error| panic!("the sample's columns: {error}"))
}
