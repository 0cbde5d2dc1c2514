//! Market, pipelines and view, until the time is over.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tallow_env::{Clock, Finally};
use tallow_pipeline::{PipelineError, Services};
use tallow_produce::{EMBEDDED_CAP, Gate, Generator, Market, Pace, ProduceError, SinkConfig, produce};
use tallow_record::TopicPartition;
use tallow_swap::control::serve::ControlHandler;

use super::Args;
use super::show::Show;
use crate::cli::{Failure, stop, up};
use crate::say;

/// The market has been open for that long when the demo starts, so that there are closed candles at once.
const HISTORY: Duration = Duration::from_secs(20 * 60);

/// What is played.
pub struct Stage<'a> {
    pub streams: &'a [Arc<Services>],
    pub handlers: &'a [Arc<ControlHandler>],
    pub topics: &'a [String],
    pub brokers: &'a str,
}

/// Runs market, pipelines and view until the time is over, a signal comes, or one of them fails.
pub fn play(
    args: &Args,
    stage: &Stage<'_>,
    clock: &Arc<dyn Clock>,
    stop: &Arc<AtomicBool>,
    show: &Show,
) -> Result<Vec<(String, PipelineError)>, Failure> {
    let Stage { streams, handlers, topics, brokers } = stage;
    let start = clock.ticks();
    let over = || {
        let time = clock.ticks().since(start) >= Duration::from_secs(args.seconds);
        time || stop.load(Ordering::Relaxed) || say::is_unheard()
    };
    let deadline = stop::Deadline::after(stop.clone(), clock.clone())?;
    let (failures, produced) = std::thread::scope(|scope| {
        // The scope waits for the market and the pipelines, also where this thread fails.
        let _stopped = Finally(|| stop.store(true, Ordering::Relaxed));
        let markets: Vec<_> = topics
            .iter()
            .map(|topic| scope.spawn(|| open_market(args, streams, topic, brokers, &**clock, stop)))
            .collect();
        let pipelines: Vec<_> = streams
            .iter()
            .zip(*handlers)
            .map(|(stream, handler)| {
                scope.spawn(|| {
                    let done = up::run_one(stream, handler);
                    stream.stop.store(true, Ordering::Relaxed);
                    done
                })
            })
            .collect();
        while !over() && !markets.iter().any(|market| market.is_finished()) {
            show.refresh(streams);
        }
        stop.store(true, Ordering::Relaxed);
        let names = streams.iter().map(|stream| stream.plan.name().to_owned());
        let done = pipelines.into_iter().map(|thread| thread.join().unwrap_or(Err(PipelineError::Broken)));
        let failures =
            names.zip(done).filter_map(|(name, done)| done.err().map(|error| (name, error))).collect();
        let produced: Vec<_> = markets.into_iter().filter_map(|market| market.join().ok()).collect();
        (failures, produced)
    });
    drop(deadline);
    show.refresh(streams);
    for done in produced {
        done.map_err(Failure::failed)?;
    }
    Ok(failures)
}

/// What happened before the demo as fast as it goes, then the market in its own time.
fn open_market(
    args: &Args,
    streams: &[Arc<Services>],
    topic: &str,
    brokers: &str,
    clock: &dyn Clock,
    stop: &AtomicBool,
) -> Result<(), ProduceError> {
    let now_us = clock.now_us();
    let market = Market::demo(args.seed, now_us - HISTORY.as_micros() as i64, args.rate);
    let mut messages = Generator::new(market);
    let sink =
        SinkConfig { brokers: brokers.to_owned(), client: Default::default(), topic: topic.to_owned() };
    let mut watch =
        |_| if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    // The embedded broker forgets what is too much: no reader of the topic may be left behind.
    let committed = |partition: i32| {
        let at = TopicPartition::new(topic, partition);
        streams.iter().map(|stream| stream.progress.committed(&at)).min().unwrap_or(0)
    };
    let history = std::iter::from_fn(|| messages.next_before(now_us)).map(Ok);
    let gate = || Some(Gate { cap: EMBEDDED_CAP, committed: &committed });
    let done = produce(history, &sink, Pace::Max, gate(), clock, &mut watch)?;
    let done = match done.stopped {
        true => done,
        false => {
            produce(messages.by_ref().map(Ok), &sink, Pace::ByTime { speed: 1.0 }, gate(), clock, &mut watch)?
        }
    };
    // What is on its way arrives, or its ids would be missing: it is little, and read when the windows are closed.
    let now_us = clock.now_us();
    messages.close(now_us);
    let unsent = done.unsent.into_iter().filter(|message| message.event_us.is_some_and(|it| it <= now_us));
    let rest: Vec<_> = unsent.chain(messages).map(Ok).collect();
    produce(rest, &sink, Pace::Max, None, clock, &mut |_| ControlFlow::Continue(()))?;
    Ok(())
}
