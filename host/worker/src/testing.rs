//! What the tests of this crate share: the guests of the project's tests, as they were built, and batches for them.

use std::path::Path;
use std::sync::Arc;

use tallow_engine::{
    Aggregate, Component, Contract, IdColumns, Operation, ParseOptions, Runtime, Shape, Spec, WantedColumn,
};
use tallow_record::Batch;

/// A guest that does wrong where a record asks it to: `tests/guests`.
pub fn guest(name: &str, contract: Contract) -> Arc<Component> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/functions/test");
    let loaded = Runtime::new(None).unwrap().load_file(name, &folder.join(format!("{name}.wasm")), contract);
    Arc::new(loaded.unwrap_or_else(|error| panic!("{error}; run `make functions`")))
}

/// Counts of trades by minute. An id of 666 traps.
pub fn spec() -> Spec {
    let ids = IdColumns {
        first: "id".into(),
        last: "id".into(),
        max_bytes: 1 << 20,
        halt: false,
        silence_us: u64::MAX,
    };
    let count = Aggregate { name: "trades".into(), operation: Operation::Count, column: None, by: None };
    Spec {
        name: "1m".into(),
        kinds: vec!["trade".into()],
        keys: vec!["symbol".into()],
        time: "event_time".into(),
        ids: Some(ids),
        shape: Shape::Tumbling(60_000_000),
        offset_us: 0,
        aggregates: vec![count],
    }
}

pub fn options() -> ParseOptions {
    let columns = ["symbol", "event_time", "id"];
    let wanted = columns.map(|name| WantedColumn { name: name.into(), scale: 0 });
    ParseOptions { kinds: vec!["trade".into()], columns: wanted.into(), settings: Vec::new() }
}

/// Records of one partition, from offset 0 on.
pub fn batch(values: &[&str]) -> Batch {
    let mut batch = Batch::default();
    let topic = batch.topic_index(&"trades".into());
    for (offset, value) in (0..).zip(values) {
        batch.push(topic, 0, offset, 0, 0, None, Some(value.as_bytes()));
    }
    batch
}
