//! `[trigger.kafka.swap]`: how a pipeline takes another version of a function while it runs.

use crate::aggregate;
use crate::error::{Problem, Report, offer};
use crate::forms::{BOOLEAN, Choice, Form, Integer};
use crate::node::Node;
use crate::table::table;
use crate::window::Window;
use crate::{schema_pieces, values};

table! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Swap in "[trigger.kafka.swap]",
        "How another version of a function is swapped in while the pipeline runs.";
    fn read(reader, report);

    "Whether a component whose file changes is vetted and swapped in automatically, in mode `publish`. `tallow demo` does so."
    pub watch: bool = key("watch", BOOLEAN, default("false"));

    "What happens to results while a new function is on probation: they wait for its end, so that a rollback leaves no \
     trace, or go out at once, so that a rollback can only correct them by a revision."
    pub mode: SwapMode = key("mode", MODE, default("\"hold\""));

    "Epochs with records in which a trap, a missed deadline, a broken invariant or slowness rolls a new function back."
    pub probation_epochs: u32 = key("probation-epochs", Integer(0, 10_000), default("20"));

    "How much time a function on probation may take per record, in percent of its predecessor's."
    pub slowest_percent: u32 = key("slowest-percent", Integer(101, 10_000), default("300"));

    "Percentage of one processor that a shadow may take. Epochs for which there is no time are not shadowed."
    pub shadow_percent: u32 = key("shadow-percent", Integer(1, 100), default("20"));

    "What must hold for every candle of a function on probation, in addition to what follows from the aggregates: a \
     column's minimum is at most, and its maximum at least, its first, last and mean value."
    pub invariants: Vec<Invariant> = key("invariants", INVARIANTS, default("[]"));
}

const MODE: Choice<SwapMode> = Choice(&[("hold", SwapMode::Hold), ("publish", SwapMode::Publish)]);
const INVARIANTS: Form<Vec<Invariant>> = Form::new(
    "a list of comparisons, such as `[\"volume >= 0\"]`",
    || schema_pieces::list(schema_pieces::matching("[^<>]+[<>]=?[^<>=]+")),
    |node, report| {
        let items = values::list(node, "a list of comparisons like \"volume >= 0\"", report)?;
        values::items(items, report, |item, report| {
            values::parsed(item, "a comparison like \"volume >= 0\"", report, parse)
        })
    },
);

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

fn parse(text: &str) -> Result<Invariant, Problem> {
    const FORM: &str =
        "write it as two columns, or a column and an integer, with <=, <, >= or > between them";
    let at = text.find(['<', '>']).ok_or(FORM)?;
    let (left, rest) = text.split_at(at);
    let or_equal = rest[1..].starts_with('=');
    let right = &rest[if or_equal { 2 } else { 1 }..];
    let (left, right) = (operand(left)?, operand(right)?);
    if matches!((&left, &right), (Operand::Number(_), Operand::Number(_))) {
        return Err(FORM.into());
    }
    let turned = rest.starts_with('>');
    let (left, right) = if turned { (right, left) } else { (left, right) };
    Ok(Invariant { left, right, or_equal })
}

fn operand(text: &str) -> Result<Operand, Problem> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Ok(Operand::Number(number));
    }
    aggregate::column(text).map(Operand::Column)
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
