//! A job on a store that breaks on demand, with a clock that stands still.

use std::ops::Deref;

use tallow_engine::{Column, ColumnData, Table, Text};
use tallow_lake::{Partition, Partitioned};
use tallow_store::Store;
use tallow_table::{Done, File, Input, NewPartition, TableError, TableJob, file};
use tallow_test_support::faulty::FaultyStore;

pub struct Bench(FaultyStore);

pub const JOB: &str = "merge.daily";

pub fn bench() -> Bench {
    Bench(FaultyStore::new("lake", 1_700_000_000_000_000, 1))
}

impl Deref for Bench {
    type Target = FaultyStore;

    fn deref(&self) -> &FaultyStore {
        &self.0
    }
}

impl Bench {
    pub fn open(&self) -> Result<TableJob, TableError> {
        TableJob::open(&self.store, JOB, 3, "test", self.clock.clone(), self.random.clone())
    }

    /// The numbers in each partition, by the partition's year.
    pub fn read(&self) -> Vec<(i32, Vec<i64>)> {
        let listed = tallow_table::list(&self.store, &table()).unwrap();
        listed
            .iter()
            .map(|(partition, listed)| (partition.year, numbers(&read(&self.store, &listed.path))))
            .collect()
    }
}

pub fn table() -> Partitioned {
    Partitioned::serving("daily", "symbol")
}

pub fn path(year: i32) -> String {
    table().path(&Partition::of("BTC/USD", year))
}

/// Rows of a number each.
pub fn rows(numbers: &[i64]) -> Table {
    let symbol = Text { bytes: b"BTC/USD".into(), ends: vec![7], codes: vec![0; numbers.len()] };
    let column = |name: &str, data| Column { name: name.to_owned(), data, validity: None };
    let columns = vec![
        column("symbol", ColumnData::Text(symbol)),
        column("window_start", ColumnData::TimestampUs((0..numbers.len() as i64).collect())),
        column("number", ColumnData::Int64(numbers.to_vec())),
    ];
    Table { rows: numbers.len() as u32, columns }
}

pub fn read(store: &Store, path: &str) -> Table {
    file::read(store, path).unwrap().unwrap().table(path).unwrap()
}

pub fn numbers(table: &Table) -> Vec<i64> {
    match &table.columns[2].data {
        ColumnData::Int64(numbers) => numbers.clone(),
        other => panic!("{other:?}"),
    }
}

pub fn partition(year: i32, numbers: &[i64]) -> NewPartition {
    let path = path(year);
    let file = File::of_table(&path, &rows(numbers), "window_start", &[]).unwrap();
    NewPartition {
        path,
        file,
        inputs: vec![Input { name: "made of".to_owned(), tag: format!("{numbers:?}") }],
    }
}

/// A run that writes these partitions.
pub fn run(job: &mut TableJob, partitions: &[(i32, &[i64])]) -> Result<Done, TableError> {
    let mut run = job.run();
    for (year, numbers) in partitions {
        run.put(partition(*year, numbers))?;
    }
    run.commit()
}
