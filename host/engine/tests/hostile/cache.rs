//! Compiled code on disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tallow_engine::{Contract, ParseFunction, Runtime};

use crate::support::{GOOD, LIMITS, batch, hostile_bytes, options};

/// Loads the function with the cache and shows that it works.
fn load(cache: &Path) {
    let runtime = Runtime::new(Some(cache.to_owned())).unwrap();
    let component = runtime.load("it", &hostile_bytes("hostile-parse"), Contract::Parse).unwrap();
    let mut function = ParseFunction::new(&component, LIMITS, options()).unwrap();
    assert_eq!(function.parse(&mut batch(&[GOOD])).unwrap().rows.table.rows, 1);
}

fn only_file(cache: &Path) -> PathBuf {
    let files: Vec<_> = cache.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn make_old(file: &Path) -> SystemTime {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(file).unwrap().set_modified(old).unwrap();
    old
}

fn modified(file: &Path) -> SystemTime {
    fs::metadata(file).unwrap().modified().unwrap()
}

#[test]
fn the_same_bytes_are_compiled_once() {
    let cache = tempfile::tempdir().unwrap();
    load(cache.path());
    let file = only_file(cache.path());
    let old = make_old(&file);
    load(cache.path());
    assert_eq!(modified(&only_file(cache.path())), old, "compiled again");
}

#[test]
fn code_that_is_damaged_cut_or_empty_is_compiled_again() {
    let cache = tempfile::tempdir().unwrap();
    load(cache.path());
    let file = only_file(cache.path());
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() / 2], &whole[..10], &[]] {
        fs::write(&file, damaged).unwrap();
        load(cache.path());
        assert_eq!(fs::read(only_file(cache.path())).unwrap().len(), whole.len());
        let old = make_old(&file);
        load(cache.path());
        assert_eq!(modified(&file), old, "the new file is whole");
    }
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    load(&cache);
    assert_eq!(cache.read_dir().unwrap().count(), 0);
}

#[test]
fn a_cache_that_cannot_be_made_costs_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file, not a folder");
    fs::write(&file, "").unwrap();
    load(&file.join("cache"));
}
