//! Files to tables and back.

use bytes::Bytes;
use tallow_table::{File, TableError, file};

use crate::bench::{bench, numbers, partition, path, rows};

#[test]
fn a_table_comes_back_from_its_file_with_its_footer() {
    let bench = bench();
    let footer = [("tallow.job", "merge.daily".to_owned())];
    let written = File::of_table("x", &rows(&[1, 2, 3]), "window_start", &footer).unwrap();
    bench.store.put_overwrite("x.parquet", written.body.bytes().unwrap().clone()).unwrap();
    let read = file::read(&bench.store, "x.parquet").unwrap().unwrap();
    assert_eq!(numbers(&read.table("x").unwrap()), [1, 2, 3]);
    assert_eq!(read.footer["tallow.job"], "merge.daily");
    assert_eq!(read.footer["tallow.rows_digest"], written.rows_digest.to_string());
    assert_eq!(written.rows, 3);
    assert!(file::read(&bench.store, "y.parquet").unwrap().is_none());
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    assert_eq!(partition(2025, &[4, 5]).file, partition(2025, &[4, 5]).file);
    assert_ne!(partition(2025, &[4, 5]).file, partition(2025, &[5, 4]).file);
}

#[test]
fn a_table_without_rows_is_a_file_too() {
    let file = File::of_table("x", &rows(&[]), "window_start", &[]).unwrap();
    let read = file::decode("x", file.body.bytes().unwrap().clone()).unwrap();
    assert_eq!((read.rows.num_rows(), read.rows.num_columns()), (0, 3));
}

#[test]
fn what_is_no_parquet_is_an_error_with_its_path() {
    let whole = partition(2025, &[1]).file.body.bytes().unwrap().clone();
    for bytes in
        [Bytes::new(), Bytes::from_static(b"PAR1 no"), whole.slice(..whole.len() - 1), whole.slice(8..)]
    {
        let error = file::decode(&path(2025), bytes).unwrap_err();
        assert!(matches!(error, TableError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains("symbol=BTC%2FUSD/year=2025"), "{error}");
    }
}
