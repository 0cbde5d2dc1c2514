//! SIGTERM and Ctrl-C: the first asks the pipelines to finish their epoch and leave, the second leaves at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};

use super::Failure;
use crate::error::exit;

/// Exit code after a second signal, as shells number it.
const INTERRUPTED: i32 = 130;

/// A flag that the first signal sets.
pub fn on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Order matters: the exit is armed by the flag that the line after it sets.
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, stop.clone())
            .and_then(|_| signal_hook::flag::register(signal, stop.clone()))
            .map_err(|error| Failure::new(exit::FAILED, format!("cannot listen to signals: {error}")))?;
    }
    Ok(stop)
}
