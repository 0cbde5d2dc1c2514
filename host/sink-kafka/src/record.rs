//! Records on their way to topics, and the file that they wait in until their epoch is committed.
//!
//! The file is Parquet, a row a record, in the order in which they are sent: `topic`, `timestamp`, `key`, `value`,
//! `headers`. So the digest of its rows, which the log keeps, is that of what was sent.

use arrow_array::{
    Array, LargeBinaryArray, LargeStringArray, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use bytes::Bytes;
use tallow_lake::tables;
use tallow_sink::parquet_file::{self, Layout};
use tallow_sink::raw_records::{bytes, headers, kafka_times, texts};
use tallow_sink::{EpochOutput, Item, LakeFile, ReadError, SinkError, column};
use tallow_store::Digest;

use crate::NAME;

/// The header that names the commit of a record: `chain/shard/seq`.
pub const COMMIT: &str = "tallow.commit";

/// A record of a topic, without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub topic: String,
    /// The clock of the commit, µs since 1970-01-01 UTC. Not the rows' own time: a topic's retention goes by it, and
    /// would remove history as soon as it is sent.
    pub timestamp_us: i64,
    pub key: Option<Vec<u8>>,
    /// `None`: a tombstone, which is not an empty value.
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// What tells it from every other record of its topic, its timestamp aside, which the broker may choose.
    pub fn digest(&self) -> Digest {
        let mut all = Vec::new();
        let mut put = |part: Option<&[u8]>| {
            all.push(u8::from(part.is_some()));
            let part = part.unwrap_or_default();
            all.extend_from_slice(&(part.len() as u64).to_le_bytes());
            all.extend_from_slice(part);
        };
        put(self.key.as_deref());
        put(self.value.as_deref());
        for (name, value) in &self.headers {
            put(Some(name.as_bytes()));
            put(value.as_deref());
        }
        Digest::of(&all)
    }

    /// The first header of that name, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }
}

/// The records as an item of the outbox.
///
/// # Errors
/// The file cannot be written.
pub fn item(records: &[Record], output: &EpochOutput<'_>) -> Result<Item, SinkError> {
    let name = item_name(output.chain, output.shard, output.seq);
    let table =
        table(records).map_err(|error| SinkError::Encode { name: name.clone(), why: error.to_string() })?;
    let layout = Layout { sorted_by: &[], opaque: &["key", "value", "headers.list.element.value"] };
    parquet_file::item(NAME, name, &table, layout, output)
}

/// What a commit's item is called.
pub fn item_name(chain: &str, shard: u32, seq: u64) -> String {
    format!("{NAME}/{}.parquet", tables::commit_name(chain, shard, seq))
}

fn table(records: &[Record]) -> Result<RecordBatch, ArrowError> {
    let all = records.iter().flat_map(|record| &record.headers);
    RecordBatch::try_from_iter_with_nullable([
        ("topic", texts(records.iter().map(|record| Some(record.topic.as_str()))), false),
        ("timestamp", kafka_times(records.iter().map(|record| record.timestamp_us)), true),
        ("key", bytes(records.iter().map(|record| record.key.as_deref())), true),
        ("value", bytes(records.iter().map(|record| record.value.as_deref())), true),
        (
            "headers",
            headers(
                records.iter().map(|record| record.headers.len()),
                all.map(|(name, value)| (name.as_str(), value.as_deref())),
            ),
            false,
        ),
    ])
}

/// What [`item`] was given. `name`: for errors.
///
/// # Errors
/// It is another file.
pub fn decode(name: &str, file: Bytes) -> Result<Vec<Record>, ReadError> {
    let mut records = Vec::new();
    for rows in LakeFile::open(name, file)? {
        read(name, &rows?, &mut records)?;
    }
    Ok(records)
}

fn read(name: &str, rows: &RecordBatch, records: &mut Vec<Record>) -> Result<(), ReadError> {
    let topics = text_column(name, rows, "topic")?;
    let times: &TimestampMicrosecondArray = column(name, rows, "timestamp")?;
    let keys = binary_column(name, rows, "key")?;
    let values = binary_column(name, rows, "value")?;
    let lists: &ListArray = column(name, rows, "headers")?;
    let pairs = lists.values().as_any().downcast_ref::<StructArray>();
    let pairs = pairs.ok_or_else(|| ReadError::new(name, "its headers are no pairs"))?;
    let pairs = RecordBatch::from(pairs.clone());
    let names = text_column(name, &pairs, "name")?;
    let header_values = binary_column(name, &pairs, "value")?;
    let ends = lists.value_offsets();
    for row in 0..rows.num_rows() {
        let of_row = ends[row] as usize..ends[row + 1] as usize;
        records.push(Record {
            topic: topics[row].clone(),
            timestamp_us: if times.is_null(row) { -1 } else { times.value(row) },
            key: keys[row].clone(),
            value: values[row].clone(),
            headers: of_row.map(|at| (names[at].clone(), header_values[at].clone())).collect(),
        });
    }
    Ok(())
}

/// Parquet gives the small or the large form of text and bytes, as it likes.
fn text_column(name: &str, rows: &RecordBatch, of: &str) -> Result<Vec<String>, ReadError> {
    let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
    match column::<StringArray>(name, rows, of) {
        Ok(texts) => Ok(texts.iter().map(own).collect()),
        Err(_) => Ok(column::<LargeStringArray>(name, rows, of)?.iter().map(own).collect()),
    }
}

fn binary_column(name: &str, rows: &RecordBatch, of: &str) -> Result<Vec<Option<Vec<u8>>>, ReadError> {
    let own = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    match column::<arrow_array::BinaryArray>(name, rows, of) {
        Ok(values) => Ok(values.iter().map(own).collect()),
        Err(_) => Ok(column::<LargeBinaryArray>(name, rows, of)?.iter().map(own).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallow_test_support::sink::{Variant, sample};

    fn records() -> Vec<Record> {
        let record = |topic: &str, key: Option<&[u8]>, value: Option<&[u8]>| Record {
            topic: topic.to_owned(),
            timestamp_us: 5,
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: Vec::new(),
        };
        let mut all = vec![
            record("a", Some(b"k"), Some(b"v")),
            record("a", None, None),
            record("b", Some(b""), Some(b"\xff")),
        ];
        all[1].timestamp_us = -1;
        all[2].headers =
            vec![("h".into(), Some(b"\xfe".to_vec())), ("h".into(), None), (String::new(), Some(vec![]))];
        all
    }

    #[test]
    fn records_come_back_from_their_file_as_they_were() {
        let item = item(&records(), &sample(7, Variant::First)).unwrap();
        assert_eq!(item.name, "kafka/c1a9-3-00000000000000000007.parquet");
        assert_eq!((item.rows, item.sink), (3, "kafka"));
        assert_eq!(decode(&item.name, item.bytes).unwrap(), records());
        assert!(
            decode("kafka/x", Bytes::from_static(b"PAR1")).unwrap_err().to_string().starts_with("kafka/x")
        );
    }

    #[test]
    fn a_digest_tells_every_part_of_a_record_but_its_time() {
        let all = records();
        let of = |change: &dyn Fn(&mut Record)| {
            let mut record = all[2].clone();
            change(&mut record);
            record.digest()
        };
        let same = of(&|_| {});
        assert_eq!(of(&|it| it.timestamp_us = 9), same);
        let others = [
            of(&|it| it.key = None),
            of(&|it| it.value = Some(vec![])),
            of(&|it| it.headers.truncate(2)),
            of(&|it| it.headers[1].1 = Some(vec![])),
            of(&|it| it.headers[0].0 = "i".into()),
        ];
        assert!(others.iter().all(|other| *other != same), "{others:?}");
    }
}
