//! Whatever the records, the templates and the full parser give the same output, and every record is in exactly
//! one place. The input is cut into records at line ends; its first byte picks scale and kinds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parse_market::{Batch, COLUMNS, Options, Path, WantedColumn, parse_by};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let scale = if choice & 1 == 0 { 8 } else { choice >> 3 };
    let kinds: &[&str] = if choice & 2 == 0 { &[] } else { &["trade"] };
    let options = Options {
        kinds: kinds.iter().map(|kind| kind.to_string()).collect(),
        columns: COLUMNS.iter().map(|info| WantedColumn { name: info.name.to_owned(), scale }).collect(),
        settings: if choice & 4 == 0 { Vec::new() } else { vec![("symbol".to_owned(), "S".to_owned())] },
    };
    let mut batch = Batch::default();
    data.split(|byte| *byte == b'\n').for_each(|record| batch.values.push(Some(record)));
    let fast = parse_by(Path::Templates, &batch, &options).unwrap();
    assert_eq!(fast, parse_by(Path::FullOnly, &batch, &options).unwrap());

    let mut places: Vec<u32> = fast.records.clone();
    places.dedup();
    places.extend(fast.ignored.records.iter().chain(&fast.rejected.records));
    places.sort_unstable();
    assert!(places.into_iter().eq(0..batch.len() as u32));
});
