//! The ticks that calls look at to see whether their deadline has passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// How often deadlines are looked at. A call is stopped within its deadline and one tick.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// A thread that ticks until this is dropped. Every instance holds on to it: without ticks an endless loop
/// would be one.
pub(crate) struct Ticks {
    stop: Arc<AtomicBool>,
    /// How many there were.
    count: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Ticks {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicU64::new(0));
        let thread = std::thread::Builder::new().name("deadline-ticks".into()).spawn({
            let (engine, stop, count) = (engine.clone(), stop.clone(), count.clone());
            move || {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        })?;
        Ok(Self { stop, count, thread: Some(thread) })
    }

    /// How many ticks there were.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for Ticks {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread only sleeps and counts: it cannot have panicked.
            let _ = thread.join();
        }
    }
}
