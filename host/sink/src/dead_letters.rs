//! Records that were set aside, as Parquet: place, reason and the untouched bytes.

use arrow_array::{
    Array, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use bytes::Bytes;
use tallow_lake::{hive, tables};
use tallow_record::Place;
use tallow_store::Store;

use crate::lake_file::{LakeFile, ReadError, column};
use crate::parquet_file::{self, Layout};
use crate::raw_records::{HeaderLists, binary, bytes, headers, kafka_times, numbers, place_columns, texts};
use crate::sink::publish_object;
use crate::{DeadLetter, EpochOutput, Item, ReasonKind, Sink, SinkError};

/// `dead-letter/<pipeline>/date=<UTC day of the epoch's clock>/<chain>-<shard>-<seq>.parquet`
pub struct DeadLetters {
    store: Store,
}

impl DeadLetters {
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Sink for DeadLetters {
    fn name(&self) -> &'static str {
        "dead-letter"
    }

    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError> {
        if output.dead.is_empty() {
            return Ok(Vec::new());
        }
        let path = output.file(&tables::dead_letters(output.pipeline), &hive::day(output.clock_us));
        let table = dead_letter_rows(&output.dead, &output.commit())?;
        let layout =
            Layout { sorted_by: &[0, 1, 2], opaque: &["key", "value", "headers.list.element.value"] };
        Ok(vec![parquet_file::item(self.name(), path, &table, layout, output)?])
    }

    fn publish(&self, name: &str, bytes: Bytes) -> Result<(), SinkError> {
        publish_object(&self.store, name, bytes)
    }
}

/// The letters as rows, sorted by place. `commit` says what set them aside.
pub fn dead_letter_rows(letters: &[DeadLetter], commit: &str) -> Result<RecordBatch, SinkError> {
    let mut letters: Vec<&DeadLetter> = letters.iter().collect();
    letters.sort_by_key(|letter| (&letter.place, letter.row, &letter.window, letter.kind, &letter.reason));
    table(&letters, commit)
        .map_err(|error| SinkError::Encode { name: "dead letters".to_owned(), why: error.to_string() })
}

fn table(letters: &[&DeadLetter], commit: &str) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let [topic, partition, offset] = place_columns(letters.iter().map(|letter| &letter.place));
    RecordBatch::try_from_iter([
        topic,
        partition,
        offset,
        ("timestamp", kafka_times(letters.iter().map(|letter| letter.timestamp_us))),
        ("key", bytes(letters.iter().map(|letter| letter.key.as_deref()))),
        ("value", bytes(letters.iter().map(|letter| letter.value.as_deref()))),
        ("headers", headers_of(letters)),
        ("reason_kind", texts(letters.iter().map(|letter| Some(letter.kind.as_str())))),
        ("reason", texts(letters.iter().map(|letter| Some(letter.reason.as_str())))),
        ("window", texts(letters.iter().map(|letter| letter.window.as_deref()))),
        ("row", numbers(letters.iter().map(|letter| letter.row))),
        ("commit", texts(letters.iter().map(|_| Some(commit)))),
    ])
}

fn headers_of(letters: &[&DeadLetter]) -> arrow_array::ArrayRef {
    let all = letters.iter().flat_map(|letter| &letter.headers);
    headers(
        letters.iter().map(|letter| letter.headers.len()),
        all.map(|(name, value)| (name.as_str(), value.as_deref())),
    )
}

/// A dead letter as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLetter {
    pub letter: DeadLetter,
    /// `chain/shard/seq` of the commit that set it aside.
    pub commit: String,
}

/// Reads a file of dead letters, some at a time. `path`: for errors.
pub fn read_dead_letters(
    path: &str,
    bytes: Bytes,
) -> Result<impl Iterator<Item = Result<Vec<KeptLetter>, ReadError>> + use<>, ReadError> {
    let path = path.to_owned();
    Ok(LakeFile::open(&path, bytes)?.map(move |rows| read_rows(&path, &rows?)))
}

fn read_rows(path: &str, rows: &RecordBatch) -> Result<Vec<KeptLetter>, ReadError> {
    let text = |name| column::<StringArray>(path, rows, name);
    let (topics, kinds, reasons) = (text("topic")?, text("reason_kind")?, text("reason")?);
    let (windows, commits) = (text("window")?, text("commit")?);
    let partitions: &Int32Array = column(path, rows, "partition")?;
    let offsets: &Int64Array = column(path, rows, "offset")?;
    let timestamps: &TimestampMicrosecondArray = column(path, rows, "timestamp")?;
    let keys: &BinaryArray = column(path, rows, "key")?;
    let values: &BinaryArray = column(path, rows, "value")?;
    let numbers: &Int64Array = column(path, rows, "row")?;
    let headers = HeaderLists::of(path, rows)?;
    let kept = |row: usize| {
        let kind = ReasonKind::of(kinds.value(row)).ok_or_else(|| {
            ReadError::new(path, format!("row {row}: this version knows no reason `{}`", kinds.value(row)))
        })?;
        let letter = DeadLetter {
            place: Place {
                topic: topics.value(row).into(),
                partition: partitions.value(row),
                offset: offsets.value(row),
            },
            timestamp_us: if timestamps.is_null(row) { -1 } else { timestamps.value(row) },
            key: binary(keys, row).map(<[u8]>::to_vec),
            value: binary(values, row).map(<[u8]>::to_vec),
            headers: headers
                .of_row(row)
                .map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)))
                .collect(),
            kind,
            reason: reasons.value(row).to_owned(),
            window: windows.is_valid(row).then(|| windows.value(row).to_owned()),
            row: if numbers.is_null(row) { None } else { u32::try_from(numbers.value(row)).ok() },
        };
        Ok(KeptLetter { letter, commit: commits.value(row).to_owned() })
    };
    (0..rows.num_rows()).map(kept).collect()
}
