//! SIGTERM and Ctrl-C: the first asks the pipelines to finish their epoch and leave, the second leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

use crossbeam_channel::bounded;
use tallow_env::{Clock, SystemClock};

use super::{Failure, spawn};
use tallow_env::exit;

/// Exit code after a second signal, as shells number it.
const INTERRUPTED: i32 = 130;

/// How long finishing the last epoch may take: supervisors kill after ten seconds.
const PATIENCE: Duration = Duration::from_secs(9);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A flag that the first signal sets.
pub fn on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Order matters: the exit is armed by the flag that the line after it sets.
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, stop.clone())
            .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
            .map_err(not_heard)?;
    }
    Ok(stop)
}

/// A flag that signals set, however many: one Ctrl-C reaches a trigger of Spin three times, from the terminal and from each
/// of the two Spins above it.
pub fn on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, stop.clone()).map_err(not_heard)?;
    }
    Ok(stop)
}

/// Makes a write past the limit on the size of files (`ulimit -f`) an error that the writer can report; left alone, the
/// signal for it ends the process without a word.
pub fn survive_full_files() {
    // If this fails, nothing has changed.
    let _ = signal_hook::flag::register(libc::SIGXFSZ, Arc::default());
}

fn not_heard(error: std::io::Error) -> Failure {
    Failure::failed(format!("cannot listen to signals: {error}"))
}

/// Leaves without the last commit if that takes too long, as with a store that does not answer. Nothing is lost:
/// the next start takes the epoch's records again. It runs in its own thread, so that it holds whatever the others do.
pub struct Deadline {
    met: Arc<AtomicBool>,
}

impl Deadline {
    /// Runs from when `stop` is set until this is dropped.
    pub fn after(stop: Arc<AtomicBool>, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let met = Arc::new(AtomicBool::new(false));
        let watch = {
            let met = met.clone();
            move || {
                let mut since = None;
                while !met.load(Ordering::Relaxed) {
                    if stop.load(Ordering::Relaxed) {
                        let now = clock.ticks();
                        if now.since(*since.get_or_insert(now)) >= PATIENCE {
                            leave();
                        }
                    }
                    clock.sleep(LOOK_EVERY);
                }
            }
        };
        spawn("deadline", watch)?;
        Ok(Self { met })
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.met.store(true, Ordering::Relaxed);
    }
}

/// Drops what may wait for a service that does not answer, as a Kafka client does for its broker. Everything is committed
/// by then, so the wait has a limit.
pub fn drop_within<T: Send + 'static>(limit: Duration, what: T) {
    let (done, dropped) = bounded(1);
    let drop_it = move || {
        drop(what);
        let _ = done.send(());
    };
    if spawn("close", drop_it).is_ok() {
        let _ = dropped.recv_timeout(limit);
    }
}

fn leave() {
    // If nobody reads standard error any more, writing there waits for ever.
    let told = spawn("leave", || {
        eprintln!(
            "tallow: the last epoch was not finished in time; if it is not committed, its records are read again at \
             the next start"
        );
    });
    if told.is_ok() {
        SystemClock::new().sleep(LOOK_EVERY);
    }
    std::process::exit(i32::from(exit::UNAVAILABLE));
}
