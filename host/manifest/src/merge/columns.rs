//! Columns that a merge names: its tables must have them.

use std::collections::BTreeSet;

use super::Merge;
use crate::batch::Batch;
use crate::error::{Report, offer};
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::section::Written;

/// Averages that a merge makes where it names none.
const USUAL_AVERAGES: [&str; 2] = ["ma7", "ma30"];

/// Reports columns that no table of a merge has. A batch table that no job of this manifest makes may have any.
pub(crate) fn check(
    merges: &[Written<Merge>],
    pipelines: &[Written<Pipeline>],
    batches: &[Written<Batch>],
    report: &mut Report,
) {
    for (node, merge) in merges {
        let Some(columns) = columns(merge, pipelines, batches) else { continue };
        let known: Vec<&str> = columns.iter().map(String::as_str).collect();
        let mut missing = |key: &str, column: &str, known: &[&str]| {
            if !known.contains(&column) {
                let problem = format!("no input has a column `{column}`; {}", offer(column, known));
                report.at(find(node, key), problem);
            }
        };
        for (key, named) in [("carry", &merge.carry), ("zero", &merge.zero)] {
            named.iter().flatten().for_each(|column| missing(key, column, &known));
        }
        let averages = merge.averages.as_deref().unwrap_or_default();
        for average in averages {
            missing(&format!("averages.{}", average.name), &average.column, &known);
        }
        if let Some(column) = &merge.prophet {
            let usual = USUAL_AVERAGES.iter().filter(|_| merge.averages.is_none()).copied();
            let made = averages.iter().map(|average| average.name.as_str()).chain(usual);
            let served: Vec<&str> = known.iter().copied().chain(made).collect();
            if !served.contains(&column.as_str()) {
                let problem = format!(
                    "the served table has no column `{column}`; {}; \"\" writes no such table",
                    offer(column, &served)
                );
                report.at(find(node, "prophet"), problem);
            }
        }
    }
}

fn find<'n>(node: &'n Node, key: &str) -> &'n Node {
    let keys: Vec<&str> = key.splitn(2, '.').collect();
    node.find(&keys).unwrap_or(node)
}

/// The columns of a merge's tables; `None` if they are not known.
fn columns(
    merge: &Merge,
    pipelines: &[Written<Pipeline>],
    batches: &[Written<Batch>],
) -> Option<BTreeSet<String>> {
    if merge.speed.is_none() && merge.batch.is_none() {
        return None;
    }
    let mut columns = BTreeSet::new();
    if let Some(table) = &merge.speed {
        let mut windows =
            pipelines.iter().flat_map(|(_, it)| it.windows.iter().map(move |window| (it, window)));
        let (_, window) = windows.find(|(pipeline, window)| pipeline.table(window) == *table)?;
        columns.extend(window.output_columns().into_iter().map(str::to_owned));
    }
    if let Some(table) = &merge.batch {
        let (_, batch) = batches.iter().find(|(_, batch)| batch.table == *table)?;
        columns.extend(batch.window.output_columns().into_iter().map(str::to_owned));
        columns.extend(batch.averages.iter().map(|average| average.name.clone()));
    }
    Some(columns)
}
