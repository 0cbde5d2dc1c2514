//! The functions as the checkout's `spin.toml` uses them, and batches for them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use tallow_engine::{Component, Contract, Runtime};
use tallow_manifest::Overrides;
use tallow_record::Batch;
use tallow_tests::paths;
use tallow_worker::plan::{Mode, Plan};

use crate::trades::{Look, Trades};

/// Records a call: what a pipeline gives its functions by default.
pub const BATCH_RECORDS: u64 = 4_096;

/// The pipeline of the checkout's `spin.toml`.
pub fn plan() -> Result<Plan> {
    let path = paths::root().join("spin.toml");
    let manifest = tallow_manifest::load(&path, &BTreeMap::new(), &Overrides::default())
        .map_err(|errors| anyhow::anyhow!("{errors}"))?;
    let pipeline = manifest.pipelines.first().context("spin.toml has no pipeline")?;
    Ok(Plan::new(pipeline, Mode::default()))
}

/// A built component's file.
pub fn file(name: &str) -> Result<PathBuf> {
    let path = paths::target().join("functions").join(name).with_extension("wasm");
    ensure!(path.exists(), "{} is not there: run `make functions` first", path.display());
    Ok(path)
}

/// A built component, compiled.
pub fn component(runtime: &Runtime, name: &str, contract: Contract) -> Result<Component> {
    Ok(runtime.load_file(name, &file(name)?, contract)?)
}

/// Trades in batches as a fetch gives them.
pub fn batches(look: Look, count: u64, span_ms: u64) -> Vec<Batch> {
    let mut trades = Trades::new(look, count * BATCH_RECORDS, span_ms);
    let mut text = String::new();
    let mut offset = 0;
    let mut batches = Vec::new();
    for _ in 0..count {
        let mut batch = Batch::default();
        let topic = batch.topic_index(&"trades".into());
        while batch.len() < BATCH_RECORDS as usize
            && let Some(symbol) = trades.next_into(&mut text)
        {
            batch.push(topic, 0, offset, -1, 0, Some(symbol.as_bytes()), Some(text.as_bytes()));
            offset += 1;
        }
        batches.push(batch);
    }
    batches
}
