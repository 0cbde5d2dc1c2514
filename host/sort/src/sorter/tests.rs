//! Against a stable sort of all rows in memory.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;

use super::*;
use crate::Extent;
use crate::layout::{key_of, time_of};

/// Key, time, and what tells the row from all others.
type Row<'a> = (Option<&'a str>, Option<i64>, i64);

/// Rows with columns of several types beside the key and the time, which follow from the row's number.
pub fn rows(rows: &[Row<'_>]) -> RecordBatch {
    let numbers = || rows.iter().map(|row| row.2);
    let line = |number: i64| (number % 5 != 0).then(|| vec![b'x'; (number % 40) as usize]);
    let columns: [(&str, ArrayRef); 6] = [
        ("number", Arc::new(numbers().collect::<Int64Array>())),
        (
            "time",
            Arc::new(
                rows.iter().map(|row| row.1).collect::<TimestampMicrosecondArray>().with_timezone("UTC"),
            ),
        ),
        (
            "price",
            Arc::new(
                numbers().map(|it| (it % 3 != 0).then(|| i128::from(it) << 70)).collect::<Decimal128Array>(),
            ),
        ),
        ("key", Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>())),
        ("line", Arc::new(numbers().map(line).collect::<BinaryArray>())),
        ("odd", Arc::new(numbers().map(|it| (it % 7 != 0).then_some(it % 2 == 1)).collect::<BooleanArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

pub fn layout(scratch: &Path) -> Arc<Layout> {
    Arc::new(Layout::new(rows(&[]).schema(), scratch, "key", "time").unwrap())
}

fn sorter(scratch: &Path, memory_bytes: usize) -> Sorter {
    Sorter::new(scratch, memory_bytes, "key", "time")
}

/// Sorts the rows, handed over in batches of the given size, and checks each batch that comes back.
fn sorted(mut sorter: Sorter, input: &[Row<'_>], a_batch: usize) -> Vec<(Option<String>, Option<i64>, i64)> {
    for some in input.chunks(a_batch) {
        sorter.add(rows(some)).unwrap();
    }
    let (given, layout) = (sorter.bounds.given, layout(&sorter.scratch));
    let mut sorted = sorter.finish().unwrap();
    let mut out = Vec::new();
    while let Some(batch) = sorted.next().unwrap() {
        assert!((1..=given.rows).contains(&batch.num_rows()), "{} rows", batch.num_rows());
        let (keys, times) = (layout.keys(&batch), layout.times(&batch));
        let numbers = batch["number"].as_primitive::<Int64Type>();
        let back: Vec<Row<'_>> = (0..batch.num_rows())
            .map(|row| (key_of(keys, row), time_of(times, row), numbers.value(row)))
            .collect();
        assert!(back.iter().all(|row| row.0 == back[0].0), "{back:?}");
        assert_eq!(batch, rows(&back), "all columns of a row stay together");
        out.extend(back.iter().map(|row| (row.0.map(str::to_owned), row.1, row.2)));
    }
    assert!(sorted.next().unwrap().is_none());
    out
}

fn expected(input: &[Row<'_>]) -> Vec<(Option<String>, Option<i64>, i64)> {
    let mut all: Vec<_> = input.iter().map(|row| (row.0.map(str::to_owned), row.1, row.2)).collect();
    all.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    all
}

fn input() -> impl Strategy<Value = Vec<(Option<u8>, Option<i64>)>> {
    let (few, many) = (0u8..3, any::<u8>());
    let row = move |key: BoxedStrategy<u8>| {
        (prop::option::weighted(0.9, key), prop::option::weighted(0.9, prop_oneof![-3i64..3, any::<i64>()]))
    };
    prop_oneof![
        prop::collection::vec(row(few.boxed()), 0..400),
        prop::collection::vec(row(many.boxed()), 0..400)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_come_by_key_time_and_arrival_in_however_many_runs_and_passes(
        input in input(),
        a_batch in 1usize..60,
        memory_bytes in 1usize..60_000,
        runs in 2usize..6,
        merge_bytes in 1usize..400_000,
        block in (1usize..30, 1usize..2_000),
        given in (1usize..30, 1usize..2_000),
    ) {
        let names: Vec<Option<String>> =
            input.iter().map(|(key, _)| key.map(|key| "k".repeat(usize::from(key % 4)) + &key.to_string())).collect();
        let input: Vec<Row<'_>> =
            (0..).zip(names.iter().zip(&input)).map(|(number, (name, row))| (name.as_deref(), row.1, number)).collect();
        let mut sorter = sorter(&std::env::temp_dir(), memory_bytes);
        let extent = |(rows, bytes)| Extent { rows, bytes };
        sorter.bounds = Bounds { runs, merge_bytes, block: extent(block), given: extent(given) };
        prop_assert_eq!(sorted(sorter, &input, a_batch), expected(&input));
    }
}

#[test]
fn few_files_are_open_however_many_runs_there_were() {
    let input: Vec<Row<'_>> = (0..1_000).map(|number| (Some("A"), Some(-number), number)).collect();
    let mut sorter = sorter(&std::env::temp_dir(), 1);
    sorter.bounds.runs = 10;
    for row in &input {
        sorter.add(rows(&[*row])).unwrap();
        // Of each of the levels 0 to 2 fewer than ten.
        assert!(sorter.runs.len() < 30 && sorter.held.len() == 1);
    }
    assert!(sorter.runs.is_sorted_by(|older, newer| older.level >= newer.level));
    let mut sorted = sorter.finish().unwrap();
    let first = sorted.next().unwrap().unwrap();
    assert_eq!(first["number"].as_primitive::<Int64Type>().value(0), 999);
    assert_eq!(first.num_rows(), 1_000);
}

#[test]
fn blocks_and_batches_end_by_their_bytes_where_rows_are_large() {
    let line = vec![b'x'; 100 << 10];
    let large = |number: i64| {
        let columns: [(&str, ArrayRef); 3] = [
            ("time", Arc::new(TimestampMicrosecondArray::from(vec![-number; 10]))),
            ("key", Arc::new(StringArray::from(vec!["A"; 10]))),
            ("line", Arc::new(BinaryArray::from(vec![line.as_slice(); 10]))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let mut sorter = sorter(&std::env::temp_dir(), 3 << 20);
    (0..20).for_each(|number| sorter.add(large(number)).unwrap());
    let largest = sorter.runs.iter().map(|it| it.run.largest_bytes).max();
    assert!(largest.is_some_and(|bytes| bytes < 400 << 10), "{largest:?}");
    let mut sorted = sorter.finish().unwrap();
    let mut rows = 0;
    while let Some(batch) = sorted.next().unwrap() {
        assert!(batch.num_rows() <= 42, "{}", batch.num_rows());
        rows += batch.num_rows();
    }
    assert_eq!(rows, 200);
}

#[test]
fn what_fits_into_memory_is_written_nowhere() {
    let nowhere = Path::new("/nowhere/at/all");
    let input: Vec<Row<'_>> = (0..20_000).map(|number| (Some("A"), Some(-number / 3), number)).collect();
    assert_eq!(sorted(sorter(nowhere, usize::MAX), &input, 1_000), expected(&input));
    assert!(sorter(nowhere, 0).finish().unwrap().next().unwrap().is_none());
    assert!(sorted(sorter(nowhere, 0), &[], 1).is_empty());
    // A single batch is not written even where it is larger than it should be.
    assert_eq!(sorted(sorter(nowhere, 0), &input, 20_000), expected(&input));
}

#[test]
fn a_scratch_folder_that_is_not_there_is_named_with_what_to_do() {
    let mut sorter = sorter(Path::new("/nowhere/at/all"), 0);
    sorter.add(rows(&[(Some("A"), Some(1), 1)])).unwrap();
    let error = sorter.add(rows(&[(Some("A"), Some(1), 2)])).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/at/all: a scratch file cannot be made: No such file"), "{error}");
    assert!(error.ends_with("Make this folder, or have another one used"), "{error}");
}

#[test]
fn the_scratch_folder_never_shows_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let listed = || std::fs::read_dir(folder.path()).unwrap().count();
    let mut sorter = sorter(folder.path(), 0);
    let mut seen = 0;
    for number in 0..50 {
        sorter.add(rows(&[(Some("A"), Some(-number), number)])).unwrap();
        seen += listed();
    }
    let mut sorted = sorter.finish().unwrap();
    while sorted.next().unwrap().is_some() {
        seen += listed();
    }
    assert_eq!(seen, 0);
}

#[test]
fn rows_of_other_columns_are_refused_by_both_schemas() {
    let mut sorter = sorter(&std::env::temp_dir(), 0);
    sorter.add(rows(&[])).unwrap();
    let other = rows(&[(None, None, 1)]).project(&[0, 1, 3]).unwrap();
    let error = sorter.add(other).unwrap_err();
    assert!(
        matches!(&error, SortError::Schema { expected, found } if expected.contains("price") && !found.contains("price"))
    );
    assert!(error.to_string().contains("other columns than those before"), "{error}");
}

#[test]
fn a_column_to_sort_by_that_is_missing_or_of_another_type_is_named() {
    let tried = |key: &str, time: &str| {
        let mut sorter = Sorter::new(&std::env::temp_dir(), 0, key, time);
        sorter.add(rows(&[])).unwrap_err().to_string()
    };
    assert!(tried("symbol", "time").contains("column `symbol` is not among the rows' columns"));
    assert!(tried("number", "time").contains("column `number` is Int64, not text"));
    assert!(tried("key", "price").contains("column `price` is Decimal128"), "{}", tried("key", "price"));
    let dates = arrow_array::ListArray::new_null(
        Arc::new(arrow_schema::Field::new("item", arrow_schema::DataType::Int64, true)),
        0,
    );
    let columns = [
        ("key", rows(&[])["key"].clone()),
        ("time", rows(&[])["time"].clone()),
        ("list", Arc::new(dates) as ArrayRef),
    ];
    let error = sorter(&std::env::temp_dir(), 0).add(RecordBatch::try_from_iter(columns).unwrap());
    assert!(error.unwrap_err().to_string().contains("column `list` is List"));
}

#[test]
fn decimals_keep_their_scale() {
    let prices = Decimal128Array::from(vec![-150]).with_precision_and_scale(38, 2).unwrap();
    let one = rows(&[(Some("A"), Some(1), 1)]);
    let columns =
        [("key", one["key"].clone()), ("time", one["time"].clone()), ("price", Arc::new(prices) as ArrayRef)];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut sorter = sorter(&std::env::temp_dir(), 0);
    (0..2).for_each(|_| sorter.add(batch.clone()).unwrap());
    let back = sorter.finish().unwrap().next().unwrap().unwrap();
    assert_eq!(back["price"].as_primitive::<Decimal128Type>().value_as_string(1), "-1.50");
}
