//! Waiting for what another process or thread does.

use std::time::Duration;

use tallow_env::{Clock, SystemClock};

/// Nothing takes that long unless it hangs.
const LONG: Duration = Duration::from_secs(120);

/// Waits until something holds; panics if it never does.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    let start = clock.ticks();
    while !holds() {
        assert!(clock.ticks().since(start) < LONG, "waited in vain until {what}");
        clock.sleep(Duration::from_millis(20));
    }
}
