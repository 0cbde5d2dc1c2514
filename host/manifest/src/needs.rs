//! Which components run, and whether they are there.

use std::collections::{BTreeMap, BTreeSet};

use crate::backfill::Backfill;
use crate::batch::Batch;
use crate::component::{Component, Source};
use crate::error::{Errors, Report, suggestion};
use crate::manifest::Manifest;
use crate::merge::Merge;
use crate::node::{Node, Value};
use crate::pipeline::Pipeline;

/// What names components, each with where it is written.
type Named<'a> = (&'a [(Node, Pipeline)], &'a [(Node, Backfill)], &'a [(Node, Batch)], &'a [(Node, Merge)]);

impl Manifest {
    /// The components that run, each with who needs it; several times where several do.
    pub fn needed_components(&self) -> Vec<(String, &str)> {
        let of_pipelines = self.pipelines.iter().flat_map(|pipeline| {
            let who = format!("pipeline `{}`", pipeline.id);
            [(who.clone(), pipeline.parse.as_str()), (who, pipeline.window_function())]
        });
        let of_backfills = self.backfills.iter().flat_map(|backfill| {
            let who = format!("backfill `{}`", backfill.name);
            [(who.clone(), backfill.function.as_str()), (who, backfill.bars.parse.as_str())]
        });
        let of_batches = self.batches.iter().flat_map(|batch| {
            let who = format!("batch `{}`", batch.name);
            [&batch.parse, &batch.window.function, &batch.merge].map(|name| (who.clone(), name.as_str()))
        });
        let of_merges =
            self.merges.iter().map(|merge| (format!("merge `{}`", merge.name), merge.function.as_str()));
        of_pipelines.chain(of_backfills).chain(of_batches).chain(of_merges).collect()
    }

    /// Checks that the files of the components that pipelines and merges need are there.
    pub fn check_files(&self) -> Result<(), Errors> {
        let mut report = Report::new(&self.path.display().to_string());
        let mut checked = BTreeSet::new();
        for (who, name) in self.needed_components() {
            let Some(component) = self.components.get(name) else { continue };
            let Source::Local(path) = &component.source else { continue };
            if path.is_file() || !checked.insert(name) {
                continue;
            }
            let remedy = match &component.build[..] {
                [] => "build it, or correct the path".to_owned(),
                commands => format!("build it with `{}`", commands.join(" && ")),
            };
            let problem = format!(
                "{who} needs the component `{name}`, but there is no file {}; {remedy}",
                path.display()
            );
            report.add(component.place, &format!("component.{name}.source"), problem);
        }
        report.finish(Some(()))
    }
}

/// Every component that is named is one of the manifest's.
pub(crate) fn check(
    root: &Node,
    remotes: &BTreeMap<String, Component>,
    (pipelines, backfills, batches, merges): Named<'_>,
    report: &mut Report,
) {
    check_components(root, remotes, pipelines, report);
    check_backfill_components(root, remotes, backfills, report);
    check_batch_components(root, batches, report);
    check_merge_components(root, merges, report);
}

fn check_components(
    root: &Node,
    remotes: &BTreeMap<String, Component>,
    pipelines: &[(Node, Pipeline)],
    report: &mut Report,
) {
    let known = component_names(root);
    for (node, pipeline) in pipelines {
        let windows = match node.find(&["windows"]).map(|node| &node.value) {
            Some(Value::List(windows)) => &windows[..],
            _ => &[],
        };
        let functions =
            windows.iter().zip(&pipeline.windows).map(|(at, window)| (at, "function", &window.function));
        for (table, key, name) in std::iter::once((node, "parse", &pipeline.parse)).chain(functions) {
            if !known.contains(&name.as_str()) && !remotes.contains_key(name) {
                let problem = format!(
                    "pipeline `{}` names the component `{name}`, but there is no [component.{name}]; {}",
                    pipeline.id,
                    suggestion(name, &known)
                );
                report.at(table.find(&[key]).unwrap_or(table), problem);
            }
        }
    }
}

fn check_backfill_components(
    root: &Node,
    remotes: &BTreeMap<String, Component>,
    backfills: &[(Node, Backfill)],
    report: &mut Report,
) {
    let known = component_names(root);
    for (node, backfill) in backfills {
        for (key, name) in [("function", &backfill.function), ("parse", &backfill.bars.parse)] {
            if !known.contains(&name.as_str()) && !remotes.contains_key(name) {
                let suggestion = suggestion(name, &known);
                let problem = format!(
                    "backfill `{}` names the component `{name}`, but there is no [component.{name}]; {suggestion}",
                    backfill.name
                );
                report.at(node.find(&[key]).unwrap_or(node), problem);
            }
        }
    }
}

fn check_batch_components(root: &Node, batches: &[(Node, Batch)], report: &mut Report) {
    let known = component_names(root);
    for (node, batch) in batches {
        for (key, name) in
            [("parse", &batch.parse), ("window", &batch.window.function), ("merge", &batch.merge)]
        {
            if !known.contains(&name.as_str()) {
                let problem = format!(
                    "batch `{}` needs the component `{name}`, but there is no [component.{name}]; {}",
                    batch.name,
                    suggestion(name, &known)
                );
                report.at(node.find(&[key]).unwrap_or(node), problem);
            }
        }
    }
}

fn check_merge_components(root: &Node, merges: &[(Node, Merge)], report: &mut Report) {
    let known = component_names(root);
    for (node, merge) in merges.iter().filter(|(_, merge)| !known.contains(&merge.function.as_str())) {
        let (name, function) = (&merge.name, &merge.function);
        let problem = format!(
            "merge `{name}` needs the component `{function}`, but there is no [component.{function}]; {}",
            suggestion(function, &known)
        );
        report.at(node.find(&["function"]).unwrap_or(node), problem);
    }
}

fn component_names(root: &Node) -> Vec<&str> {
    let tables = root.find(&["component"]).and_then(Node::as_table);
    tables.map_or_else(Vec::new, |table| table.entries.iter().map(|entry| entry.key.as_str()).collect())
}
