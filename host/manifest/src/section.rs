//! Tables `[application.trigger.kafka.SECTION.NAME]`: one for each job of a kind, under a name of the user's choosing.

use crate::error::Report;
use crate::node::{Entry, Node};
use crate::values;

/// What was read, after the table that it was read from: checks between tables say where the mistake is written.
pub(crate) type Written<T> = (Node, T);

/// Reads the tables of a section in the order of the manifest. `read` gets those that were read before.
pub(crate) fn read_section<T>(
    cluster: &Node,
    section: &str,
    report: &mut Report,
    mut read: impl FnMut(&Entry, &[Written<T>], &mut Report) -> Option<T>,
) -> Vec<Written<T>> {
    let mut jobs = Vec::new();
    let tables = cluster.find(&[section]).and_then(|node| values::table(node, report));
    for entry in tables.into_iter().flat_map(|table| &table.entries) {
        if let Some(job) = read(entry, &jobs, report) {
            jobs.push((entry.node.clone(), job));
        }
    }
    jobs
}
