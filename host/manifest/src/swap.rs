//! `[trigger.kafka.swap]`: how a pipeline takes another version of a function while it runs.

use crate::aggregate::check_column;
use crate::error::{Report, offer};
use crate::node::Node;
use crate::reader::{self, Reader};
use crate::schema;
use crate::window::Window;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// Swap by itself when the component's file changes.
    pub watch: bool,
    pub mode: SwapMode,
    /// Epochs with records that a new function is on probation for; 0: none.
    pub probation_epochs: u32,
    /// A function on probation that takes more than that much of its predecessor's time a record, in percent, is rolled
    /// back.
    pub slowest_percent: u32,
    /// Share of one processor that a shadow may take, in percent.
    pub shadow_percent: u32,
    /// What holds for every candle, beside what follows from the aggregates themselves.
    pub invariants: Vec<Invariant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapMode {
    /// Results of the probation wait for its end.
    Hold,
    /// They go out at once.
    Publish,
}

/// `left <= right` or `left < right`, of two columns of a candle or a column and a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invariant {
    pub left: Operand,
    pub right: Operand,
    /// Whether they may be equal.
    pub or_equal: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    Column(String),
    Number(i64),
}

impl Swap {
    pub(crate) fn read(pipeline: &Reader<'_>, report: &mut Report) -> Option<Self> {
        let reader = pipeline.inner("swap", &schema::SWAP, report)?;
        let watch = reader.required("watch", report, reader::boolean);
        let mode = reader.required("mode", report, |node, report| {
            reader::choice(node, &[("hold", SwapMode::Hold), ("publish", SwapMode::Publish)], report)
        });
        // A rollback goes back to the record before the swap, and the log keeps only so many.
        let epochs = reader
            .required("probation-epochs", report, |node, report| reader::integer(node, 0..=10_000, report));
        let slowest = reader
            .required("slowest-percent", report, |node, report| reader::integer(node, 101..=10_000, report));
        let shadow =
            reader.required("shadow-percent", report, |node, report| reader::integer(node, 1..=100, report));
        let invariants = reader.required("invariants", report, read_invariants);
        Some(Self {
            watch: watch?,
            mode: mode?,
            probation_epochs: epochs? as u32,
            slowest_percent: slowest? as u32,
            shadow_percent: shadow? as u32,
            invariants: invariants?,
        })
    }
}

fn read_invariants(node: &Node, report: &mut Report) -> Option<Vec<Invariant>> {
    let items = reader::list(node, "a list of comparisons like \"volume >= 0\"", report)?;
    let read: Vec<_> = items
        .iter()
        .map(|item| reader::parsed(item, "a comparison like \"volume >= 0\"", report, parse))
        .collect();
    read.into_iter().collect()
}

impl Swap {
    /// Reports invariants over a column that no window has: they would hold of every candle.
    pub(crate) fn check_columns(&self, pipeline: &Node, windows: &[Window], report: &mut Report) {
        let mut columns: Vec<&str> = windows.iter().flat_map(Window::output_columns).collect();
        columns.sort_unstable();
        columns.dedup();
        let named = self.invariants.iter().flat_map(|it| [&it.left, &it.right]);
        for operand in named {
            let Operand::Column(name) = operand else { continue };
            if !columns.contains(&name.as_str()) {
                let problem =
                    format!("no window of this pipeline has a column `{name}`; {}", offer(name, &columns));
                report.at(pipeline.find(&["swap", "invariants"]).unwrap_or(pipeline), problem);
            }
        }
    }
}

fn parse(text: &str) -> Result<Invariant, String> {
    const FORM: &str =
        "write it as two columns, or a column and an integer, with <=, <, >= or > between them";
    let at = text.find(['<', '>']).ok_or(FORM)?;
    let (left, rest) = text.split_at(at);
    let or_equal = rest[1..].starts_with('=');
    let right = &rest[if or_equal { 2 } else { 1 }..];
    let (left, right) = (operand(left)?, operand(right)?);
    if matches!((&left, &right), (Operand::Number(_), Operand::Number(_))) {
        return Err(FORM.to_owned());
    }
    let turned = rest.starts_with('>');
    let (left, right) = if turned { (right, left) } else { (left, right) };
    Ok(Invariant { left, right, or_equal })
}

fn operand(text: &str) -> Result<Operand, String> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Ok(Operand::Number(number));
    }
    check_column(text).map(|()| Operand::Column(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Operand {
        Operand::Column(name.to_owned())
    }

    #[test]
    fn a_comparison_is_read_from_the_smaller_to_the_larger_side() {
        let invariant = |left, right, or_equal| Ok(Invariant { left, right, or_equal });
        assert_eq!(parse("low <= open"), invariant(column("low"), column("open"), true));
        assert_eq!(parse("volume>=0"), invariant(Operand::Number(0), column("volume"), true));
        assert_eq!(parse("trades > -1"), invariant(Operand::Number(-1), column("trades"), false));
    }

    #[test]
    fn what_is_no_comparison_says_how_to_write_one() {
        for wrong in ["", "low", "1 < 2", "low <= ", "low = open", "low <= 1.5", "a < b < c"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
