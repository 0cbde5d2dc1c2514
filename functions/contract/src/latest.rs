//! Rows that replace earlier ones, if a definition asks for it: of rows of one key and event time only the one with the
//! largest value of a column counts, of equal ones the last that came. So a topic of revisions is read as a table.
//!
//! A definition asks by an aggregate that functions which do not know of it refuse, as it asks for [`crate::fill`]: a
//! `vwap` of no column, *by* the column. So a function that cannot replace does not add revisions up in silence.

use crate::Operation;
use crate::window::Aggregate;

/// What such an aggregate is called.
pub const NAME: &str = "latest";

/// As a definition asks for it.
///
/// ```
/// use tallow_contract::latest;
/// let asks = latest::aggregate("revision");
/// assert_eq!(latest::asked(&asks), Some("revision"));
/// ```
pub fn aggregate(column: &str) -> Aggregate {
    Aggregate { name: NAME.to_owned(), operation: Operation::Vwap, column: None, by: Some(column.to_owned()) }
}

/// The column that an aggregate asks to go by; `None` if it is one like others.
pub fn asked(aggregate: &Aggregate) -> Option<&str> {
    match aggregate {
        Aggregate { name, operation: Operation::Vwap, column: None, by: Some(by) } if name == NAME => {
            Some(by)
        }
        _ => None,
    }
}
