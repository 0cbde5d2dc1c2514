//! The whole pipeline: fetch clients → parse workers → the window worker → the committer, each a thread, with
//! bounded queues between them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use crossbeam_channel::bounded;
use tallow_edge::{Clock, Random};
use tallow_engine::{Component, ParseFunction, ParseOptions};
use tallow_log::LogError;
use tallow_record::TopicPartition;
use tallow_sink::Sink;
use tallow_source::{Limits, Position, Source};
use tallow_store::Store;

use crate::error::PipelineError;
use crate::finally::Finally;
use crate::live::Live;
use crate::live::functions::Functions;
use crate::live::library::Library;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::spell::{Spell, Tell};
use crate::stage::budget::ByteBudget;
use crate::stage::contact::Contact;
use crate::stage::fetch::{self, Discovery};
use crate::stage::order::{Ends, Sequencer};
use crate::stage::parse::{BisectBudget, ParseWorker};
use crate::start::{self, Started};
use crate::words::duration;

/// Batches in flight; their bytes are bounded beside it.
const QUEUE: usize = 256;
/// Pause before a pipeline that lost a service starts again from its log.
const RETRY: Duration = Duration::from_secs(5);

/// Everything that a pipeline touches, real or in memory.
pub struct Wiring {
    pub plan: Arc<Plan>,
    /// The components of the manifest's files. What runs may be others that were swapped in.
    pub functions: Functions,
    pub library: Library,
    pub live: Arc<Live>,
    /// Whether the source looks for the records' headers.
    pub reads_headers: bool,
    pub source: Arc<dyn Source>,
    pub store: Store,
    pub sinks: Vec<Arc<dyn Sink>>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub progress: Arc<Progress>,
    /// Set from outside: finish the epoch, commit it, return.
    pub stop: Arc<AtomicBool>,
}

/// Runs until drained or stopped. A service that is lost on the way is waited for; one that is not there at the
/// start is an error.
pub fn run(wiring: &Wiring) -> Result<(), PipelineError> {
    let pipeline = wiring.plan.name();
    let mut started = match start::start(wiring, None) {
        Err(stopped @ PipelineError::Stopped) => {
            tracing::info!(pipeline, "{stopped}");
            return Ok(());
        }
        started => started?,
    };
    loop {
        let on_trial = wiring.live.trial.is_on();
        let done = run_once(wiring, started);
        wiring.live.desk.clear();
        wiring.progress.abandon();
        let roll_back = match done {
            // Whatever a function on probation does wrong is answered by the function before it.
            Err(error) if error.blames_function() && (on_trial || wiring.live.trial.is_on()) => {
                tracing::error!(pipeline, %error, "back to the function before");
                Some(error.reason())
            }
            Err(error) if error.passes() && !wiring.stop.load(Ordering::Relaxed) => {
                tracing::error!(pipeline, %error, "starts again from the last commit as soon as it can");
                None
            }
            done => return done,
        };
        match start_again(wiring, roll_back.as_deref())? {
            Some(again) => started = again,
            None => return Ok(()),
        }
    }
}

fn gone(wiring: &Wiring) -> PipelineError {
    let object = format!("{}/_tallow/jobs/{}", wiring.store.url(), wiring.plan.name());
    LogError::Gone { object }.into()
}

/// Starts from the log as soon as the services are there; none once a stop was asked for. Another process that took the
/// pipeline over meanwhile keeps it.
fn start_again(wiring: &Wiring, roll_back: Option<&str>) -> Result<Option<Started>, PipelineError> {
    let pipeline = wiring.plan.name();
    let mut outage = Spell::told_at_once();
    // The error that ended the run has been told.
    outage.look(wiring.clock.ticks(), true);
    // A rollback waits for nothing.
    let mut wait = if roll_back.is_some() { Duration::ZERO } else { RETRY };
    loop {
        if !wait.is_zero() && !pause(wiring, wait) {
            return Ok(None);
        }
        wait = RETRY;
        let started = start::still_ours(wiring).and_then(|()| start::start(wiring, roll_back));
        let away = started.as_ref().is_err_and(PipelineError::passes);
        let told = outage.look(wiring.clock.ticks(), away);
        match (started, told) {
            // It had a log when it was started for the first time.
            (Ok(started), _) if started.first => return Err(gone(wiring)),
            (Ok(started), Tell::Over { after }) => {
                let after = duration(after.as_micros() as i64);
                tracing::info!(pipeline, after, "goes on from the last commit");
                return Ok(Some(started));
            }
            (Ok(started), _) => return Ok(Some(started)),
            (Err(PipelineError::Stopped), _) => return Ok(None),
            (Err(error), Tell::Lasts { so_far }) => {
                let so_far = duration(so_far.as_micros() as i64);
                tracing::error!(pipeline, %error, so_far, "still waiting");
            }
            (Err(error), _) if error.passes() => {}
            (Err(error), _) => return Err(error),
        }
    }
}

/// Waits; false: a stop was asked for.
fn pause(wiring: &Wiring, length: Duration) -> bool {
    const SLICE: Duration = Duration::from_millis(100);
    let begun = wiring.clock.ticks();
    while !wiring.stop.load(Ordering::Relaxed) {
        let left = length.saturating_sub(wiring.clock.ticks().since(begun));
        if left.is_zero() {
            return true;
        }
        wiring.clock.sleep(left.min(SLICE));
    }
    false
}

/// Runs from where the pipeline started until drained, stopped, or the first error.
pub fn run_once(wiring: &Wiring, started: Started) -> Result<(), PipelineError> {
    let plan = &wiring.plan;
    let limits = &plan.pipeline.limits;
    let (work_in, work) = bounded(QUEUE);
    let (order_in, order) = bounded(QUEUE);
    // One commit in flight; the next epoch is worked on meanwhile.
    let (commits_in, commits) = bounded(0);
    let functions = started.functions;
    let budget = ByteBudget::new(limits.queue_bytes as usize);
    let bisect = BisectBudget::new(u64::from(limits.bisect_calls));
    let sequencer = Sequencer::new(
        wiring,
        budget.clone(),
        work_in,
        order_in,
        plan.available_now.then_some(started.ends),
        functions.parse.clone(),
    );
    let workers = (0..plan.parse_workers)
        .map(|_| parse_worker(wiring, &functions.parse, bisect.clone()))
        .collect::<Result<Vec<_>, PipelineError>>()?;
    let window = started.window.into_worker(wiring, &functions, bisect)?;
    let fetchers = deal(&started.from, plan.pipeline.fetch_clients)
        .iter()
        .map(|from| wiring.source.fetcher(from))
        .collect::<Result<Vec<_>, _>>()?;
    let fetch_limits =
        Limits { records: limits.batch_records, bytes: limits.batch_bytes as usize, wait: RETRY };

    std::thread::scope(|scope| {
        let sequencer = Arc::new(sequencer);
        let mut discovery = Some(discovery(wiring, &started.from));
        let mut threads = Vec::new();
        let committer = started.committer;
        let closes = budget.clone();
        threads.push(spawn(scope, "commit", move || {
            let done = committer.run(&commits);
            if done.is_err() {
                // Nobody else would tell the fetch clients while there is nothing to commit.
                closes.close();
            }
            done
        })?);
        let closes = budget.clone();
        threads.push(spawn(scope, "window", move || {
            let _closed = Finally(|| closes.close());
            window.run(&order, &commits_in)
        })?);
        for worker in workers {
            let work = work.clone();
            threads.push(spawn(scope, "parse", move || {
                worker.run(&work);
                Ok(())
            })?);
        }
        let contact = Arc::new(Contact::new(wiring.clock.clone(), fetchers.len()));
        for (client, fetcher) in fetchers.into_iter().enumerate() {
            let (order, discovery) = (sequencer.clone(), discovery.take());
            let contact = contact.clone();
            let fetch = move || {
                // What has been read is still worth its commit.
                let _stopped = Finally(|| order.stop());
                let told = |away: Option<&str>| contact.told(client, away);
                Ok(fetch::run(fetcher, &order, fetch_limits, &wiring.stop, discovery, &told)?)
            };
            // Those that have started would go on, and be waited for.
            threads.push(spawn(scope, "fetch", fetch).inspect_err(|_| sequencer.stop())?);
        }
        // The parse workers end when nobody can send them work any more.
        drop((sequencer, work));
        first_error(threads)
    })
}

type Thread<'scope> = ScopedJoinHandle<'scope, Result<(), PipelineError>>;

fn spawn<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    name: &str,
    f: impl FnOnce() -> Result<(), PipelineError> + Send + 'scope,
) -> Result<Thread<'scope>, PipelineError> {
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, f)?)
}

/// Waits for all; the error nearest to the commit is the one that says why the others stopped.
fn first_error(threads: Vec<Thread<'_>>) -> Result<(), PipelineError> {
    let done: Vec<_> =
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(PipelineError::Broken))).collect();
    done.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}

pub(crate) fn parse_worker(
    wiring: &Wiring,
    component: &Arc<Component>,
    budget: Arc<BisectBudget>,
) -> Result<ParseWorker, PipelineError> {
    let plan = &wiring.plan;
    Ok(ParseWorker {
        function: parse_function(component, plan.limits, &plan.parse_options)?,
        component: component.clone(),
        limits: plan.limits,
        options: plan.parse_options.clone(),
        time: plan.time.clone(),
        max_future_us: plan.pipeline.max_future_us,
        keeps_batches: plan.pipeline.archive,
        live: wiring.live.clone(),
        clock: wiring.clock.clone(),
        budget,
    })
}

pub(crate) fn parse_function(
    component: &Component,
    limits: tallow_engine::Limits,
    options: &ParseOptions,
) -> Result<ParseFunction, PipelineError> {
    ParseFunction::new(component, limits, options.clone()).map_err(|error| PipelineError::Function {
        function: component.name().to_owned(),
        call: "start",
        why: error.to_string(),
    })
}

/// Partitions dealt to clients in turn; no client without one, but one client always.
fn deal(from: &[Position], clients: usize) -> Vec<Vec<Position>> {
    let clients = clients.min(from.len()).max(1);
    let mut hands = vec![Vec::new(); clients];
    for (index, position) in from.iter().enumerate() {
        hands[index % clients].push(position.clone());
    }
    hands
}

fn discovery(wiring: &Wiring, from: &[Position]) -> Discovery {
    let known: BTreeSet<TopicPartition> = from.iter().map(|position| position.partition.clone()).collect();
    let every = wiring.plan.pipeline.new_partitions_every;
    Discovery::new(wiring.source.clone(), wiring.clock.clone(), every, known)
}

/// Where each partition ended when the pipeline started.
pub(crate) fn ends(partitions: &[tallow_source::PartitionInfo], from: &[Position]) -> Ends {
    let position = |partition: &TopicPartition| {
        from.iter().find(|position| position.partition == *partition).map_or(0, |position| position.next)
    };
    let mut ends = Ends::default();
    for info in partitions {
        if info.latest > position(&info.partition).max(info.earliest) {
            ends.open.insert(info.partition.clone(), info.latest);
        } else {
            ends.reached.push(info.partition.clone());
        }
    }
    ends
}
