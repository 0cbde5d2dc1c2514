//! What functions share: [`table`] (columns as they cross the boundary), [`decimal`] (exact sums and quotients), and
//! [`conversions!`] between a world's `tallow:types` and these.

mod conversions;
pub mod decimal;
pub mod table;
