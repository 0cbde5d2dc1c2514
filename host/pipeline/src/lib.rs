//! The stream: records of topics become candles in the lake. In data-flow order:
//!
//! [`start`] (where the log left off) → `fetch` → `sequencer` (one order, cut into epochs; `ends`: how far it
//! reads) → parse workers (`tallow-worker`) → [`window_worker`] → [`epoch`] → [`commit`] → [`publish`] (`backlog`: what waits for a service that is away). [`run`] puts them together on
//! one screen. [`hooks`] is the seam at which functions change while it runs, [`functions`] says which ones run,
//! `services` is what it touches, [`progress`] is what others see of it, [`whole`] is what topics of whole results get.

mod backlog;
pub mod commit;
mod contact;
mod ends;
pub mod epoch;
mod error;
mod fetch;
pub mod functions;
pub mod hooks;
pub mod progress;
pub mod publish;
mod reminder;
pub mod republish_diff;
mod run;
mod sequencer;
mod services;
pub mod start;
pub mod state_handover;
#[cfg(test)]
mod testing;
mod unknown;
pub mod watermark_hold;
pub mod whole;
pub mod window_worker;
pub mod words;

pub use error::PipelineError;
pub use run::{run, run_once};
pub use services::Services;
