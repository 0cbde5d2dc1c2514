//! The whole pipeline: fetch clients → parse workers → the window worker → the committer, each a thread, with
//! bounded queues between them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use crossbeam_channel::bounded;
use tallow_lake::job::JOBS;
use tallow_log::LogError;
use tallow_record::TopicPartition;
use tallow_source::{Fetcher, Limits, Position};

use crate::contact::Contact;
use crate::error::PipelineError;
use crate::fetch::{self, Discovery};
use crate::reminder::{Notice, Reminder};
use crate::sequencer::{Queues, Sequencer, epoch_limits};
use crate::services::Services;
use crate::start::{self, Started};
use crate::window_worker::WindowWorker;
use crate::words::duration;
use tallow_env::Finally;
use tallow_worker::plan::parse_settings;
use tallow_worker::{ByteBudget, ParseWorker};

/// Batches in flight; their bytes are bounded beside it.
const QUEUE: usize = 256;
/// Pause before a pipeline that lost a service starts again from its log.
const RETRY: Duration = Duration::from_secs(5);

/// Runs until drained or stopped. A service that is lost on the way is waited for; one that is not there at the
/// start is an error.
pub fn run(services: &Services) -> Result<(), PipelineError> {
    let pipeline = services.plan.name();
    let mut started = match start::start(services, None) {
        Err(stopped @ PipelineError::Stopped) => {
            tracing::info!(pipeline, "{stopped}");
            return Ok(());
        }
        started => started?,
    };
    loop {
        let on_trial = services.hooks.on_probation().is_some();
        let done = run_once(services, started);
        services.hooks.run_ended();
        services.progress.abandon();
        let roll_back = match done {
            // Whatever a function on probation does wrong is answered by the function before it.
            Err(error)
                if error.blames_function() && (on_trial || services.hooks.on_probation().is_some()) =>
            {
                tracing::error!(pipeline, %error, "back to the function before");
                Some(error.reason())
            }
            Err(error) if error.is_transient() && !services.stop.load(Ordering::Relaxed) => {
                tracing::error!(pipeline, %error, "starts again from the last commit as soon as it can");
                None
            }
            done => return done,
        };
        match start_again(services, roll_back.as_deref())? {
            Some(again) => started = again,
            None => return Ok(()),
        }
    }
}

fn gone(services: &Services) -> PipelineError {
    let object = services.store.at(&format!("{JOBS}/{}", services.plan.name()));
    LogError::Gone { object }.into()
}

/// Starts from the log as soon as the services are there; none once a stop was asked for. Another process that took the
/// pipeline over meanwhile keeps it.
fn start_again(services: &Services, roll_back: Option<&str>) -> Result<Option<Started>, PipelineError> {
    let pipeline = services.plan.name();
    let mut outage = Reminder::at_once();
    // The error that ended the run has been told.
    outage.look(services.clock.ticks(), true);
    // A rollback waits for nothing.
    let mut wait = if roll_back.is_some() { Duration::ZERO } else { RETRY };
    loop {
        if !wait.is_zero() && !services.clock.sleep_unless(&services.stop, wait) {
            return Ok(None);
        }
        wait = RETRY;
        let started = start::still_ours(services).and_then(|()| start::start(services, roll_back));
        let away = started.as_ref().is_err_and(PipelineError::is_transient);
        let told = outage.look(services.clock.ticks(), away);
        match (started, told) {
            // It had a log when it was started for the first time.
            (Ok(started), _) if started.first => return Err(gone(services)),
            (Ok(started), Notice::Over { after }) => {
                let after = duration(after.as_micros() as i64);
                tracing::info!(pipeline, after, "continues from the last commit");
                return Ok(Some(started));
            }
            (Ok(started), _) => return Ok(Some(started)),
            (Err(PipelineError::Stopped), _) => return Ok(None),
            (Err(error), Notice::Lasts { so_far }) => {
                let so_far = duration(so_far.as_micros() as i64);
                tracing::error!(pipeline, %error, so_far, "still waiting");
            }
            (Err(error), _) if error.is_transient() => {}
            (Err(error), _) => return Err(error),
        }
    }
}

/// Runs from where the pipeline started until drained, stopped, or the first error.
pub fn run_once(services: &Services, started: Started) -> Result<(), PipelineError> {
    let plan = &services.plan;
    let (work_in, work) = bounded(QUEUE);
    let (order_in, order) = bounded(QUEUE);
    // One commit in flight; the next epoch is worked on meanwhile.
    let (commits_in, commits) = bounded(0);
    let budget = ByteBudget::new(plan.pipeline.limits.queue_bytes as usize);
    let workers = parse_workers(services, &started)?;
    let fetchers = fetchers(services, &started.from)?;
    let discovery = discovery(services, &started.from);
    let Started { committer, window, ends, .. } = started;
    let sequencer = Arc::new(Sequencer::new(
        Queues { budget: budget.clone(), work: work_in, order: order_in },
        epoch_limits(plan),
        plan.available_now.then_some(ends),
        services.hooks.clone(),
        services.clock.clone(),
    ));
    let window = WindowWorker::new(
        plan.clone(),
        services.progress.clone(),
        services.hooks.clone(),
        services.clock.clone(),
        window,
    );
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        let closes = budget.clone();
        threads.push(spawn(scope, "commit", move || {
            // Without a commit nothing else stops the fetch clients.
            committer.run(&commits).inspect_err(|_| closes.close())
        })?);
        threads.push(spawn(scope, "window", move || {
            let _closed = Finally(|| budget.close());
            window.run(&order, &commits_in)
        })?);
        for worker in workers {
            let work = work.clone();
            threads.push(spawn(scope, "parse", move || {
                worker.run(&work);
                Ok(())
            })?);
        }
        threads.extend(fetch(scope, services, fetchers, &sequencer, discovery)?);
        // The parse workers end once all senders are gone.
        drop((sequencer, work));
        first_error(threads)
    })
}

fn parse_workers(services: &Services, started: &Started) -> Result<Vec<ParseWorker>, PipelineError> {
    let plan = &services.plan;
    let worker = |_| {
        let bisect = started.window.isolation.budget().clone();
        let (hooks, clock) = (services.hooks.clone(), services.clock.clone());
        Ok(ParseWorker::new(&started.functions.parse, parse_settings(plan), bisect, hooks, clock)?)
    };
    (0..plan.parse_workers).map(worker).collect()
}

fn fetchers(services: &Services, from: &[Position]) -> Result<Vec<Box<dyn Fetcher>>, PipelineError> {
    let hands = deal(from, services.plan.pipeline.fetch_clients);
    Ok(hands.iter().map(|from| services.source.fetcher(from)).collect::<Result<_, _>>()?)
}

/// A thread for each client. The first one also looks for new partitions.
fn fetch<'scope>(
    scope: &'scope Scope<'scope, '_>,
    services: &'scope Services,
    fetchers: Vec<Box<dyn Fetcher>>,
    sequencer: &Arc<Sequencer>,
    discovery: Discovery,
) -> Result<Vec<Thread<'scope>>, PipelineError> {
    let limits = &services.plan.pipeline.limits;
    let limits = Limits { records: limits.batch_records, bytes: limits.batch_bytes as usize, wait: RETRY };
    let contact = Arc::new(Contact::new(services.clock.clone(), fetchers.len()));
    let mut discovery = Some(discovery);
    let client = |(client, fetcher)| {
        let (order, contact, discovery) = (sequencer.clone(), contact.clone(), discovery.take());
        let fetch = move || {
            // What has been read is still worth its commit.
            let _stopped = Finally(|| order.stop());
            let told = |away: Option<&str>| contact.told(client, away);
            Ok(fetch::run(fetcher, &order, limits, &services.stop, discovery, &told)?)
        };
        // Those that have started would continue, and be waited for.
        spawn(scope, "fetch", fetch).inspect_err(|_| sequencer.stop())
    };
    fetchers.into_iter().enumerate().map(client).collect()
}

type Thread<'scope> = ScopedJoinHandle<'scope, Result<(), PipelineError>>;

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
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

/// Partitions dealt to clients in turn; no client without one, but one client always.
fn deal(from: &[Position], clients: usize) -> Vec<Vec<Position>> {
    let clients = clients.min(from.len()).max(1);
    let mut hands = vec![Vec::new(); clients];
    for (index, position) in from.iter().enumerate() {
        hands[index % clients].push(position.clone());
    }
    hands
}

fn discovery(services: &Services, from: &[Position]) -> Discovery {
    let known: BTreeSet<TopicPartition> = from.iter().map(|position| position.partition.clone()).collect();
    let every = services.plan.pipeline.new_partitions_every;
    Discovery::new(services.source.clone(), services.clock.clone(), every, known)
}
