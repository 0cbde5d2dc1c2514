//! Which components run, and whether they are there.

use std::collections::{BTreeMap, BTreeSet};

use crate::backfill::Backfill;
use crate::batch::Batch;
use crate::component::{Component, Source};
use crate::error::{Errors, Report, suggestion};
use crate::feed::Feed;
use crate::forecast::Forecast;
use crate::manifest::Manifest;
use crate::merge::Merge;
use crate::node::Node;
use crate::pipeline::Pipeline;
use crate::section::Written;

impl Manifest {
    /// The components that run, each with who needs it; several times where several do.
    pub fn needed_components(&self) -> Vec<(String, &str)> {
        let of_pipelines = self.pipelines.iter().flat_map(|pipeline| {
            let who = format!("pipeline `{}`", pipeline.id);
            [(who.clone(), pipeline.parse.as_str()), (who, pipeline.window_function())]
        });
        let of_backfills = self.backfills.iter().flat_map(|backfill| {
            let who = format!("backfill `{}`", backfill.name);
            backfill.components().map(|(_, name)| (who.clone(), name))
        });
        let of_feeds =
            self.feeds.iter().map(|feed| (format!("feed `{}`", feed.name), feed.function.as_str()));
        let of_batches = self.batches.iter().flat_map(|batch| {
            let who = format!("batch `{}`", batch.name);
            batch.components().map(|(_, name)| (who.clone(), name))
        });
        let of_merges =
            self.merges.iter().map(|merge| (format!("merge `{}`", merge.name), merge.function.as_str()));
        let of_forecasts = self.forecasts.iter().flat_map(|forecast| {
            let who = format!("forecast `{}`", forecast.name);
            forecast.components().map(|(_, name)| (who.clone(), name))
        });
        let of_jobs = of_backfills.chain(of_feeds).chain(of_batches).chain(of_merges).chain(of_forecasts);
        of_pipelines.chain(of_jobs).collect()
    }

    /// Checks that the files of the components that pipelines and merges need are there.
    pub fn check_files(&self) -> Result<(), Errors> {
        let mut report = Report::new(&self.path);
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

impl Backfill {
    /// The components that it names, each with its key.
    fn components(&self) -> [(&'static str, &str); 2] {
        [("function", &self.function), ("parse", &self.bars.parse)]
    }
}

impl Batch {
    /// The components that it names, each with its key.
    fn components(&self) -> [(&'static str, &str); 3] {
        [("parse", &self.parse), ("window", &self.window.function), ("merge", &self.merge)]
    }
}

impl Forecast {
    /// The components that it names, each with its key.
    fn components(&self) -> [(&'static str, &str); 2] {
        [("function", &self.function), ("naive", &self.naive)]
    }
}

/// All that names components.
pub(crate) struct Users<'a> {
    pub pipelines: &'a [Written<Pipeline>],
    pub backfills: &'a [Written<Backfill>],
    pub feeds: &'a [Written<Feed>],
    pub batches: &'a [Written<Batch>],
    pub merges: &'a [Written<Merge>],
    pub forecasts: &'a [Written<Forecast>],
}

/// Reports every component that is named and is none of the manifest's. Pipelines and their backfills may name remote
/// functions, too.
pub(crate) fn check(
    root: &Node,
    remotes: &BTreeMap<String, Component>,
    users: &Users<'_>,
    report: &mut Report,
) {
    let tables = root.find(&["component"]).and_then(Node::as_table);
    let known: Vec<&str> =
        tables.into_iter().flat_map(|all| &all.entries).map(|it| it.key.as_str()).collect();
    let mut check = |table: &Node, key: &str, name: &str, who: String| {
        if !known.contains(&name) {
            let problem = format!(
                "{who} the component `{name}`, but there is no [component.{name}]; {}",
                suggestion(name, &known)
            );
            report.at(table.find(&[key]).unwrap_or(table), problem);
        }
    };
    for (node, pipeline) in users.pipelines {
        let windows = node.items("windows").iter().zip(&pipeline.windows);
        let functions = windows.map(|(window, read)| (window, "function", &read.function));
        for (table, key, name) in std::iter::once((node, "parse", &pipeline.parse)).chain(functions) {
            if !remotes.contains_key(name) {
                check(table, key, name, format!("pipeline `{}` names", pipeline.id));
            }
        }
    }
    for (node, backfill) in users.backfills {
        for (key, name) in backfill.components() {
            if !remotes.contains_key(name) {
                check(node, key, name, format!("backfill `{}` names", backfill.name));
            }
        }
    }
    for (node, batch) in users.batches {
        for (key, name) in batch.components() {
            check(node, key, name, format!("batch `{}` needs", batch.name));
        }
    }
    for (node, feed) in users.feeds {
        check(node, "function", &feed.function, format!("feed `{}` needs", feed.name));
    }
    for (node, merge) in users.merges {
        check(node, "function", &merge.function, format!("merge `{}` needs", merge.name));
    }
    for (node, forecast) in users.forecasts {
        for (key, name) in forecast.components() {
            check(node, key, name, format!("forecast `{}` needs", forecast.name));
        }
    }
}
