//! Reads published files as any other reader would: from their bytes alone.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tallow_store::Store;

pub fn paths(store: &Store) -> Vec<String> {
    store.list("").unwrap().into_iter().map(|(path, _)| path).collect()
}

pub fn rows(bytes: Bytes) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

pub fn footer(bytes: Bytes) -> ParquetMetaData {
    SerializedFileReader::new(bytes).unwrap().metadata().clone()
}

pub fn footer_value(bytes: Bytes, key: &str) -> String {
    let footer = footer(bytes);
    let entries = footer.file_metadata().key_value_metadata().unwrap();
    entries.iter().find(|entry| entry.key == key).unwrap().value.clone().unwrap()
}

/// Every row of every object as `folder name=value …`.
pub fn texts_of_store(store: &Store) -> Vec<String> {
    let of_object = |path: &String| {
        let (folder, _) = path.rsplit_once('/').unwrap();
        let batch = rows(store.get(path).unwrap().unwrap());
        texts(&batch).into_iter().map(|row| format!("{folder} {row}")).collect::<Vec<_>>()
    };
    paths(store).iter().flat_map(of_object).collect()
}

pub fn texts(batch: &RecordBatch) -> Vec<String> {
    (0..batch.num_rows())
        .map(|row| {
            let schema = batch.schema();
            let cells = schema.fields().iter().zip(batch.columns());
            cells.map(|(field, column)| format!("{}={} ", field.name(), text(column, row))).collect()
        })
        .collect()
}

fn text(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".into();
    }
    match column.data_type() {
        DataType::Utf8 => format!("{:?}", column.as_string::<i32>().value(row)),
        DataType::Binary => format!("{:02x?}", column.as_binary::<i32>().value(row)),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Decimal128(_, scale) => {
            format!("{}e-{scale}", column.as_primitive::<Decimal128Type>().value(row))
        }
        DataType::Timestamp(_, Some(zone)) => {
            format!("{}us {zone}", column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            format!("{:?}", (0..items.len()).map(|item| text(&items, item)).collect::<Vec<_>>())
        }
        DataType::Struct(_) => {
            let fields = column.as_struct().columns().iter();
            format!("{:?}", fields.map(|field| text(field, row)).collect::<Vec<_>>())
        }
        other => panic!("a file holds a column of type {other}"),
    }
}
