//! Files that are too large for memory: written, published, backed up and restored as small ones are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use object_store::memory::InMemory;
use tallow_engine::to_arrow;
use tallow_env::{Clock, ManualClock, Random, SeededRandom, Ticks};
use tallow_sink::PiecesDigest;
use tallow_sink::parquet_file::{Encoder, Layout, SCHEMA_VERSION};
use tallow_store::body::SPILL_BYTES;
use tallow_store::{Digest, Store};
use tallow_table::{FileWriter, NewPartition, TableError, TableJob};
use tallow_test_support::faulty::{Fault, Faulty, Op};

use crate::bench::{Bench, JOB, bench, partition, path, rows};

/// Numbers that nothing can be saved on: as many rows as make more than [`SPILL_BYTES`].
const ROWS: u64 = 1_900_000;
const PIECE_ROWS: usize = 150_000;

fn noise(seed: u64) -> Vec<i64> {
    let random = SeededRandom::new(seed);
    (0..ROWS).map(|_| random.next_u64() as i64).collect()
}

/// A partition of such rows, made once.
fn large(year: i32, seed: u64) -> NewPartition {
    type Made = BTreeMap<u64, NewPartition>;
    static MADE: OnceLock<Mutex<Made>> = OnceLock::new();
    let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let of_seed = made.entry(seed).or_insert_with(|| {
        let new = partition(year, &noise(seed));
        assert!(new.file.body.bytes().is_none() && new.file.body.length() > SPILL_BYTES as u64);
        new
    });
    NewPartition { path: path(year), ..of_seed.clone() }
}

fn old() -> Vec<NewPartition> {
    vec![large(2023, 1), large(2024, 2), large(2025, 3), partition(2026, &[1])]
}

/// Large over large, small over large, and large over small; 2023 is removed.
fn new() -> Vec<NewPartition> {
    vec![large(2024, 4), partition(2025, &[2]), large(2026, 5)]
}

/// What readers see, by path.
fn seen(store: &Store) -> BTreeMap<String, Digest> {
    let listed = store.list("serving").unwrap();
    listed.into_iter().map(|(path, _)| (path.clone(), store.digest(&path).unwrap().unwrap().0)).collect()
}

fn digests(partitions: Vec<NewPartition>) -> BTreeMap<String, Digest> {
    partitions.into_iter().map(|it| (it.path, it.file.body.digest())).collect()
}

fn put(job: &mut TableJob, partitions: Vec<NewPartition>, removed: &[i32]) -> Result<(), TableError> {
    let mut run = job.run();
    for partition in partitions {
        run.put(partition)?;
    }
    removed.iter().for_each(|year| run.remove(&path(*year)));
    run.commit().map(drop)
}

fn with(partitions: Vec<NewPartition>) -> Bench {
    let bench = bench();
    put(&mut bench.open().unwrap(), partitions, &[]).unwrap();
    bench
}

/// Large over large.
fn change(bench: &Bench) -> Result<(), TableError> {
    put(&mut bench.open()?, vec![large(2024, 4)], &[])
}

fn before_change() -> Bench {
    with(vec![large(2024, 2)])
}

/// The requests that a change makes.
fn requests() -> Vec<(Op, String)> {
    let bench = before_change();
    let before = bench.faulty.requests().len();
    change(&bench).unwrap();
    bench.faulty.requests().split_off(before)
}

/// Which of them are an upload's, or copies.
fn places(requests: &[(Op, String)]) -> Vec<usize> {
    let is_large = |op: Op| matches!(op, Op::Begin | Op::Part | Op::Complete | Op::Copy | Op::CopyNew);
    (0..requests.len()).filter(|at| is_large(requests[*at].0)).collect()
}

/// A store on which the change's request number `at` meets `fault`.
fn broken(at: usize, requests: &[(Op, String)], fault: Fault) -> Bench {
    let bench = before_change();
    let op = requests[at].0;
    let spared = requests[..at].iter().filter(|(other, _)| *other == op).count();
    bench.faulty.script_after(spared, op, "", fault);
    bench
}

#[test]
fn a_file_has_the_bytes_that_it_would_have_in_memory() {
    let all = to_arrow(&rows(&noise(7))).unwrap();
    let folder = std::env::temp_dir();
    let mut writer = FileWriter::new("x", all.schema(), "window_start", &folder).unwrap();
    let layout = Layout { sorted_by: &[1], opaque: &[] };
    let mut in_memory = Encoder::new(Vec::new(), all.schema(), layout).unwrap();
    let mut digest = PiecesDigest::new(all.schema());
    let (mut from, mut writer_rows) = (0, 0);
    // As they come, and in the pieces in which they are encoded.
    for part in [PIECE_ROWS, all.num_rows() - PIECE_ROWS] {
        writer.write(&all.slice(writer_rows, part)).unwrap();
        writer_rows += part;
    }
    while from < all.num_rows() {
        let piece = all.slice(from, tallow_sink::PIECE_ROWS.min(all.num_rows() - from));
        in_memory.write(&piece).unwrap();
        digest.add(&piece).unwrap();
        from += piece.num_rows();
    }
    let file = writer.finish(&[("tallow.job", "test".to_owned())]).unwrap();
    let footer = vec![
        ("tallow.job", "test".to_owned()),
        ("tallow.rows_digest", digest.finish().unwrap().0.to_string()),
        ("tallow.schema", SCHEMA_VERSION.to_owned()),
    ];
    let bytes = in_memory.finish(footer).unwrap();
    assert!(file.body.bytes().is_none());
    assert_eq!(file.body.read(0..file.body.length()).unwrap(), bytes);
    assert_eq!(file.body.digest(), Digest::of(&bytes));
}

#[test]
fn a_folder_without_room_for_the_scratch_file_is_named_and_is_no_mistake_of_the_rows() {
    let all = to_arrow(&rows(&noise(7))).unwrap();
    let folder = tempfile::tempdir().unwrap().path().join("none");
    let mut writer = FileWriter::new("x", all.schema(), "window_start", &folder).unwrap();
    let error = match writer.write(&all) {
        Ok(()) => writer.finish(&[]).unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, TableError::Scratch { .. }), "{error}");
    assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn large_files_replace_small_ones_and_the_other_way_round_and_every_run_can_be_restored() {
    let bench = with(old());
    put(&mut bench.open().unwrap(), new(), &[2023]).unwrap();
    assert_eq!(seen(&bench.store), digests(new()));
    let mut job = bench.open().unwrap();
    job.restore(1, |_, _| {}).unwrap();
    assert_eq!(seen(&bench.store), digests(old()));
    let known = &job.state().partitions[&path(2024)];
    let file = large(2024, 2).file;
    assert_eq!((known.rows, known.rows_digest, known.size), (ROWS, file.rows_digest, file.body.length()));
    job.restore(2, |_, _| {}).unwrap();
    assert_eq!(seen(&bench.store), digests(new()));
}

#[test]
fn a_large_file_that_is_there_is_not_written_again() {
    let bench = before_change();
    let written = || {
        let is_write = |op: &Op| matches!(op, Op::Copy | Op::CopyNew | Op::Begin | Op::Overwrite);
        bench.faulty.requests().iter().filter(|(op, _)| is_write(op)).count()
    };
    let before = written();
    put(&mut bench.open().unwrap(), vec![large(2024, 2)], &[]).unwrap();
    assert_eq!(written(), before);
    // A copy is carried out, and nothing reports it: the next owner finds out.
    bench.faulty.script(Op::Copy, "serving/daily/", Fault::AnswerLost);
    bench.faulty.script(Op::Copy, "serving/daily/", Fault::Denied);
    assert!(change(&bench).is_err());
    assert_eq!(bench.faulty.unmet(), 0);
    let before = written();
    drop(bench.open().unwrap());
    assert_eq!((written(), seen(&bench.store)), (before, digests(vec![large(2024, 4)])));
}

#[test]
fn a_run_that_dies_anywhere_has_happened_or_not_and_what_it_replaced_is_kept() {
    let requests = requests();
    let [before, after] = [2, 4].map(|seed| digests(vec![large(2024, seed)]));
    let (mut happened, mut not) = (0, 0);
    // At each of those of the upload and the copies, and at what comes before and after.
    let near = |at: &usize| [at.wrapping_sub(1), *at, at + 1].iter().any(|at| places(&requests).contains(at));
    for at in (0..requests.len()).filter(near) {
        let bench = broken(at, &requests, Fault::Denied);
        let _ = change(&bench);
        let half_way = seen(&bench.store);
        assert!(half_way == after || half_way == before, "request {at} {:?}: {half_way:?}", requests[at]);
        let mut job = bench.open().unwrap();
        let now = seen(&bench.store);
        if now == after {
            happened += 1;
            job.restore(1, |_, _| {}).unwrap();
        } else {
            not += 1;
        }
        assert_eq!(seen(&bench.store), before, "request {at} {:?}", requests[at]);
    }
    assert!(happened > 3 && not > 3, "{happened} {not}");
}

#[test]
fn faults_of_uploads_and_copies_that_pass_are_ridden_out() {
    let requests = requests();
    let places = places(&requests);
    // Begin, three parts, complete; the backup and the table.
    assert_eq!(places.len(), 7);
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Unavailable] {
        for at in &places {
            let bench = broken(*at, &requests, fault);
            change(&bench).unwrap_or_else(|error| panic!("request {at} {:?}: {error}", requests[*at]));
            assert_eq!(seen(&bench.store), digests(vec![large(2024, 4)]), "request {at}");
        }
    }
}

#[test]
fn a_large_blob_that_is_damaged_is_not_published() {
    let bench = before_change();
    bench.faulty.script(Op::Copy, "serving", Fault::Denied);
    assert!(change(&bench).is_err());
    let digest = large(2024, 4).file.body.digest().to_string();
    let blobs = bench.store.list("_tallow/jobs").unwrap();
    let (blob, _) = blobs.into_iter().find(|(path, _)| path.ends_with(&digest)).unwrap();
    let mut bytes = bench.store.get(&blob).unwrap().unwrap().to_vec();
    bytes[SPILL_BYTES] ^= 1;
    bench.store.put_overwrite(&blob, bytes).unwrap();
    let Err(error) = bench.open() else { panic!("a damaged blob was published") };
    assert!(error.to_string().contains(&blob) && error.exit_code() == 65, "{error}");
    assert_eq!(seen(&bench.store), digests(vec![large(2024, 2)]));
}

/// A clock on which something happens while somebody sleeps.
struct Eventful {
    clock: ManualClock,
    event: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Clock for Eventful {
    fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    fn ticks(&self) -> Ticks {
        self.clock.ticks()
    }

    fn sleep(&self, duration: Duration) {
        if let Some(event) = self.event.lock().unwrap().take() {
            // The sleeper is inside a request: another one needs another thread.
            std::thread::spawn(event).join().unwrap();
        }
        self.clock.sleep(duration);
    }
}

/// Scripts faults for the first owner's run 2, and lets the next owner complete that and continue to another whenever the
/// first one sleeps; then whatever the first one did, the next one's files and backups stay.
fn fenced(script: impl FnOnce(&Faulty)) {
    let clock = Arc::new(Eventful { clock: ManualClock::at(0), event: Mutex::default() });
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
    let faulty = Arc::new(Faulty::new(Arc::new(InMemory::new()), clock.clone()));
    let store = Store::from_object_store(faulty.clone(), "lake", clock.clone(), random.clone()).unwrap();
    let open = {
        let (store, clock) = (store.clone(), clock.clone());
        move || TableJob::open(&store, JOB, 3, "test", clock.clone(), random.clone()).unwrap()
    };
    let mut first = open();
    put(&mut first, vec![large(2024, 2)], &[]).unwrap();
    script(&faulty);
    let reopen = open.clone();
    *clock.event.lock().unwrap() =
        Some(Box::new(move || put(&mut reopen(), vec![large(2024, 5)], &[]).unwrap()));
    let error = put(&mut first, vec![large(2024, 4)], &[]).unwrap_err();
    assert_eq!(error.exit_code(), 78, "{error}");
    assert_eq!(faulty.unmet(), 0);
    assert_eq!(seen(&store), digests(vec![large(2024, 5)]));
    let mut third = open();
    third.restore(1, |_, _| {}).unwrap();
    assert_eq!(seen(&store), digests(vec![large(2024, 2)]));
}

const BACKUP: &str = "_tallow/backup";
const TABLE: &str = "lake/serving";

#[test]
fn an_owner_that_is_fenced_while_it_keeps_a_backup_overwrites_neither_that_nor_the_table() {
    fenced(|faulty| faulty.script(Op::CopyNew, BACKUP, Fault::Slow(Duration::from_secs(1))));
}

#[test]
fn an_owner_that_is_fenced_before_it_tries_a_backup_again_does_not_try_where_copies_have_no_condition() {
    fenced(|faulty| {
        faulty.script(Op::CopyNew, BACKUP, Fault::Unsupported);
        faulty.script(Op::Copy, BACKUP, Fault::Unavailable);
    });
}

#[test]
fn an_owner_that_is_fenced_before_it_tries_the_table_again_does_not_try() {
    fenced(|faulty| faulty.script(Op::Copy, TABLE, Fault::Unavailable));
}
