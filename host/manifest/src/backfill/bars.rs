//! The pipeline as a backfill computes it: its windows, over an exchange's bars.

use crate::aggregate::Aggregate;
use crate::error::{Report, suggestion};
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::window::{Fill, IdColumns, Shape, Window};

/// An exchange's bars, and what the columns of windows are made of.
pub(super) struct Bars<'n> {
    /// The backfill's table.
    pub node: &'n Node,
    pub interval_us: u64,
    pub kinds: Vec<String>,
    pub ids: IdColumns,
    pub aggregates: Vec<Aggregate>,
}

impl Bars<'_> {
    /// The windows of the pipeline that are named, or all tumbling ones, as they are computed from bars.
    pub fn windows(
        &self,
        target: &Pipeline,
        names: Option<&[String]>,
        report: &mut Report,
    ) -> Option<Vec<Window>> {
        let windows: Vec<_> = self
            .choose(target, names, report)?
            .into_iter()
            .map(|window| {
                self.check(window, report)?;
                self.over(window, report)
            })
            .collect();
        windows.into_iter().collect()
    }

    fn choose<'p>(
        &self,
        target: &'p Pipeline,
        names: Option<&[String]>,
        report: &mut Report,
    ) -> Option<Vec<&'p Window>> {
        let tumbling = |window: &&Window| matches!(window.shape, Shape::Tumbling { .. });
        let Some(names) = names else {
            let all: Vec<&Window> = target.windows.iter().filter(tumbling).collect();
            if all.is_empty() {
                report.at(self.node, format!("pipeline `{}` has no tumbling window to fill", target.id));
            }
            return (!all.is_empty()).then_some(all);
        };
        let known: Vec<&str> = target.windows.iter().map(|window| window.name.as_str()).collect();
        let chosen: Vec<_> = names
            .iter()
            .map(|name| {
                let found = target.windows.iter().find(|window| window.name == *name);
                if found.is_none() {
                    let suggestion = suggestion(name, &known);
                    let problem =
                        format!("`windows`: pipeline `{}` has no `{name}`; {suggestion}", target.id);
                    report.at(self.node, problem);
                }
                found
            })
            .collect();
        chosen.into_iter().collect()
    }

    fn check(&self, window: &Window, report: &mut Report) -> Option<()> {
        let whole = |us: u64| us.is_multiple_of(self.interval_us);
        let problem = match window.shape {
            Shape::Tumbling { .. } if window.keys.len() != 1 => {
                "must have one key, the symbol: an exchange is asked for a symbol at a time; leave it out of `windows`"
            }
            Shape::Tumbling { size_us } if !whole(size_us) || !whole(window.offset_us.unsigned_abs()) => {
                "is not made of whole bars: choose an `interval` that divides its size and offset"
            }
            Shape::Tumbling { .. } => return Some(()),
            _ => "is not a tumbling one, and others cannot be filled; leave it out of `windows`",
        };
        report.refuse(self.node, format!("window `{}` {problem}", window.name))
    }

    /// A window with the same columns, over bars.
    fn over(&self, window: &Window, report: &mut Report) -> Option<Window> {
        let columns: Vec<_> = window
            .aggregates
            .iter()
            .map(|column| {
                let found = self.aggregates.iter().find(|aggregate| aggregate.name == column.name).cloned();
                if found.is_none() {
                    let problem = format!(
                        "window `{}` has a column `{}`, and `aggregates` does not say how it is made of bars; add it, \
                         or leave the window out of `windows`",
                        window.name, column.name
                    );
                    report.at(self.node, problem);
                }
                found
            })
            .collect();
        Some(Window {
            kinds: self.kinds.clone(),
            ids: Some(self.ids.clone()),
            // A bar comes once.
            latest_by: None,
            // A backfill makes windows of bars, and no others; its rows have the columns.
            fill: window.fill.map(|fill| Fill { for_us: 0, keep_us: 0, ..fill }),
            aggregates: columns.into_iter().collect::<Option<_>>()?,
            // Topics get what the stream makes.
            kafka: None,
            influxdb: None,
            ..window.clone()
        })
    }
}
