//! The window function: candles from rows, as tumbling, sliding or session windows.
//!
//! A pure function of rows and watermarks: no clock, no randomness, no files, no network. The modules, in
//! the order of the data's way:
//!
//! [`spec`] (what a window definition says) and [`table`] (rows as they come) → `columns`, `block` and
//! `feed` (what specs read of them) → `keys`, `ids` over [`ring`] and `idset` with `lower`, `chunk`
//! and `bits`, `order` (which row is which) →
//! `pane` and `session` (where it belongs) → `aggregate`, `decimal` and `kept` (what is kept of it) →
//! `held` (all that is kept) → `update`, `close` and `fill` (which make a `candle`), `bound`, `output` (what comes and goes), `giving` over
//! `queue` (piece by piece) → `state`, `snapshots`, `restore` with [`widen`], `idbytes`, `bounds` and `bytes` (what is saved) →
//! `windows` (the whole).
//!
//! What is promised: windows, reports and snapshots depend on the rows, on the watermarks and on which rows
//! came between two watermarks. They do not depend on the order of the rows nor on how they were cut into
//! calls; but of rows with one id that differ the first one that came wins.

mod aggregate;
mod bits;
mod block;
mod bound;
mod bounds;
mod bytes;
mod candle;
mod chunk;
mod close;
mod columns;
mod feed;
mod fill;
mod giving;
mod held;
mod idbytes;
mod ids;
mod idset;
mod kept;
mod keys;
mod lower;
mod order;
mod output;
mod pane;
mod queue;
mod restore;
pub mod ring;
mod session;
mod snapshots;
pub mod spec;
mod state;
pub mod table;
mod update;
pub mod widen;
mod windows;

#[cfg(target_arch = "wasm32")]
mod adapter;

pub use tallow_contract::decimal;
pub use tallow_contract::window::{Output, Report, Stats};
pub use windows::Windows;
