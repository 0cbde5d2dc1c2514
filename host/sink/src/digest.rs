//! The canonical digest of rows: what two runs are compared by. It depends on names, logical types and values,
//! and on nothing else: not on the order of rows, on Arrow's or Parquet's encodings, nor on a compressor.
//!
//! It is the sha256, in hexadecimal, of these bytes (integers little-endian, `text` = u64 length + UTF-8):
//!
//! ```text
//! file    "tallow rows 1\n"  u64 columns  column*  u64 rows  row*
//! column  text name  text type
//! type    int32 | int64 | double | bool | text | binary | timestamp-us | local-timestamp-us | decimal(<scale>)
//!         | list<type> | struct<name:type,…>
//! row     u64 length of the cells  cell*          rows ascending by their bytes
//! cell    00 (null)  |  01 value
//! value   int32: 4 bytes · int64, both timestamps: 8 · bool: 1 · decimal: 16
//!         double: its 8 bytes, every NaN as 7ff8000000000000, -0 is not 0
//!         text, binary: u64 length + bytes · list: u64 length + cells · struct: a cell a field
//! ```

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use tallow_store::{Digest, Hasher};

const HEAD: &[u8] = b"tallow rows 1\n";

/// The digest of a table's rows. An error names a column whose type has no place in it.
pub fn rows_digest(batch: &RecordBatch) -> Result<Digest, ArrowError> {
    let schema = batch.schema();
    let mut head = HEAD.to_vec();
    put_length(&mut head, schema.fields().len());
    let mut cells = Vec::with_capacity(schema.fields().len());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        put_bytes(&mut head, field.name().as_bytes());
        put_bytes(&mut head, logical_type(field.data_type())?.as_bytes());
        cells.push(cell(column.as_ref())?);
    }
    put_length(&mut head, batch.num_rows());

    // All rows in one piece of memory: a piece a row costs as much again, and leaves the memory in crumbs.
    let mut bytes = Vec::new();
    let mut rows: Vec<Range<usize>> = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let start = bytes.len();
        cells.iter().for_each(|put| put(row, &mut bytes));
        rows.push(start..bytes.len());
    }
    rows.sort_unstable_by(|a, b| bytes[a.clone()].cmp(&bytes[b.clone()]));

    let mut hasher = Hasher::default();
    hasher.update(&head);
    for row in rows {
        hasher.update(&(row.len() as u64).to_le_bytes());
        hasher.update(&bytes[row]);
    }
    Ok(hasher.finish())
}

fn logical_type(data_type: &DataType) -> Result<String, ArrowError> {
    Ok(match data_type {
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary => "binary".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp-us".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "local-timestamp-us".to_owned(),
        DataType::Decimal128(_, scale) => format!("decimal({scale})"),
        DataType::List(item) => format!("list<{}>", logical_type(item.data_type())?),
        DataType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| Ok(format!("{}:{}", field.name(), logical_type(field.data_type())?)))
                .collect::<Result<Vec<_>, ArrowError>>()?;
            format!("struct<{}>", fields.join(","))
        }
        other => {
            return Err(ArrowError::NotYetImplemented(format!("no canonical encoding of type {other}")));
        }
    })
}

/// Appends the cell of a row.
type PutCell<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

fn cell(array: &dyn Array) -> Result<PutCell<'_>, ArrowError> {
    let value: PutCell<'_> = match array.data_type() {
        DataType::Int32 => {
            let values = array.as_primitive::<Int32Type>();
            Box::new(|row, out| out.extend(values.value(row).to_le_bytes()))
        }
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>();
            Box::new(|row, out| out.extend(values.value(row).to_le_bytes()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            Box::new(|row, out| out.extend(values.value(row).to_le_bytes()))
        }
        DataType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>();
            Box::new(|row, out| out.extend(values.value(row).to_le_bytes()))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            Box::new(|row, out| {
                let value = values.value(row);
                let bits = if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() };
                out.extend(bits.to_le_bytes());
            })
        }
        DataType::Boolean => {
            let values = array.as_boolean();
            Box::new(|row, out| out.push(values.value(row).into()))
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Box::new(|row, out| put_bytes(out, values.value(row).as_bytes()))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            Box::new(|row, out| put_bytes(out, values.value(row).as_bytes()))
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            Box::new(|row, out| put_bytes(out, values.value(row)))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            Box::new(|row, out| put_bytes(out, values.value(row)))
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let item = cell(lists.values().as_ref())?;
            Box::new(move |row, out| {
                let items = lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
                put_length(out, items.len());
                items.for_each(|index| item(index, out));
            })
        }
        DataType::Struct(_) => {
            let fields = array
                .as_struct()
                .columns()
                .iter()
                .map(|column| cell(column.as_ref()))
                .collect::<Result<Vec<_>, _>>()?;
            Box::new(move |row, out| fields.iter().for_each(|field| field(row, out)))
        }
        other => {
            return Err(ArrowError::NotYetImplemented(format!("no canonical encoding of type {other}")));
        }
    };
    Ok(Box::new(move |row, out| {
        let valid = array.is_valid(row);
        out.push(valid.into());
        if valid {
            value(row, out);
        }
    }))
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend((length as u64).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float64Array, LargeBinaryArray,
        LargeStringArray, ListArray, StringArray, StructArray, TimestampMicrosecondArray, UInt32Array,
    };
    use arrow_buffer::OffsetBuffer;
    use arrow_schema::Field;
    use arrow_select::take::take_record_batch;

    use super::*;

    fn headers() -> ArrayRef {
        let names = StringArray::from(vec!["h", "h", ""]);
        let values = LargeBinaryArray::from(vec![Some(&b"\xff"[..]), None, Some(b"")]);
        let pairs = StructArray::from(vec![
            (Arc::new(Field::new("name", DataType::Utf8, false)), Arc::new(names) as ArrayRef),
            (Arc::new(Field::new("value", DataType::LargeBinary, true)), Arc::new(values) as ArrayRef),
        ]);
        let element = Arc::new(Field::new("element", pairs.data_type().clone(), false));
        Arc::new(ListArray::new(element, OffsetBuffer::from_lengths([0, 2, 1]), Arc::new(pairs), None))
    }

    fn rows() -> RecordBatch {
        let decimals = Decimal128Array::from(vec![Some(-1), Some(6_012_312_000_000), None]);
        let columns: [(&str, ArrayRef); 6] = [
            ("symbol", Arc::new(StringArray::from(vec!["ETHUSDT", "BTCUSDT", "币"]))),
            (
                "window_start",
                Arc::new(TimestampMicrosecondArray::from(vec![60_000_000, 0, -1]).with_timezone("UTC")),
            ),
            ("close", Arc::new(decimals.with_precision_and_scale(38, 8).unwrap())),
            ("mean", Arc::new(Float64Array::from(vec![0.1, f64::INFINITY, -0.0]))),
            ("complete", Arc::new(BooleanArray::from(vec![None, Some(true), Some(false)]))),
            ("headers", headers()),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn one_column(column: impl arrow_array::Array + 'static) -> Digest {
        let column: ArrayRef = Arc::new(column);
        rows_digest(&RecordBatch::try_from_iter([("c", column)]).unwrap()).unwrap()
    }

    /// The encoding of the module's documentation, written down a second time in Python, gives this.
    #[test]
    fn the_digest_is_that_of_the_documented_encoding() {
        let by_python = "a8dfb491e16b68c3755b22da675bbdf5f2bee9843ba6510359a1d104cbb33af3";
        assert_eq!(rows_digest(&rows()).unwrap().to_string(), by_python);
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let shuffled = take_record_batch(&rows(), &UInt32Array::from(vec![2, 0, 1])).unwrap();
        assert_eq!(rows_digest(&shuffled).unwrap(), rows_digest(&rows()).unwrap());
    }

    #[test]
    fn a_row_more_or_less_matters() {
        let twice = take_record_batch(&rows(), &UInt32Array::from(vec![2, 0, 1, 1])).unwrap();
        assert_ne!(rows_digest(&twice).unwrap(), rows_digest(&rows()).unwrap());
        assert_ne!(rows_digest(&rows().slice(0, 2)).unwrap(), rows_digest(&rows()).unwrap());
    }

    #[test]
    fn arrow_has_two_forms_of_text_and_bytes_and_they_are_one() {
        assert_eq!(one_column(StringArray::from(vec!["a"])), one_column(LargeStringArray::from(vec!["a"])));
        let (small, large) = (BinaryArray::from(vec![&b"a"[..]]), LargeBinaryArray::from(vec![&b"a"[..]]));
        assert_eq!(one_column(small), one_column(large));
    }

    #[test]
    fn null_empty_and_zero_differ_and_all_nans_are_one() {
        assert_ne!(
            one_column(StringArray::from(vec![None::<&str>])),
            one_column(StringArray::from(vec![""]))
        );
        assert_ne!(one_column(Float64Array::from(vec![0.0])), one_column(Float64Array::from(vec![-0.0])));
        let other_nan = f64::from_bits(0xfff8_0000_0000_0001);
        assert_eq!(
            one_column(Float64Array::from(vec![f64::NAN])),
            one_column(Float64Array::from(vec![other_nan]))
        );
    }

    #[test]
    fn a_value_moved_to_the_next_cell_changes_the_digest() {
        let pair = |a: &str, b: &str| {
            let columns = [("a", a), ("b", b)]
                .map(|(name, text)| (name, Arc::new(StringArray::from(vec![text])) as ArrayRef));
            rows_digest(&RecordBatch::try_from_iter(columns).unwrap()).unwrap()
        };
        assert_ne!(pair("ab", ""), pair("a", "b"));
    }

    #[test]
    fn a_type_without_an_encoding_is_named() {
        let column: ArrayRef = Arc::new(UInt32Array::from(vec![1]));
        let error = rows_digest(&RecordBatch::try_from_iter([("c", column)]).unwrap()).unwrap_err();
        assert!(error.to_string().contains("UInt32"), "{error}");
    }
}
