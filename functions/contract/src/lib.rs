//! The vocabulary of the contracts in `wit/`, written once, so that functions, gateways and the host mean the same.
//!
//! - Columns: [`Table`] of [`Column`]s over [`ColumnData`], [`Text`] and [`Decimals`]; [`Batch`] of raw records. Their
//!   types are those of `tallow:types`, so bindings take them as they are: `with: { "tallow:types/types@0.1.0":
//!   tallow_contract::types }`.
//! - Contracts: [`parse`], [`window`], [`merge`], [`backfill`], [`feed`] and [`forecast`], one module per contract. Bindings generate
//!   their own records for these; [`convert_window!`] and its siblings implement the conversions.
//! - [`candles`]: what holds in every candle. [`fill`]: windows without rows. [`latest`]: rows that replace others. `schema`: what the messages of a topic hold.
//! - [`Refusal`]: why what was given is refused.
//! - Numbers: [`decimal`] has exact sums and quotients, [`number`] reads decimals as text.
//! - Forms: [`json`] is the form for people, [`messages`] the one for programs.
//!
//! The crate compiles for functions (`wasm32-unknown-unknown`) and for hosts. A function that needs
//! neither form turns on no feature and has no dependency.

mod batch;
mod column;
mod convert;
mod decimals;
mod double;
mod operation;
mod refusal;
mod table;
mod text;
mod validity;
mod value_type;

pub mod backfill;
pub mod candles;
pub mod decimal;
pub mod exchange;
pub mod feed;
pub mod fill;
pub mod forecast;
#[cfg(feature = "json")]
pub mod json;
pub mod latest;
pub mod merge;
#[cfg(feature = "messages")]
pub mod messages;
pub mod number;
pub mod parse;
#[cfg(feature = "json")]
pub mod schema;
pub mod window;

pub use batch::{Batch, ByteColumn, Headers, Run};
pub use column::{Column, ColumnData, ColumnType};
pub use decimals::{Decimals, joined};
pub use operation::Operation;
pub use refusal::Refusal;
pub use table::{Table, list};
pub use text::{Dictionary, Text};
pub use validity::{is_valid, validity};
pub use value_type::ValueType;

/// The interface `tallow:types/types`, for bindings.
pub mod types {
    pub use crate::{Batch, ByteColumn, Column, ColumnData, Decimals, Headers, Run, Table, Text};
}
