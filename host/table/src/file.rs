//! A Parquet file of the lake, to a function's table and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;
use tallow_engine::{Table, from_arrow, to_arrow};
use tallow_sink::PiecesDigest;
use tallow_lake::{Partition, Partitioned};
use tallow_store::{Body, Digest, Listed, Store};

use crate::body_reader::BodyReader;
use crate::{FileWriter, TableError};

/// Rows read at once.
const BATCH_ROWS: usize = 64 << 10;

/// A file that is ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub body: Body,
    pub rows: u64,
    /// [`PiecesDigest`] of the rows.
    pub rows_digest: Digest,
}

impl File {
    /// A table's rows, sorted by the column `sorted_by`, with `footer` and the rows' digest in the footer. The same
    /// rows and footer give the same bytes. `path`: for the error.
    pub fn of_table(
        path: &str,
        table: &Table,
        sorted_by: &str,
        footer: &[(&str, String)],
    ) -> Result<Self, TableError> {
        let wrong = |why: String| TableError::Unwritable { path: path.to_owned(), why };
        Self::of_rows(path, &to_arrow(table).map_err(|error| wrong(error.to_string()))?, sorted_by, footer)
    }

    /// The same of an Arrow batch.
    pub fn of_rows(
        path: &str,
        rows: &RecordBatch,
        sorted_by: &str,
        footer: &[(&str, String)],
    ) -> Result<Self, TableError> {
        let mut writer = FileWriter::new(path, rows.schema(), sorted_by, &std::env::temp_dir())?;
        writer.write(rows)?;
        writer.finish(footer)
    }

    /// A file's bytes as they are; its rows are read piece by piece. `path`: for the error.
    pub fn of_body(path: &str, body: Body) -> Result<Self, TableError> {
        let wrong = |why: String| TableError::Unreadable { path: path.to_owned(), why };
        let mut pieces = pieces(path, BodyReader(body.clone()))?;
        let mut digest = PiecesDigest::new(pieces.schema.clone());
        let mut rows = 0;
        for piece in &mut pieces {
            let piece = piece?;
            rows += piece.num_rows() as u64;
            digest.add(&piece).map_err(|error| wrong(error.to_string()))?;
        }
        let (rows_digest, _) = digest.finish().map_err(|error| wrong(error.to_string()))?;
        Ok(Self { body, rows, rows_digest })
    }
}

/// What a file holds.
#[derive(Clone, Debug)]
pub struct Content {
    pub rows: RecordBatch,
    /// Keys and values of the footer.
    pub footer: BTreeMap<String, String>,
}

impl Content {
    /// The rows as a function takes them. `path`: for the error.
    pub fn table(&self, path: &str) -> Result<Table, TableError> {
        from_arrow(&self.rows)
            .map_err(|error| TableError::Unreadable { path: path.to_owned(), why: error.to_string() })
    }
}

/// The partitions of a table that are there, with their objects.
pub fn list(store: &Store, table: &Partitioned) -> Result<Vec<(Partition, Listed)>, TableError> {
    let listed = store.list_tagged(&table.root)?;
    Ok(listed.into_iter().filter_map(|it| Some((table.partition(&it.path)?, it))).collect())
}

/// Reads the Parquet file at a path of the store; `None` if there is none.
pub fn read(store: &Store, path: &str) -> Result<Option<Content>, TableError> {
    let at = store.at(path);
    store.get(path)?.map(|bytes| decode(&at, bytes)).transpose()
}

/// Reads a Parquet file's bytes. `path`: for the error.
pub fn decode(path: &str, bytes: Bytes) -> Result<Content, TableError> {
    let mut pieces = pieces(path, bytes)?;
    let batches = (&mut pieces).collect::<Result<Vec<_>, _>>()?;
    let rows = concat_batches(&pieces.schema, &batches)
        .map_err(|error| TableError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
    Ok(Content { rows, footer: pieces.footer })
}

/// A file's rows, some at a time.
struct Pieces {
    path: String,
    schema: SchemaRef,
    footer: BTreeMap<String, String>,
    reader: ParquetRecordBatchReader,
}

fn pieces(path: &str, file: impl ChunkReader + 'static) -> Result<Pieces, TableError> {
    let wrong = |why: String| TableError::Unreadable { path: path.to_owned(), why };
    let metadata = ArrowReaderMetadata::load(&file, Default::default())
        .map_err(|error| wrong(format!("it is no Parquet file: {error}")))?;
    let pairs = metadata.metadata().file_metadata().key_value_metadata().into_iter().flatten();
    let footer =
        pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect::<BTreeMap<_, _>>();
    // Footers differ from file to file; rows of files with the same columns are to have the same schema.
    let schema = Arc::new(Schema::new(metadata.schema().fields().clone()));
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(BATCH_ROWS);
    let reader = reader.build().map_err(|error| wrong(error.to_string()))?;
    Ok(Pieces { path: path.to_owned(), schema, footer, reader })
}

impl Iterator for Pieces {
    type Item = Result<RecordBatch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.reader.next()?;
        let piece = piece.and_then(|rows| RecordBatch::try_new(self.schema.clone(), rows.columns().to_vec()));
        Some(
            piece.map_err(|error| TableError::Unreadable { path: self.path.clone(), why: error.to_string() }),
        )
    }
}
