//! A stable order of a table's rows by some of its columns, nulls first.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

/// Orders the given rows by columns of text (by bytes, as Parquet does) or timestamps.
pub(crate) fn sort_rows(batch: &RecordBatch, columns: &[usize], rows: &mut [u32]) {
    let comparators: Vec<_> =
        columns.iter().map(|column| comparator(batch.column(*column).as_ref())).collect();
    rows.sort_by(|a, b| {
        comparators
            .iter()
            .map(|compare| compare(*a as usize, *b as usize))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
}

type Comparator<'a> = Box<dyn Fn(usize, usize) -> Ordering + 'a>;

fn comparator(array: &dyn Array) -> Comparator<'_> {
    match array.data_type() {
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            let get = |row| texts.is_valid(row).then(|| texts.value(row));
            Box::new(move |a, b| get(a).cmp(&get(b)))
        }
        DataType::Timestamp(..) => {
            let times = array.as_primitive::<TimestampMicrosecondType>();
            let get = |row| times.is_valid(row).then(|| times.value(row));
            Box::new(move |a, b| get(a).cmp(&get(b)))
        }
        other => unreachable!("rows are sorted by text and time, not by {other}"),
    }
}
