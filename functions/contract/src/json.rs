//! The one form for people: rows as objects, specs and settings as in golden vectors and in a gateway's
//! requests.
//!
//! | type | read from | written as |
//! |---|---|---|
//! | int64 | number | number |
//! | timestamp-us | microseconds since 1970-01-01 UTC, or text like `2024-01-31T12:00:00Z` or `2024-01-31` | as [`Times`] says |
//! | decimal | string or number of at most the column's places: `"0.1"` | string with all of the column's places: `"0.10"` |
//! | float64 | number | number |
//! | boolean | `true`, `false` | the same |
//! | text | string | string |
//! | any, no value | `null`, or no key | `null` |
//!
//! A span of time is `{"from": …, "to": …}` or `[…, …]`.
//!
//! ```
//! use tallow_contract::json::{ColumnInfo, Row, Times, from_rows, to_rows};
//! let columns: Vec<ColumnInfo> = serde_json::from_str(
//!     r#"[{"name": "symbol", "type": "text"}, {"name": "price", "type": "decimal", "scale": 2}]"#,
//! )?;
//! let rows: Vec<Row> = serde_json::from_str(r#"[{"symbol": "BTC", "price": "43000.1"}, {"symbol": "ETH"}]"#)?;
//! let table = from_rows(&columns, &rows, &[])?;
//! let written = serde_json::to_string(&to_rows(&table, Times::Text)?)?;
//! assert_eq!(written, r#"[{"price":"43000.10","symbol":"BTC"},{"price":null,"symbol":"ETH"}]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backfill;
mod columns;
pub mod forecast;
pub mod merge;
mod pairs;
mod places;
mod rows;
mod span;
mod specs;
mod time;

pub use columns::ColumnInfo;
pub use pairs::pairs;
pub use places::{PLACE, rows_with_places};
pub use rows::{Row, Times, cell, from_rows, has_values, row, to_rows};
pub use span::Span;
pub use specs::Spec;
pub use time::Time;
