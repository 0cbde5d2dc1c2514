//! A Parquet file of the lake that is written as its rows come: they are encoded and digested piece by piece, so that a
//! file of any number of rows takes its own bytes of memory and a piece of rows.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use tallow_sink::PiecesDigest;
use tallow_sink::parquet_file::{Encoder, Layout, SCHEMA_VERSION};

use crate::{File, TableError};

pub struct FileWriter {
    /// For errors.
    path: String,
    encoder: Encoder,
    digest: PiecesDigest,
    rows: u64,
}

impl FileWriter {
    /// For rows that are sorted by the column `sorted_by`.
    pub fn new(path: &str, schema: SchemaRef, sorted_by: &str) -> Result<Self, TableError> {
        let wrong = |why: String| TableError::Unwritable { path: path.to_owned(), why };
        let sorted_by = schema.index_of(sorted_by).map_err(|error| wrong(error.to_string()))?;
        let layout = Layout { sorted_by: &[sorted_by], opaque: &[] };
        let encoder = Encoder::new(schema.clone(), layout).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { path: path.to_owned(), encoder, digest: PiecesDigest::new(schema), rows: 0 })
    }

    /// Where the file will be.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Rows after those before them.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), TableError> {
        self.digest.add(rows).map_err(|error| unwritable(&self.path, &error))?;
        self.encoder.write(rows).map_err(|error| unwritable(&self.path, &error))?;
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// With `footer` and the rows' digest in the footer.
    pub fn finish(self, footer: &[(&str, String)]) -> Result<File, TableError> {
        let rows_digest = self.digest.finish().map_err(|error| unwritable(&self.path, &error))?;
        let mut footer = footer.to_vec();
        footer.push(("tallow.rows_digest", rows_digest.to_string()));
        footer.push(("tallow.schema", SCHEMA_VERSION.to_owned()));
        let bytes = self.encoder.finish(footer).map_err(|error| unwritable(&self.path, &error))?;
        Ok(File { bytes, rows: self.rows, rows_digest })
    }
}

fn unwritable(path: &str, error: &impl ToString) -> TableError {
    TableError::Unwritable { path: path.to_owned(), why: error.to_string() }
}
