//! Points on their way to a database, and the file that they wait in until their epoch is committed.
//!
//! The file is Parquet, a row a point, in the order in which they are written: `window`, `line`, `left_out`, `unfit`. So
//! the digest of its rows, which the log keeps, is that of what is written.

use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use bytes::Bytes;
use tallow_lake::tables;
use tallow_sink::parquet_file::{self, Layout};
use tallow_sink::raw_records::texts;
use tallow_sink::{EpochOutput, Item, LakeFile, ReadError, SinkError, column};

use crate::NAME;

/// A candle as line protocol, without its line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    pub window: String,
    pub line: String,
    /// Values that have no field, as they are NaN or infinite.
    pub left_out: i64,
    /// Why no server can take it; it is not sent.
    pub unfit: Option<String>,
}

/// The points as an item of the outbox.
///
/// # Errors
/// The file cannot be written.
pub fn item(points: &[Point], output: &EpochOutput<'_>) -> Result<Item, SinkError> {
    let name = format!("{NAME}/{}.parquet", tables::commit_name(output.chain, output.shard, output.seq));
    let table =
        table(points).map_err(|error| SinkError::Encode { name: name.clone(), why: error.to_string() })?;
    parquet_file::item(NAME, name, &table, Layout::default(), output)
}

fn table(points: &[Point]) -> Result<RecordBatch, ArrowError> {
    let left_out = Int64Array::from_iter_values(points.iter().map(|point| point.left_out));
    RecordBatch::try_from_iter_with_nullable([
        ("window", texts(points.iter().map(|point| Some(point.window.as_str()))), false),
        ("line", texts(points.iter().map(|point| Some(point.line.as_str()))), false),
        ("left_out", std::sync::Arc::new(left_out), false),
        ("unfit", texts(points.iter().map(|point| point.unfit.as_deref())), true),
    ])
}

/// What [`item`] was given. `name`: for errors.
///
/// # Errors
/// It is another file.
pub fn decode(name: &str, file: Bytes) -> Result<Vec<Point>, ReadError> {
    let mut points = Vec::new();
    for rows in LakeFile::open(name, file)? {
        let rows = rows?;
        let windows: &StringArray = column(name, &rows, "window")?;
        let lines: &StringArray = column(name, &rows, "line")?;
        let left_out: &Int64Array = column(name, &rows, "left_out")?;
        let unfit: &StringArray = column(name, &rows, "unfit")?;
        points.extend((0..rows.num_rows()).map(|row| Point {
            window: windows.value(row).to_owned(),
            line: lines.value(row).to_owned(),
            left_out: left_out.value(row),
            unfit: unfit.is_valid(row).then(|| unfit.value(row).to_owned()),
        }));
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallow_test_support::sink::{Variant, sample};

    #[test]
    fn points_come_back_from_their_file_as_they_were() {
        let point = |line: &str, unfit: Option<&str>| Point {
            window: "1m".to_owned(),
            line: line.to_owned(),
            left_out: 2,
            unfit: unfit.map(str::to_owned),
        };
        let points = [point("m f=1i 0", None), point("m f=\"币\" 1", Some("too late"))];
        let item = item(&points, &sample(7, Variant::First)).unwrap();
        assert_eq!(item.name, "influxdb/c1a9-3-00000000000000000007.parquet");
        assert_eq!((item.rows, item.sink), (2, "influxdb"));
        assert_eq!(decode(&item.name, item.bytes).unwrap(), points);
        assert!(decode("influxdb/x", Bytes::from_static(b"PAR1")).is_err());
    }
}
