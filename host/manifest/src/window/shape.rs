//! Which windows there are: tumbling, sliding or session windows, and their offset.

use serde::{Deserialize, Serialize};

use crate::error::Report;
use crate::forms::{Form, POSITIVE_US, Takes};
use crate::node::Node;
use crate::table::table;
use crate::{schema_pieces, units, values};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Tumbling { size_us: u64 },
    Sliding { size_us: u64, slide_us: u64 },
    Session { gap_us: u64 },
}

table! {
    struct Sliding in "sliding", "A sliding window.";
    fn read(reader, report);

    "Size of a window."
    pub size_us: u64 = key("size", POSITIVE_US, required());

    "From one window's start to the next one's; at most the size."
    pub slide_us: u64 = key("slide", POSITIVE_US, required());
}

/// A sliding window is kept as panes of the greatest common divisor of its size and slide.
const MOST_PANES: u64 = 10_000;

pub(super) const TUMBLING: Form<Shape> = Form::new("a duration", schema_pieces::duration, |node, report| {
    POSITIVE_US.read(node, report).map(|size_us| Shape::Tumbling { size_us })
});
pub(super) const SLIDING: Form<Shape> = Form::new(
    "`{ size = duration, slide = duration }`",
    || Sliding::declaration().schema(),
    |node, report| {
        let sliding = Sliding::read(node, report)?;
        check_sliding(node, sliding.size_us, sliding.slide_us, report)
    },
);
pub(super) const SESSION: Form<Shape> = Form::new("a duration", schema_pieces::duration, |node, report| {
    POSITIVE_US.read(node, report).map(|gap_us| Shape::Session { gap_us })
});
pub(crate) const OFFSET: Form<()> =
    Form::shown("a duration, with `-` before it or not", schema_pieces::signed_duration);

fn check_sliding(node: &Node, size_us: u64, slide_us: u64, report: &mut Report) -> Option<Shape> {
    if slide_us > size_us {
        return report
            .refuse(node, "`slide` is longer than `size`: rows between two windows would be in neither");
    }
    let pane_us = greatest_common_divisor(size_us, slide_us);
    let panes = size_us / pane_us;
    if panes > MOST_PANES {
        let least = units::show_duration(least_slide_us(size_us));
        let why = match pane_us == slide_us {
            true => format!("a row would be in {panes} windows at once, and {MOST_PANES} are the most"),
            false => format!(
                "a window is kept in pieces of their common divisor, {}: in {panes} pieces, and {MOST_PANES} are the most",
                units::show_duration(pane_us)
            ),
        };
        return report
            .refuse(node, format!("{why}; write a longer `slide` that divides `size`, such as \"{least}\""));
    }
    Some(Shape::Sliding { size_us, slide_us })
}

/// The shortest slide, of whole seconds where the size is that, which divides the size into few enough pieces.
fn least_slide_us(size_us: u64) -> u64 {
    let unit_us = [1_000_000, 1_000].into_iter().find(|unit| size_us.is_multiple_of(*unit)).unwrap_or(1);
    let units = size_us / unit_us;
    let panes = (1..=MOST_PANES).rev().find(|panes| units.is_multiple_of(*panes)).unwrap_or(1);
    units / panes * unit_us
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

pub(crate) fn read_offset(node: &Node, shape: Option<Shape>, report: &mut Report) -> Option<i64> {
    let offset_us = values::parsed(node, "a duration like \"8h\" or \"-8h\"", report, |text| {
        units::signed_duration_us(text)
    })?;
    let period_us = match shape? {
        Shape::Tumbling { size_us } => size_us,
        Shape::Sliding { slide_us, .. } => slide_us,
        Shape::Session { .. } if offset_us == 0 => return Some(0),
        Shape::Session { .. } => {
            return report.refuse(node, "a session begins with its first row: it has no offset");
        }
    };
    if offset_us.unsigned_abs() >= period_us {
        return report.refuse(node, "the offset must be shorter than the window's size (or slide)");
    }
    Some(offset_us)
}
