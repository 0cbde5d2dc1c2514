//! Files and objects as lines. In the order of the data's way:
//!
//! - [`expand`]: patterns to [`File`]s, local ones and objects of a store;
//! - `object`: bytes at an offset, and whether they are still those that were found; `reader` on top;
//! - `checksum`: what the exchange's `.CHECKSUM` says;
//! - `decode`: plain, gzip, zstd, `zip`; `text`: UTF-16 and other line ends; `parquet_rows`, `ipc_rows`: Parquet and
//!   Arrow's own files as lines, by `arrow_rows`;
//! - [`read`]: whole lines, a few thousand at a time.
//!
//! A line is never looked into: where it ends is all that is known of it here.

mod arrow_rows;
mod checksum;
mod decode;
mod error;
mod expand;
mod ipc_rows;
mod lines;
mod object;
mod parquet_rows;
mod reader;
mod splitter;
mod text;
mod zip;

pub use checksum::Checksums;
pub use error::FileError;
pub use expand::{File, expand};
pub use lines::read;
pub use splitter::{Lines, MAX_LINE_BYTES};
