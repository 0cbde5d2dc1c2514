//! `tallow batch` over files of columns, written by others: DuckDB's Parquet, and Arrow's own files.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch, TimestampNanosecondArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use tallow_tests::batch::Job;
use tallow_tests::duckdb::DuckDb;
use tallow_tests::tallow;

/// 2022-03-01 00:00 UTC.
const START_MS: i64 = 1_646_092_800_000;
const MINUTES: i64 = 1_440;

/// Minutes that rise by 1 for 50 minutes and begin again, with volumes of 1.5 to 7.5 in turn.
const SQL: &str = "SELECT {time} AS open_time, (40000 + i % 50)::DOUBLE AS open, (40030 + i % 50)::DOUBLE AS high, \
                   (39975 + i % 50)::DOUBLE AS low, (40007 + i % 50)::DOUBLE AS close, 1.5 + i % 7 AS volume{more} \
                   FROM range(1440) minutes(i)";

/// The day of those minutes. 1439 % 50 is 39; 205 weeks of seven minutes and five more minutes add up to 6475.
fn assert_day(job: &Job, what: &str) {
    let days = job.days();
    assert_eq!(days.len(), 1, "{what}");
    let cells = ["open", "high", "low", "close", "volume", "klines", "flagged", "complete"];
    let cells = cells.map(|column| days[0][column].as_str());
    assert_eq!(cells, ["40000", "40079", "39975", "40046", "6475", "1440", "0", "true"], "{what}");
}

#[test]
fn parquet_of_every_codec_and_time_is_read() {
    let Some(duckdb) = DuckDb::find("parquet_of_every_codec_and_time_is_read") else { return };
    let ms = format!("{START_MS} + i * 60000");
    let write = |job: &Job, time: &str, more: &str, codec: &str| {
        let sql = SQL.replace("{time}", time).replace("{more}", more);
        let path = job.path("a.parquet").display().to_string();
        duckdb.rows(&format!("COPY ({sql}) TO '{path}' (FORMAT parquet, CODEC '{codec}'); SELECT 1"));
    };
    for codec in ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4", "lz4_raw"] {
        let job = Job::new("input = \"*.parquet\"\nsymbol = \"A\"");
        write(&job, &ms, "", codec);
        job.run();
        assert_day(&job, codec);
    }
    let texts = ", ('SYN' || 'USDT')::ENUM('SYNUSDT') AS symbol";
    let nested = ", {'bid': 1, 'ask': [2, 3]} AS book, [i, i + 1] AS ids, MAP {'a': i} AS tags";
    for (what, time, more) in [
        ("seconds", format!("{START_MS} // 1000 + i * 60"), ""),
        ("nanoseconds", format!("make_timestamp_ns(({ms}) * 1000000)"), ""),
        ("microseconds", format!("make_timestamp(({ms}) * 1000)"), ""),
        ("with a zone", format!("make_timestamp(({ms}) * 1000)::TIMESTAMPTZ"), ""),
        ("nested columns beside", ms.clone(), nested),
        ("a dictionary beside", ms.clone(), texts),
    ] {
        let job = Job::new("input = \"*.parquet\"\nsymbol = \"A\"");
        write(&job, &time, more, "snappy");
        job.run();
        assert_day(&job, what);
    }
}

/// The same minutes as a batch, with a nested column and a dictionary beside them.
fn minutes() -> RecordBatch {
    let each =
        |of: fn(i64) -> f64| Arc::new(Float64Array::from_iter_values((0..MINUTES).map(of))) as ArrayRef;
    let times = (0..MINUTES).map(|minute| (START_MS + minute * 60_000) * 1_000_000);
    let ids = (0..MINUTES).map(|minute| Some(vec![Some(minute as i32)]));
    let symbols: DictionaryArray<Int32Type> = (0..MINUTES).map(|_| "SYNUSDT").collect();
    RecordBatch::try_from_iter([
        ("symbol", Arc::new(symbols) as ArrayRef),
        ("ids", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(ids))),
        ("timestamp", Arc::new(TimestampNanosecondArray::from_iter_values(times))),
        ("open", each(|minute| (40_000 + minute % 50) as f64)),
        ("high", each(|minute| (40_030 + minute % 50) as f64)),
        ("low", each(|minute| (39_975 + minute % 50) as f64)),
        ("close", each(|minute| (40_007 + minute % 50) as f64)),
        ("volume", each(|minute| 1.5 + (minute % 7) as f64)),
        ("count", Arc::new(Int64Array::from_iter_values(0..MINUTES))),
    ])
    .unwrap()
}

fn write_file(path: &Path, compression: Option<CompressionType>) {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let batch = minutes();
    let file = File::create(path).unwrap();
    let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
}

#[test]
fn arrow_files_and_streams_are_read_packed_or_not() {
    let compressions = [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)];
    for compression in compressions {
        let job = Job::new("input = \"a.feather\"");
        write_file(&job.path("a.feather"), compression);
        job.run();
        assert_day(&job, &format!("{compression:?}"));
        assert_eq!(job.days()[0]["symbol"], "SYNUSDT");
    }
    let job = Job::new("input = \"a.arrows\"");
    let batch = minutes();
    let mut writer =
        StreamWriter::try_new(File::create(job.path("a.arrows")).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    job.run();
    assert_day(&job, "a stream");
}

#[test]
fn a_damaged_arrow_file_is_named_and_publishes_nothing() {
    let sound = {
        let job = Job::new("input = \"a.feather\"");
        write_file(&job.path("a.feather"), Some(CompressionType::ZSTD));
        std::fs::read(job.path("a.feather")).unwrap()
    };
    for at in (8..sound.len()).step_by(sound.len() / 23) {
        let job = Job::new("input = \"a.feather\"");
        let mut bytes = sound.clone();
        bytes[at..(at + 16).min(sound.len())].fill(0xff);
        job.file("a.feather", bytes);
        let finished = tallow::run(&job.arguments());
        let code = finished.status.code();
        // A byte of padding says nothing, and one of a price says another price.
        assert!(matches!(code, Some(0 | 65)), "{at}: {code:?} {}", finished.stderr);
        assert!(code == Some(0) || finished.stderr.contains("a.feather"), "{at}: {}", finished.stderr);
        assert_eq!(job.objects().is_empty(), code != Some(0), "{at}");
    }
    let job = Job::new("input = \"a.feather\"");
    job.file("a.feather", &sound[..sound.len() / 2]);
    let finished = tallow::run(&job.arguments());
    assert_eq!(finished.status.code(), Some(65), "{}", finished.stderr);
    assert!(finished.stderr.contains("a.feather is broken"), "{}", finished.stderr);
}
