//! The stream: records of topics become candles in the lake. In data-flow order:
//!
//! [`plan`] (a pipeline of the manifest in the contracts' types) → [`start`] (where the log left off) → [`fetch`] →
//! [`sequencer`] (one order, cut into epochs; [`ends`]: where it ends) → parse workers (`tallow-worker`) → [`window_worker`] → [`epoch`] →
//! [`commit`]. [`run`] puts them together on one screen. [`hooks`] is the seam at which functions change while it runs;
//! [`services`] is what it touches; [`functions`] and [`library`] say which functions run and keep them. [`progress`] is what others see of it.

pub mod commit;
pub mod contact;
pub mod ends;
pub mod epoch;
pub mod error;
pub mod fetch;
pub mod functions;
pub mod hooks;
pub mod library;
pub mod plan;
pub mod progress;
pub mod republish_diff;
pub mod run;
pub mod sequencer;
pub mod services;
mod spell;
pub mod start;
pub mod state_handover;
#[cfg(test)]
mod testing;
mod unknown;
pub mod window_worker;
pub mod withheld;
pub mod words;

pub use error::PipelineError;
pub use run::{run, run_once};
pub use services::Services;
