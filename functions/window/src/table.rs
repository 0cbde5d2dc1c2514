//! Rows as they cross the boundary, with the place where each came from.

pub use tallow_contract::window::Rows;
pub use tallow_contract::{Column, ColumnData, Decimals, Run, Table, Text, is_valid, joined, list, validity};
