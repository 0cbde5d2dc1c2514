//! Large objects on a store that breaks on demand: whole or not at all.

use std::io::Write;

use tallow_log::LogError;
use tallow_store::body::SPILL_BYTES;
use tallow_store::{Body, BodyWriter, StoreError};
use tallow_test_support::faulty::{Fault, Op};

use crate::bench::{Bench, bench};

/// A body of three parts, in a scratch file.
fn body(factor: usize) -> Body {
    let bytes: Vec<u8> = (0..SPILL_BYTES + 1).map(|index| (index * factor % 251) as u8).collect();
    let mut writer = BodyWriter::new(&std::env::temp_dir());
    writer.write_all(&bytes).unwrap();
    writer.finish()
}

fn holds(bench: &Bench, path: &str, body: &Body) -> bool {
    bench.store.digest(path).unwrap() == Some((body.digest(), body.length()))
}

fn count(bench: &Bench, wanted: Op) -> usize {
    bench.faulty.requests().iter().filter(|(op, _)| *op == wanted).count()
}

/// Every request of an upload, by its kind and how many of that kind come before it.
const REQUESTS: [(Op, usize); 5] =
    [(Op::Begin, 0), (Op::Part, 0), (Op::Part, 1), (Op::Part, 2), (Op::Complete, 0)];

#[test]
fn an_upload_is_tried_again_whole_whatever_of_it_fails_in_passing_and_what_failed_is_aborted() {
    let body = body(31);
    for (op, spared) in REQUESTS {
        for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Unavailable] {
            let bench = bench(60);
            bench.faulty.script_after(spared, op, "large", fault);
            bench.store.put_file("large", &body).unwrap();
            assert!(holds(&bench, "large", &body), "{op:?} {spared} {fault:?}");
            assert_eq!((count(&bench, Op::Begin), bench.faulty.unmet()), (2, 0), "{op:?} {spared} {fault:?}");
            assert_eq!(count(&bench, Op::Abort), usize::from(op != Op::Begin), "{op:?} {spared} {fault:?}");
        }
    }
}

#[test]
fn an_upload_that_cannot_work_leaves_what_was_there() {
    let (before, after) = (body(31), body(37));
    for (op, spared) in REQUESTS {
        let bench = bench(61);
        bench.store.put_file("large", &before).unwrap();
        bench.faulty.script_after(spared, op, "large", Fault::Denied);
        let error = bench.store.put_file("large", &after).unwrap_err();
        assert!(matches!(error, StoreError::Denied { .. }), "{op:?} {spared}: {error}");
        assert!(holds(&bench, "large", &before), "{op:?} {spared}");
    }
}

#[test]
fn an_upload_that_cannot_be_aborted_is_tried_again_all_the_same() {
    let (bench, body) = (bench(62), body(31));
    bench.faulty.script(Op::Part, "large", Fault::Unavailable);
    bench.faulty.script(Op::Abort, "large", Fault::Denied);
    bench.store.put_file("large", &body).unwrap();
    assert!(holds(&bench, "large", &body) && bench.faulty.unmet() == 0);
}

#[test]
fn a_copy_is_tried_again_where_that_may_help_and_else_leaves_what_was_there() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Unavailable] {
        let bench = bench(63);
        bench.store.create("from", "new").unwrap();
        bench.store.create("to", "old").unwrap();
        bench.faulty.script(Op::Copy, "to", fault);
        bench.store.copy("from", "to").unwrap();
        assert_eq!(bench.store.get("to").unwrap(), Some("new".into()), "{fault:?}");
        assert_eq!(count(&bench, Op::Copy), 2, "{fault:?}");

        bench.store.put_overwrite("from", "newer").unwrap();
        bench.faulty.script(Op::Copy, "to", Fault::Denied);
        assert!(matches!(bench.store.copy("from", "to"), Err(StoreError::Denied { .. })));
        assert_eq!(bench.store.get("to").unwrap(), Some("new".into()));
    }
}

/// A copy of `from` to where there is nothing.
fn copy_new(bench: &Bench) -> Result<(), StoreError> {
    bench.store.copy_new("from", "to", || Ok(()))
}

#[test]
fn a_conditional_copy_that_is_said_to_lose_is_made_all_the_same_where_nothing_is_there() {
    for fault in [Fault::Conflict, Fault::AnswerLost, Fault::RequestLost, Fault::Unavailable] {
        let bench = bench(65);
        bench.store.create("from", "new").unwrap();
        bench.faulty.script(Op::CopyNew, "to", fault);
        copy_new(&bench).unwrap();
        assert_eq!(bench.store.get("to").unwrap(), Some("new".into()), "{fault:?}");
        assert_eq!(count(&bench, Op::CopyNew), 2, "{fault:?}");

        bench.store.put_overwrite("from", "newer").unwrap();
        bench.faulty.script(Op::CopyNew, "to", fault);
        copy_new(&bench).unwrap();
        assert_eq!(bench.store.get("to").unwrap(), Some("new".into()), "{fault:?}");
        assert_eq!(bench.faulty.unmet(), 0);
    }
}

#[test]
fn a_store_without_conditional_copies_copies_only_where_nothing_is_there() {
    let bench = bench(66);
    bench.store.create("from", "new").unwrap();
    bench.faulty.script(Op::CopyNew, "to", Fault::Unsupported);
    bench.faulty.script(Op::Copy, "to", Fault::AnswerLost);
    copy_new(&bench).unwrap();
    assert_eq!(bench.store.get("to").unwrap(), Some("new".into()));
    assert_eq!(count(&bench, Op::Copy), 1, "what was carried out is not done again");

    bench.store.put_overwrite("from", "newer").unwrap();
    bench.faulty.script(Op::CopyNew, "to", Fault::Unsupported);
    copy_new(&bench).unwrap();
    assert_eq!(bench.store.get("to").unwrap(), Some("new".into()));
    assert_eq!((count(&bench, Op::Copy), bench.faulty.unmet()), (1, 0));
}

#[test]
fn a_copy_is_not_tried_again_once_it_is_not_allowed() {
    let bench = bench(67);
    bench.store.create("from", "new").unwrap();
    let error =
        StoreError::Denied { url: "test".into(), doing: "copy", path: "to".into(), why: "late".into() };
    // Allowed so often, and no more.
    let times = |mut times: usize| {
        let error = error.clone();
        move || {
            let now = times.checked_sub(1).ok_or_else(|| error.clone())?;
            times = now;
            Ok(())
        }
    };
    bench.faulty.script(Op::Copy, "to", Fault::Unavailable);
    assert_eq!(bench.store.copy_while("from", "to", times(1)), Err(error.clone()));
    bench.faulty.script(Op::CopyNew, "to", Fault::Unavailable);
    assert_eq!(bench.store.copy_new("from", "to", times(1)), Err(error.clone()));
    bench.faulty.script(Op::CopyNew, "to", Fault::Unsupported);
    assert_eq!(bench.store.copy_new("from", "to", times(1)), Err(error.clone()));
    bench.faulty.script(Op::CopyNew, "to", Fault::Unsupported);
    bench.faulty.script(Op::Copy, "to", Fault::Unavailable);
    assert_eq!(bench.store.copy_new("from", "to", times(2)), Err(error.clone()));
    assert_eq!((bench.store.get("to").unwrap(), bench.faulty.unmet()), (None, 0));
}

#[test]
fn a_large_blob_has_the_name_of_its_bytes_is_checked_without_being_held_and_copied_where_it_belongs() {
    let (bench, body) = (bench(64), body(31));
    let job = bench.job();
    let blob = job.put_blob_file(&body).unwrap();
    assert_eq!((blob.name.sha256, blob.length), (body.digest(), body.length()));
    job.check_blob(&blob).unwrap();
    job.copy_blob(&blob, "table").unwrap();
    assert!(holds(&bench, "table", &body));

    let path = format!("_tallow/jobs/btc/0/blob/{}", blob.name);
    let mut bytes = bench.store.get(&path).unwrap().unwrap().to_vec();
    bytes[SPILL_BYTES] ^= 1;
    bench.store.put_overwrite(&path, bytes.clone()).unwrap();
    let refused = |says: &str| {
        let error = job.check_blob(&blob).unwrap_err();
        assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(says) && error.to_string().contains(&path), "{error}");
    };
    refused("SHA-256");
    bytes.pop();
    bench.store.put_overwrite(&path, bytes).unwrap();
    refused("bytes, and holds");
    bench.store.delete(&path).unwrap();
    refused("it is missing");
}
