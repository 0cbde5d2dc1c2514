//! A Parquet file of the lake that is written as its rows come: they are encoded and digested piece by piece, and what is
//! encoded goes to a scratch file once it is much, so that a file of any number of rows takes bounded memory.

use std::io;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::errors::ParquetError;
use tallow_sink::PiecesDigest;
use tallow_sink::parquet_file::{Encoder, Layout, SCHEMA_VERSION};
use tallow_store::BodyWriter;

use crate::{File, TableError};

pub struct FileWriter {
    /// For errors.
    path: String,
    encoder: Encoder<BodyWriter>,
    digest: PiecesDigest,
    rows: u64,
}

impl FileWriter {
    /// For rows that are sorted by the column `sorted_by`. `scratch`: the folder for what is too much for memory.
    pub fn new(path: &str, schema: SchemaRef, sorted_by: &str, scratch: &Path) -> Result<Self, TableError> {
        let wrong = |why: String| TableError::Unwritable { path: path.to_owned(), why };
        let sorted_by = schema.index_of(sorted_by).map_err(|error| wrong(error.to_string()))?;
        let layout = Layout { sorted_by: &[sorted_by], opaque: &[] };
        let out = BodyWriter::new(scratch);
        let encoder = Encoder::new(out, schema.clone(), layout).map_err(|error| not_encoded(path, &error))?;
        Ok(Self { path: path.to_owned(), encoder, digest: PiecesDigest::new(schema), rows: 0 })
    }

    /// Where the file will be.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Rows after those before them. They are encoded in pieces of one size, so that how many come at once changes no
    /// byte.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), TableError> {
        self.rows += rows.num_rows() as u64;
        let pieces = self.digest.add(rows).map_err(|error| unwritable(&self.path, &error))?;
        pieces.iter().try_for_each(|piece| self.encode(piece))
    }

    fn encode(&mut self, piece: &RecordBatch) -> Result<(), TableError> {
        self.encoder.write(piece).map_err(|error| not_encoded(&self.path, &error))
    }

    /// With `footer` and the rows' digest in the footer.
    pub fn finish(mut self, footer: &[(&str, String)]) -> Result<File, TableError> {
        let schema = self.digest.schema();
        let digest = std::mem::replace(&mut self.digest, PiecesDigest::new(schema));
        let (rows_digest, last) = digest.finish().map_err(|error| unwritable(&self.path, &error))?;
        self.encode(&last)?;
        let mut footer = footer.to_vec();
        footer.push(("tallow.rows_digest", rows_digest.to_string()));
        footer.push(("tallow.schema", SCHEMA_VERSION.to_owned()));
        let out = self.encoder.finish(footer).map_err(|error| not_encoded(&self.path, &error))?;
        Ok(File { body: out.finish(), rows: self.rows, rows_digest })
    }
}

/// Either the rows are to blame, or the scratch file.
fn not_encoded(path: &str, error: &ParquetError) -> TableError {
    match error {
        ParquetError::External(cause) if cause.is::<io::Error>() => {
            TableError::Scratch { path: path.to_owned(), why: cause.to_string() }
        }
        _ => unwritable(path, error),
    }
}

fn unwritable(path: &str, error: &impl ToString) -> TableError {
    TableError::Unwritable { path: path.to_owned(), why: error.to_string() }
}
