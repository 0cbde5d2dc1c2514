//! Runs the functions: WebAssembly components that can compute and nothing else.
//!
//! [`Runtime`] compiles components (cached by digest) and keeps the deadline ticks; a [`Component`] has been
//! checked to import nothing; [`ParseFunction`], [`WindowFunction`], [`BackfillFunction`] and [`MergeFunction`] are
//! instances with a memory cap, a deadline and an output cap, or a gateway that a [`Caller`] reaches. Whatever a function
//! does wrong comes back as a [`CallError`]. [`golden`] holds a built component to golden vectors.

mod backfill;
mod bindings;
mod cache;
mod check;
mod component;
mod contract;
mod convert;
mod error;
pub mod golden;
mod instance;
mod merge;
mod parse;
pub mod private_folder;
mod remote;
mod runtime;
mod ticks;
mod validate;
mod wasi;
mod window;

pub use backfill::{BackfillFunction, Pace, Verdict, records};
pub use bindings::backfill_contract::{
    Answer as BackfillAnswer, Data as BackfillData, Description as BackfillDescription,
    Method as BackfillMethod, Options as BackfillOptions, Request as BackfillRequest, Span,
};
pub use bindings::merge_contract::{
    Average, Description as MergeDescription, Gap, Input as MergeInput, Lack, Merged, Range,
    Settings as MergeSettings, Source as MergeSource,
};
pub use bindings::parse_contract::{ColumnInfo, ColumnType, Description as ParseDescription};
pub use bindings::types::{ByteColumn, Column, ColumnData, Decimals, Table, Text};
pub use bindings::window_contract::{
    Aggregate, Description as WindowDescription, IdColumns, Operation, Output, Part, Report, Rows, Shape,
    Sliding, Spec, Stats,
};
pub use component::{Code, Component, sha256};
pub use contract::Contract;
pub use convert::{from_arrow, to_arrow};
pub use error::{CallError, LoadError};
pub use instance::Limits;
pub use merge::MergeFunction;
pub use parse::{IDS_ONLY, Marked, ParseFunction, ParseOptions, Parsed, WantedColumn};
pub use remote::{Caller, Callers, Descriptor};
pub use runtime::{Runtime, precompile};
pub use validate::bit;
pub use window::{Snapshot, WindowFunction};
