//! The bytes of a job's log.

use std::path::PathBuf;

use tallow_lake::Folder;
use tallow_log::Record;
use tallow_table::Unfinished;

use crate::bench::{Bench, JOB, bench, partition, run};

/// A fence, a run, work that is not done, a run that removes a partition, and the fence of the next owner.
fn written() -> Bench {
    let bench = bench();
    let mut job = bench.open().unwrap();
    run(&mut job, &[(2024, &[1]), (2025, &[2])]).unwrap();
    let stored = job.store_partition(partition(2026, &[3])).unwrap();
    let account = job.put_blob(b"half done".as_slice()).unwrap();
    let mut holding = job.run();
    holding.hold(Unfinished { account, blobs: stored.blob.into_iter().collect() });
    holding.commit().unwrap();
    let mut removing = job.run();
    removing.remove(&crate::bench::path(2024));
    removing.commit().unwrap();
    drop(job);
    bench.open().unwrap();
    bench
}

/// Written once. Never to be changed: every later program reads them, and writes the same.
fn frozen(seq: u64) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/formats/{seq}.record"))
}

#[test]
fn a_job_writes_the_records_that_it_has_always_written() {
    let bench = written();
    let folder = Folder::new(JOB, 0).unwrap();
    let records: Vec<u64> = (1..).take_while(|seq| frozen(*seq).exists()).collect();
    assert_eq!(bench.store.list(&folder.log()).unwrap().len(), records.len());
    for seq in records {
        let bytes = bench.store.get(&folder.record(seq)).unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text(&bytes), text(&std::fs::read(frozen(seq)).unwrap()), "record {seq}");
        assert_eq!(<Record>::decode(&bytes).unwrap().encode().unwrap(), bytes, "record {seq}");
    }
}
