//! One Parquet file, with the provenance of its rows in its footer. The same rows and provenance give the same
//! bytes: nothing of the moment or the machine goes in.

use std::collections::BTreeMap;
use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use tallow_store::Digest;

use crate::{EpochOutput, Item, SinkError, rows_digest};

/// Version of the files' layout and columns, as written under `tallow.schema`.
pub const SCHEMA_VERSION: &str = "1";

/// DuckDB works on groups of this size, one thread each; Spark and pandas do not mind.
const ROW_GROUP_ROWS: usize = 122_880;

/// Raw records may be large: a group of them is closed before it fills a reader's memory.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// Values between two looks at a page's size. A page holds less than 2 GiB, a record up to some 20 MiB.
const WRITE_BATCH: usize = 64;

/// How a file's columns are laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout<'a> {
    /// Columns that the rows are sorted by, ascending, nulls first.
    pub sorted_by: &'a [usize],
    /// Columns of raw bytes, by path: no dictionary, no minimum and maximum.
    pub opaque: &'a [&'a str],
}

/// Encodes the rows as the item `path` of a sink.
///
/// # Errors
/// A column's type has no place in such a file.
pub fn item(
    sink: &'static str,
    path: String,
    rows: &RecordBatch,
    layout: Layout<'_>,
    output: &EpochOutput<'_>,
) -> Result<Item, SinkError> {
    let encode_error = |why: String| SinkError::Encode { name: path.clone(), why };
    let digest = rows_digest(rows).map_err(|error| encode_error(error.to_string()))?;
    let bytes =
        encode(rows, layout, footer(output, digest)).map_err(|error| encode_error(error.to_string()))?;
    Ok(Item { sink, bytes, rows: rows.num_rows() as u64, rows_digest: digest, name: path })
}

/// One Parquet file of the rows. The same rows, layout and footer give the same bytes.
pub fn encode(
    rows: &RecordBatch,
    layout: Layout<'_>,
    footer: Vec<(&str, String)>,
) -> Result<Bytes, ParquetError> {
    let mut encoder = Encoder::new(Vec::new(), rows.schema(), layout)?;
    encoder.write(rows)?;
    Ok(encoder.finish(footer)?.into())
}

/// A Parquet file that grows as its rows come. They are encoded at once, and go out a group of rows at a time: what it
/// holds is no more than that. The same rows in the same pieces give the same bytes.
pub struct Encoder<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> Encoder<W> {
    /// `out`: where the file's bytes go.
    pub fn new(out: W, schema: SchemaRef, layout: Layout<'_>) -> Result<Self, ParquetError> {
        // The Arrow schema is left out of the footer: Parquet's own types say all, in every reader.
        let options =
            ArrowWriterOptions::new().with_properties(properties(layout)).with_skip_arrow_metadata(true);
        Ok(Self { writer: ArrowWriter::try_new_with_options(out, schema, options)? })
    }

    /// Rows after those before them.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        self.writer.write(rows)
    }

    /// Gives back where the bytes went, the last ones with them.
    pub fn finish(mut self, footer: Vec<(&str, String)>) -> Result<W, ParquetError> {
        for (key, value) in footer {
            self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        self.writer.into_inner()
    }
}

fn properties(layout: Layout<'_>) -> WriterProperties {
    let sorting = layout
        .sorted_by
        .iter()
        .map(|column| SortingColumn { column_idx: *column as i32, descending: false, nulls_first: true })
        .collect();
    let mut properties = WriterProperties::builder()
        .set_created_by("tallow".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_sorting_columns(Some(sorting));
    if !layout.opaque.is_empty() {
        properties = properties.set_write_batch_size(WRITE_BATCH);
    }
    for column in layout.opaque {
        let column = ColumnPath::new(column.split('.').map(str::to_owned).collect());
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    properties.build()
}

fn footer(output: &EpochOutput<'_>, rows_digest: Digest) -> Vec<(&'static str, String)> {
    claims(output, rows_digest).into_iter().collect()
}

/// What the footer of a file of this output says about where its rows come from, by key.
pub fn claims(output: &EpochOutput<'_>, rows_digest: Digest) -> BTreeMap<&'static str, String> {
    let mut offsets = output.provenance.offsets.clone();
    offsets.sort();
    let offsets: Vec<_> = offsets.iter().map(|range| serde_json::json!(range)).collect();
    [
        ("tallow.commit", output.commit()),
        ("tallow.functions", serde_json::json!(output.provenance.functions).to_string()),
        ("tallow.offsets", serde_json::Value::from(offsets).to_string()),
        ("tallow.rows_digest", rows_digest.to_string()),
        ("tallow.schema", SCHEMA_VERSION.to_owned()),
        ("tallow.source", output.provenance.origin.as_str().to_owned()),
    ]
    .into()
}
