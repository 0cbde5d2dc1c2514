//! Windows without rows, which are published on request.

use serde::{Deserialize, Serialize};
use tallow_contract::fill::Fill as Asked;
pub use tallow_contract::fill::FillWith;

use super::Shape;
use crate::aggregate::Aggregate;
use crate::error::Report;
use crate::forms::Choice;
use crate::node::Node;
use crate::table::reader::Reader;
use crate::units;

/// How windows without rows are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    pub with: FillWith,
    /// A silence that is longer is not filled; 0 fills nothing.
    pub for_us: u64,
    /// A key is forgotten so long after its newest window closed: longer than it is filled.
    pub keep_us: u64,
}

impl Fill {
    /// Columns that a window has for it.
    pub const COLUMNS: [&'static str; 2] = [Asked::FILLED, Asked::UNFILLED];
}

pub(super) const FILL: Choice<FillWith> =
    Choice(&[("previous", FillWith::Previous), ("null", FillWith::Null), ("zero", FillWith::Zero)]);

/// So many windows of a silence are filled where the manifest does not say how long it may be.
const WINDOWS: u64 = 60;
/// More windows of a key at a time could take more memory than there is.
const MOST_WINDOWS: u64 = 100_000;

pub(super) fn read(
    reader: &Reader<'_>,
    shape: Shape,
    with: Option<FillWith>,
    (for_us, keep_ids_us): (Option<u64>, u64),
    report: &mut Report,
) -> Option<Option<Fill>> {
    let place = |key| reader.get(key).unwrap_or_else(|| reader.node());
    let Some(with) = with else {
        return match for_us {
            Some(_) => report.refuse(place("fill-for"), "nothing is filled: add `fill`, or remove this"),
            None => Some(None),
        };
    };
    let Shape::Tumbling { size_us } = shape else {
        let what = if matches!(shape, Shape::Session { .. }) { "sessions" } else { "sliding windows" };
        let problem = format!(
            "only tumbling windows can be filled, and these are {what}: remove `fill`, or write `tumbling`"
        );
        return report.refuse(place("fill"), problem);
    };
    let for_us = for_us.unwrap_or(WINDOWS.saturating_mul(size_us));
    let problem = match for_us / size_us {
        0 => "this is shorter than a window: nothing would be filled".to_owned(),
        1..=MOST_WINDOWS => {
            let keep_us = keep_ids_us.max(for_us + 1);
            return Some(Some(Fill { with, for_us, keep_us }));
        }
        windows => format!(
            "this is {windows} windows of {}, and {MOST_WINDOWS} are the most",
            units::show_duration(size_us)
        ),
    };
    report.refuse(place("fill-for"), problem)
}

/// No key and no aggregate may have the name of a column that filling adds. `node`: the aggregates.
pub(super) fn check_names(
    node: &Node,
    keys: &[String],
    aggregates: &[Aggregate],
    report: &mut Report,
) -> Option<()> {
    let mut names = keys.iter().chain(aggregates.iter().map(|it| &it.name));
    let Some(name) = names.find(|name| Fill::COLUMNS.contains(&name.as_str())) else { return Some(()) };
    let place = node.find(&[name]).unwrap_or(node);
    report.refuse(place, format!("with `fill`, every candle already has a `{name}`; choose another name"))
}
