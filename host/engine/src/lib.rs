//! Runs the functions: WebAssembly components that can compute and nothing else.
//!
//! [`Runtime`] compiles components (cached by digest) and keeps the deadline ticks; a [`Component`] has been
//! checked to import nothing; [`ParseFunction`], [`WindowFunction`], [`BackfillFunction`], [`MergeFunction`],
//! [`FeedFunction`] and [`ForecastFunction`] are instances with a memory cap, a deadline and an output cap, or a gateway that a [`Caller`] reaches. Whatever a function
//! does wrong comes back as a [`CallError`]. [`golden`] holds a built component to golden vectors.

mod backfill;
mod bindings;
mod cache;
mod check;
mod component;
mod contract;
mod convert;
mod error;
mod feed_function;
mod forecast_function;
pub mod golden;
mod instance;
mod local;
mod merge;
mod parse;
pub mod private_folder;
mod remote;
mod renewed;
mod runtime;
mod sandbox;
mod ticks;
mod validate;
mod wasi;
mod wasi_state;
mod window;

pub use backfill::BackfillFunction;
pub use bindings::merge_contract::{
    Average, Gap, Input as MergeInput, Lack, Merged, Range, Settings as MergeSettings, Source as MergeSource,
};
pub use bindings::window_contract::{Output, Part, Report, Rows, Stats};
pub use component::{Code, Component};
pub use contract::Contract;
pub use convert::{from_arrow, to_arrow};
pub use error::{CallError, LoadError};
pub use feed_function::FeedFunction;
pub use forecast_function::ForecastFunction;
pub use merge::MergeFunction;
pub use parse::{IDS_ONLY, Marked, ParseFunction, Parsed};
pub use remote::{Caller, Callers, Descriptor, DescriptorError};
pub use runtime::{Runtime, precompile};
pub use sandbox::Limits;
pub use tallow_contract::backfill::{
    Answer as BackfillAnswer, Data as BackfillData, Description as BackfillDescription,
    Method as BackfillMethod, Options as BackfillOptions, Pace, Request as BackfillRequest, Span, Verdict,
};
pub use tallow_contract::feed;
pub use tallow_contract::fill::{Fill, FillWith};
pub use tallow_contract::forecast;
pub use tallow_contract::latest;
pub use tallow_contract::merge::Description as MergeDescription;
pub use tallow_contract::parse::{
    ColumnInfo, Description as ParseDescription, Options as ParseOptions, WantedColumn,
};
pub use tallow_contract::window::{
    Aggregate, Description as WindowDescription, IdColumns, Shape, Sliding, Spec,
};
pub use tallow_contract::{
    ByteColumn, Column, ColumnData, ColumnType, Decimals, Operation, Table, Text, is_valid,
};
pub use window::{Snapshot, WindowFunction};
