//! One process owns a pipeline. The log enforces that: a process that starts fences the owner before it. This is the
//! courtesy before that: a second `tallow up` on the same lake waits while the first one gives signs of life.

mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tallow_env::{Clock, Random, Ticks};
use tallow_log::LogError;
use tallow_log::owner::{self, EVERY, Newcomer, STALE, Sign, Verdict};
use tallow_store::{Patience, Store};

use super::report::time;
use super::{Failure, spawn};

use tallow_pipeline::PipelineError;
use tallow_pipeline::Services;

/// Between two looks at an owner, and at whether a stop was asked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const HEAR_EVERY: Duration = Duration::from_millis(100);
/// Between two lines that say who is waited for.
const SAY_EVERY: Duration = Duration::from_secs(60);
const SHARD: u32 = 0;
/// A sign that does not get through is given again: nothing waits for it.
const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(3), whole: Duration::from_secs(3), long: 1 };

#[derive(clap::Args)]
pub struct Args {
    /// Take a pipeline over at once, even if its owner seems to be alive; the owner ends with exit code 78
    #[arg(long)]
    take_over: bool,
    /// A name that no two processes have at the same time, such as that of a StatefulSet's pod: the next process of that
    /// name takes over at once. In Kubernetes the default is the pod's name
    #[arg(long, value_name = "NAME", env = "TALLOW_INSTANCE")]
    instance: Option<String>,
}

/// What signs are made of.
#[derive(Clone)]
struct Giver {
    store: Store,
    clock: Arc<dyn Clock>,
    /// By pipeline.
    signs: Vec<(String, Sign)>,
}

/// Gives signs of life until it is dropped, and takes them back then.
pub struct Ownership {
    giver: Giver,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Waits until no other process owns any of the pipelines, and owns them; `None` if a stop was asked for meanwhile.
pub fn claim(
    args: &Args,
    streams: &[Arc<Services>],
    stop: &AtomicBool,
) -> Result<Option<Ownership>, Failure> {
    let Some(first) = streams.first() else { return Err(Failure::usage("no pipeline")) };
    let (clock, random) = (&first.clock, &first.random);
    let ours = Ours { host: process::host(), process: process::own(), instance: args.instance() };
    if !args.take_over {
        for stream in streams {
            if !await_owner(stream, &ours, stop)? {
                return Ok(None);
            }
        }
    }
    let store = first.store.clone().with_patience(PATIENCE);
    let now_us = clock.now_us();
    let signs = streams.iter().map(|it| (it.plan.name().to_owned(), ours.sign(&**random, now_us)));
    let giver = Giver { store, clock: clock.clone(), signs: signs.collect() };
    giver.give();
    let ended = Arc::new(AtomicBool::new(false));
    let thread = {
        let (giver, ended) = (giver.clone(), ended.clone());
        spawn("sign", move || giver.give_until(&ended))?
    };
    Ok(Some(Ownership { giver, ended, thread: Some(thread) }))
}

impl Args {
    /// What was given, or the pod's name.
    fn instance(&self) -> Option<String> {
        let pod = || {
            std::env::var_os("KUBERNETES_SERVICE_HOST")?;
            std::env::var("HOSTNAME").ok()
        };
        self.instance.clone().or_else(pod).filter(|name| !name.is_empty())
    }
}

/// This process.
struct Ours {
    host: String,
    process: Option<owner::Process>,
    instance: Option<String>,
}

impl Ours {
    fn newcomer(&self, now_us: i64) -> Newcomer<'_> {
        let (process, instance) = (self.process.as_ref(), self.instance.as_deref());
        Newcomer { host: &self.host, process, instance, now_us }
    }

    fn sign(&self, random: &dyn Random, now_us: i64) -> Sign {
        Sign {
            id: format!("{:016x}", random.next_u64()),
            host: self.host.clone(),
            pid: std::process::id(),
            process: self.process.clone(),
            instance: self.instance.clone(),
            since_us: now_us,
            at_us: now_us,
        }
    }
}

/// Whether the pipeline is free; false where a stop was asked for.
fn await_owner(stream: &Services, ours: &Ours, stop: &AtomicBool) -> Result<bool, Failure> {
    let (pipeline, clock) = (stream.plan.name(), &*stream.clock);
    let mut last: Option<(Sign, Ticks)> = None;
    let mut said: Option<Ticks> = None;
    loop {
        let Some(sign) = owner::read(&stream.store, pipeline, SHARD).map_err(PipelineError::from)? else {
            return Ok(true);
        };
        let newcomer = ours.newcomer(clock.now_us());
        let runs = sign.process.as_ref().is_some_and(|its| process::runs(sign.pid, its.started));
        let now = clock.ticks();
        let since = match last {
            Some((seen, since)) if seen == sign => since,
            _ => now,
        };
        // By our own clock alone, in case the two machines' clocks differ.
        let is_silent = now.since(since) > STALE;
        if is_silent || sign.judge(&newcomer, runs) != Verdict::Alive {
            return Ok(true);
        }
        if said.is_none_or(|said| now.since(said) >= SAY_EVERY) {
            tracing::warn!(pipeline, "{}", waits_for(pipeline, &sign));
            said = Some(now);
        }
        last = Some((sign, since));
        for _ in 0..LOOK_EVERY.as_millis() / HEAR_EVERY.as_millis() {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            clock.sleep(HEAR_EVERY);
        }
    }
}

fn waits_for(pipeline: &str, sign: &Sign) -> String {
    let Sign { host, pid, since_us, at_us, .. } = sign;
    format!(
        "pipeline `{pipeline}` is owned by process {pid} on {host} since {}; its last sign of life came at {}. Waiting \
         until it leaves, or has given no sign for {} s. `--take-over` takes over at once; the other process then ends \
         with exit code 78",
        time(*since_us),
        time(*at_us),
        STALE.as_secs()
    )
}

impl Giver {
    fn give(&self) {
        for (pipeline, sign) in &self.signs {
            self.write(pipeline, sign);
        }
    }

    fn write(&self, pipeline: &str, sign: &Sign) {
        let sign = Sign { at_us: self.clock.now_us(), ..sign.clone() };
        if let Err(error) = owner::write(&self.store, pipeline, SHARD, &sign) {
            tracing::debug!(pipeline, %error, "a sign of life did not get through");
        }
    }

    /// Gives the signs again, but not over that of another process that is alive: it has taken over, and were ours there
    /// when this process ends, one that waits would believe the pipeline to be free. `others`: what was seen the last
    /// time, by pipeline.
    fn give_again(&self, others: &mut [Option<Sign>]) {
        for ((pipeline, sign), seen) in self.signs.iter().zip(others) {
            let there = owner::read(&self.store, pipeline, SHARD).unwrap_or_default();
            let other = there.filter(|there| there.id != sign.id);
            // One that has not changed since is not given any more.
            if other.is_none() || other == *seen {
                self.write(pipeline, sign);
            }
            *seen = other;
        }
    }

    fn give_until(&self, ended: &AtomicBool) {
        let mut given = self.clock.ticks();
        let mut others = vec![None; self.signs.len()];
        while !ended.load(Ordering::Relaxed) {
            self.clock.sleep(HEAR_EVERY);
            let now = self.clock.ticks();
            if now.since(given) >= EVERY {
                given = now;
                self.give_again(&mut others);
            }
        }
    }

    /// The next owner need not wait.
    fn take_back(&self) {
        for (pipeline, sign) in &self.signs {
            let removed: Result<(), LogError> = owner::remove(&self.store, pipeline, SHARD, &sign.id);
            if let Err(error) = removed {
                tracing::debug!(pipeline, %error, "the sign of life stays until it is stale");
            }
        }
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has no result.
            let _ = thread.join();
        }
        self.giver.take_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(id: &str, at_us: i64) -> Sign {
        let host = "here".to_owned();
        Sign { id: id.to_owned(), host, pid: 1, process: None, instance: None, since_us: 0, at_us }
    }

    #[test]
    fn a_sign_is_not_given_over_that_of_a_living_process() {
        let clock = Arc::new(tallow_env::SystemClock::new());
        let store = Store::memory().unwrap();
        let there = || owner::read(&store, "candles", SHARD).unwrap().map(|sign| sign.id);
        let signs = vec![("candles".to_owned(), sign("ours", 0))];
        let giver = Giver { store: store.clone(), clock, signs };
        giver.give();
        assert_eq!(there().as_deref(), Some("ours"));

        let mut others = vec![None];
        for at_us in 1..4 {
            owner::write(&store, "candles", SHARD, &sign("its", at_us)).unwrap();
            giver.give_again(&mut others);
            assert_eq!(there().as_deref(), Some("its"));
        }
        // It gives none any more.
        giver.give_again(&mut others);
        assert_eq!(there().as_deref(), Some("ours"));

        owner::remove(&store, "candles", SHARD, "ours").unwrap();
        giver.give_again(&mut others);
        assert_eq!(there().as_deref(), Some("ours"));
    }
}
