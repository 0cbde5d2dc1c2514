//! The stream: records of topics become candles in the lake. In data-flow order:
//!
//! [`start`] (where the log left off) → [`fetch`] → [`sequencer`] (one order, cut into epochs; [`ends`]: how far it
//! reads) → parse workers (`tallow-worker`) → [`window_worker`] → [`epoch`] → [`commit`]. [`run`] puts them together on
//! one screen. [`hooks`] is the seam at which functions change while it runs, [`functions`] says which ones run,
//! [`services`] is what it touches, [`progress`] is what others see of it.

pub mod commit;
pub mod contact;
pub mod ends;
pub mod epoch;
pub mod error;
pub mod fetch;
pub mod functions;
pub mod hooks;
pub mod progress;
pub mod republish_diff;
pub mod run;
pub mod sequencer;
pub mod services;
mod reminder;
pub mod start;
pub mod state_handover;
#[cfg(test)]
mod testing;
mod unknown;
pub mod window_worker;
pub mod watermark_hold;
pub mod words;

pub use error::PipelineError;
pub use run::{run, run_once};
pub use services::Services;
