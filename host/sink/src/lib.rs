//! Where the output of a committed epoch goes, in the order in which it happens:
//!
//! - [`EpochOutput`]: closed windows, late rows and dead letters of one epoch, with their provenance;
//! - [`Sink::prepare`]: a pure function from that to finished objects ([`Item`]), stored as the epoch's outbox
//!   before its commit;
//! - [`Sink::publish`]: puts one item under its final name after the commit, any number of times, by any
//!   number of publishers, with one result.
//!
//! Three sinks write Parquet files: [`Lake`] (candles), [`LateRows`] and [`DeadLetters`]. [`archive`] keeps records as
//! they came. [`LakeFile`] reads all of these files. `tallow-sink-kafka` writes to topics.

pub mod archive;
mod body_reader;
mod dead_letters;
mod digest;
mod error;
mod lake;
mod lake_file;
mod late_rows;
mod output;
pub mod parquet_file;
mod pieces;
pub mod raw_records;
mod sink;
mod sorted;

pub use body_reader::BodyReader;
pub use dead_letters::{DeadLetters, KeptLetter, dead_letter_rows, read_dead_letters};
pub use digest::rows_digest;
pub use error::SinkError;
pub use lake::{Decimals, Lake, decimals_to_doubles};
pub use lake_file::{LakeFile, ReadError, column, optional_column};
pub use late_rows::LateRows;
pub use output::{
    DeadLetter, EpochOutput, LateRow, OffsetRange, Origin, Provenance, ReasonKind, Rekeyed, WholeResult,
    record_key,
};
pub use parquet_file::{SCHEMA_VERSION, claims};
pub use pieces::{PIECE_ROWS, PiecesDigest};
pub use sink::{Item, Sink, publish};
pub use tallow_contract::decimal::nearest_double;
