//! Tallow's host: moves bytes, keeps time and remembers. All of the market's logic is in the functions.
//!
//! In the order of the data's way: [`plan`] (a pipeline of the manifest in the functions' words), [`start`]
//! (where the log left off), [`stage`] (fetch, parse, window), [`commit`], and [`pipeline`], which puts them
//! together on one screen. [`remote`] calls functions behind gateways. [`batch`] takes files through the same functions,
//! [`backfill`] fetches what the lake lacks, [`merging`] keeps served tables up to date beside the pipelines, [`verify`]
//! computes commits again. [`cli`] has a file a command; it speaks by [`say`].

#[macro_use]
mod say;

pub mod backfill;
pub mod batch;
mod books;
pub mod cli;
pub mod commit;
pub mod control;
mod dead;
pub mod error;
mod finally;
pub mod fit;
pub mod held;
pub mod live;
pub mod merging;
pub mod pipeline;
pub mod plan;
pub mod progress;
pub mod remote;
mod spell;
pub mod stage;
pub mod start;
pub mod verify;
mod words;
