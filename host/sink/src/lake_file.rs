//! Reads the lake's Parquet files. Errors name the file and the column.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;

/// Rows read at once. A column of raw records has less than 2 GiB of bytes in as many.
const BATCH_ROWS: usize = 4096;

/// Why a file of the lake cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct ReadError {
    pub path: String,
    pub why: String,
}

impl ReadError {
    pub fn new(path: &str, why: impl ToString) -> Self {
        Self { path: path.to_owned(), why: why.to_string() }
    }
}

/// A file's rows, some at a time.
pub struct LakeFile {
    path: String,
    schema: SchemaRef,
    footer: BTreeMap<String, String>,
    reader: ParquetRecordBatchReader,
}

impl LakeFile {
    /// Opens a file, of bytes in memory or a [`BodyReader`](crate::BodyReader). `path`: for errors.
    pub fn open(path: &str, file: impl ChunkReader + 'static) -> Result<Self, ReadError> {
        Self::build(path, file, |_| ProjectionMask::all())
    }

    /// Opens it to read only these columns; those that it does not have are left out.
    pub fn open_columns(
        path: &str,
        file: impl ChunkReader + 'static,
        columns: &[&str],
    ) -> Result<Self, ReadError> {
        Self::build(path, file, |metadata| {
            ProjectionMask::columns(metadata.parquet_schema(), columns.iter().copied())
        })
    }

    fn build(
        path: &str,
        file: impl ChunkReader + 'static,
        mask: impl FnOnce(&ArrowReaderMetadata) -> ProjectionMask,
    ) -> Result<Self, ReadError> {
        let wrong = |error| ReadError::new(path, format!("it is no Parquet file: {error}"));
        let metadata = ArrowReaderMetadata::load(&file, Default::default()).map_err(wrong)?;
        let mask = mask(&metadata);
        let pairs = metadata.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let footer = pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
            .with_batch_size(BATCH_ROWS)
            .with_projection(mask)
            .build()
            .map_err(wrong)?;
        // Footers differ from file to file; rows of files with the same columns are to have the same schema.
        let schema = Arc::new(Schema::new(reader.schema().fields().clone()));
        Ok(Self { path: path.to_owned(), schema, footer, reader })
    }

    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Keys and values of the footer.
    pub fn footer(&self) -> &BTreeMap<String, String> {
        &self.footer
    }

    /// The rows that are left, at once.
    pub fn rows(&mut self) -> Result<RecordBatch, ReadError> {
        let batches = self.collect::<Result<Vec<_>, _>>()?;
        concat_batches(&self.schema, &batches).map_err(|error| ReadError::new(&self.path, error))
    }
}

impl Iterator for LakeFile {
    type Item = Result<RecordBatch, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.reader.next()?;
        let rows = rows.and_then(|rows| RecordBatch::try_new(self.schema.clone(), rows.columns().to_vec()));
        Some(rows.map_err(|error| ReadError::new(&self.path, error)))
    }
}

/// A column of a file's rows. `path`: of the file.
pub fn column<'a, A: Array + 'static>(
    path: &str,
    rows: &'a RecordBatch,
    name: &str,
) -> Result<&'a A, ReadError> {
    typed(path, name, rows.column_by_name(name))
}

/// The same of a column that may be missing; one of another type is taken for missing.
pub fn optional_column<'a, A: Array + 'static>(rows: &'a RecordBatch, name: &str) -> Option<&'a A> {
    typed("", name, rows.column_by_name(name)).ok()
}

pub(crate) fn typed<'a, A: Array + 'static>(
    path: &str,
    name: &str,
    column: Option<&'a ArrayRef>,
) -> Result<&'a A, ReadError> {
    let column = column.ok_or_else(|| ReadError::new(path, format!("it has no column `{name}`")))?;
    column.as_any().downcast_ref().ok_or_else(|| {
        let found = column.data_type();
        ReadError::new(
            path,
            format!("its column `{name}` is {found}, which is not the type that it should have"),
        )
    })
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, StringArray};
    use bytes::Bytes;

    use super::*;
    use crate::parquet_file::{Layout, encode};

    fn file() -> Bytes {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let rows = RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap();
        encode(&rows, Layout::default(), vec![("tallow.job", "daily".to_owned())]).unwrap()
    }

    #[test]
    fn rows_columns_and_the_footer_are_read() {
        let mut all = LakeFile::open("a", file()).unwrap();
        let rows = all.rows().unwrap();
        assert_eq!((rows.num_rows(), rows.num_columns()), (2, 2));
        assert_eq!(all.footer()["tallow.job"], "daily");
        assert_eq!(column::<Int64Array>("a", &rows, "n").unwrap().values(), &[1, 2]);
        let some = LakeFile::open_columns("a", file(), &["t", "other"]).unwrap().rows().unwrap();
        assert_eq!(some.schema().fields().len(), 1);
        assert!(optional_column::<StringArray>(&some, "t").is_some());
        assert!(optional_column::<StringArray>(&some, "n").is_none());
    }

    #[test]
    fn errors_name_the_file_and_the_column() {
        let rows = LakeFile::open("x/y", file()).unwrap().rows().unwrap();
        let said = |name| column::<Int64Array>("x/y", &rows, name).unwrap_err().to_string();
        assert_eq!(said("z"), "x/y: it has no column `z`");
        assert_eq!(said("t"), "x/y: its column `t` is Utf8, which is not the type that it should have");
        let error = LakeFile::open("x/y", Bytes::from_static(b"PAR1")).err().unwrap().to_string();
        assert!(error.starts_with("x/y: it is no Parquet file: "), "{error}");
    }
}
