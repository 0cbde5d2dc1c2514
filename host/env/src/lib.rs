//! What is not a pure function of the input: the clock and randomness. Nothing else reads either
//! (`clippy.toml` bans it), so that a run can be repeated, and simulated from a seed.

mod backoff;
mod clock;
pub mod exit;
mod finally;
mod random;

pub use backoff::Backoff;
pub use clock::{Clock, ManualClock, SystemClock, Ticks};
pub use finally::Finally;
pub use random::{Random, SeededRandom, SystemRandom};
