//! Swapping the window function at full rate: how long the windows stand still, and that nothing is lost or doubled.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use crossbeam_channel::bounded;
use tallow_engine::{Component, Contract, Runtime};
use tallow_env::{SystemClock, SystemRandom};
use tallow_log::record::{Mode, Role};
use tallow_manifest::Overrides;
use tallow_pipeline::Services;
use tallow_pipeline::functions::Functions;
use tallow_pipeline::hooks::{Outcome, Swap};
use tallow_pipeline::progress::Progress;
use tallow_sink::{DeadLetters, Decimals, Lake, LateRows, Sink};
use tallow_store::Store;
use tallow_swap::HotSwap;
use tallow_tests::{kafka::Kafka, lake, paths};
use tallow_worker::library::{Card, Library};
use tallow_worker::plan::{Mode as RunMode, Plan};
use tempfile::TempDir;

use crate::functions;
use crate::pairs::{median, seconds};
use crate::process::{Job, trades};
use crate::report::Measure;
use crate::topic::Topic;

const SWAPS: usize = 200;
/// Small enough that a topic holds many ends of epochs.
const EPOCH_RECORDS: u64 = 50_000;
/// What a swap may cost at most, ms, at the 99th percentile.
const REACH_P99_MS: f64 = 50.0;
const PATIENCE: Duration = Duration::from_secs(60);

pub fn run(kafka: &Kafka, records: u64, measures: &mut Vec<Measure>) -> Result<()> {
    eprintln!("swap: filling a topic with {records} trades");
    let topic = Topic::fill(kafka, records)?;
    let mut pauses_ms = Vec::new();
    let mut ratios = Vec::new();
    while pauses_ms.len() < SWAPS {
        let (undisturbed, _) = pass(&topic, false)?;
        let (swapping, pauses) = pass(&topic, true)?;
        ensure!(!pauses.is_empty(), "no epoch ended: more records are needed");
        ratios.push(undisturbed / swapping);
        pauses_ms.extend(pauses.iter().map(|pause| pause.as_secs_f64() * 1e3));
        eprintln!("  {} swaps; {:.2} s without, {:.2} s with them", pauses_ms.len(), undisturbed, swapping);
    }
    pauses_ms.sort_by(f64::total_cmp);
    let percentile = |share: f64| pauses_ms[((pauses_ms.len() - 1) as f64 * share).round() as usize];
    measures.extend([
        Measure::new(format!("swap: pause over {} swaps, p50", pauses_ms.len()), percentile(0.5), "ms"),
        Measure::new("swap: pause, p99", percentile(0.99), "ms").at_most().reach(REACH_P99_MS),
        Measure::new("swap: pause, max", percentile(1.0), "ms"),
        Measure::new("swap: rate with a swap an epoch / without", median(ratios), "times"),
    ]);
    Ok(())
}

/// Takes the whole topic, with a swap as often as an epoch ends, or none. Every trade must be in a candle, once.
fn pass(topic: &Topic<'_>, swaps: bool) -> Result<(f64, Vec<Duration>)> {
    let folder = TempDir::with_prefix("tallow-bench-")?;
    let swap = Arc::new(HotSwap::default());
    let services = services(topic, &folder, swap.clone())?;
    let versions = [version(&services.library, b'1')?, version(&services.library, b'2')?];
    let over = AtomicBool::new(false);
    let deadline = services.plan.limits.deadline;
    let (took, pauses) = std::thread::scope(|scope| {
        let swapper = scope.spawn(|| match swaps {
            true => swap_until(&over, &swap, deadline, &versions),
            false => Ok(Vec::new()),
        });
        let done = seconds(|| Ok(tallow_pipeline::run(&services)?));
        over.store(true, Ordering::Relaxed);
        let pauses = swapper.join().unwrap_or_else(|_| bail!("the swapping thread died"))?;
        Ok::<_, anyhow::Error>((done?.0, pauses))
    })?;
    let held = trades(&lake::table(&folder.path().join("lake"), "speed/candles_1m"))?;
    ensure!(held == topic.records, "the candles hold {held} of {} trades", topic.records);
    Ok((took, pauses))
}

fn swap_until(
    over: &AtomicBool,
    hot_swap: &HotSwap,
    deadline: Duration,
    versions: &[Arc<Component>; 2],
) -> Result<Vec<Duration>> {
    let mut pauses = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let (reply, outcome) = bounded(1);
        let swap = Swap {
            role: Role::Window,
            component: versions[pauses.len() % 2].clone(),
            state_version: None,
            mode: Mode::Publish,
            epochs: 0,
            deadline,
            why: "a benchmark".to_owned(),
            reply,
        };
        hot_swap.requests.ask_swap(swap);
        match outcome.recv_timeout(PATIENCE) {
            Ok(Outcome::Swapped { pause, .. }) => pauses.push(pause),
            Ok(Outcome::Dropped { why }) => bail!("a swap was dropped: {why}"),
            // The run has ended before the request was taken.
            Err(_) => break,
        }
    }
    Ok(pauses)
}

/// The window function with a section that nothing reads: the same, with another digest.
fn version(library: &Library, variant: u8) -> Result<Arc<Component>> {
    let mut bytes = fs::read(functions::file("window")?)?;
    bytes.extend([0, 9, 7, b'v', b'e', b'r', b's', b'i', b'o', b'n', variant]);
    let component = library.read("window", &bytes, Contract::Window)?;
    library.keep(bytes.into(), &Card::new(&component, "a benchmark".to_owned(), 0))?;
    Ok(Arc::new(component))
}

fn services(topic: &Topic<'_>, folder: &TempDir, hooks: Arc<HotSwap>) -> Result<Services> {
    let job = Job { fetch_clients: 1, delay: "2s", windows: &["1m", "1d"] };
    let path = folder.path().join("spin.toml");
    let epoch = format!("epoch = {{ max-records = {EPOCH_RECORDS} }}\nfetch-clients");
    fs::write(&path, job.manifest(topic)?.replace("fetch-clients", &epoch))?;
    let manifest = tallow_manifest::load(&path, &Default::default(), &Overrides::default())?;
    let pipeline = &manifest.pipelines[0];
    let runtime = Arc::new(Runtime::new(Some(paths::target().join("bench/compiled")))?);
    let store = Store::open(&manifest.kafka.lake, &Default::default())?;
    let library = Library::new(runtime.clone(), store.clone());
    let component = |name: &str, contract| -> Result<_> {
        Ok(Arc::new(runtime.load_file(name, &functions::file(name)?, contract)?))
    };
    let sinks: Vec<Arc<dyn Sink>> = vec![
        Arc::new(Lake::new(store.clone(), Decimals::Double)),
        Arc::new(LateRows::new(store.clone())),
        Arc::new(DeadLetters::new(store.clone())),
    ];
    Ok(Services {
        plan: Arc::new(Plan::new(pipeline, RunMode { available_now: true, close_all: true })),
        functions: Functions {
            parse: component("parse-market", Contract::Parse)?,
            window: component("window", Contract::Window)?,
        },
        library,
        hooks,
        reads_headers: false,
        source: Arc::new(topic.source()?),
        store,
        sinks,
        clock: Arc::new(SystemClock::new()),
        random: Arc::new(SystemRandom),
        progress: Arc::new(Progress::new(Vec::new())),
        stop: Arc::new(AtomicBool::new(false)),
    })
}
