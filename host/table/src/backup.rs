//! What runs replaced: `_tallow/backup/<job>/<run>/<path>` holds an object as it was before that run. Never inside a
//! table, where readers would take it for rows.

use std::collections::BTreeMap;

use bytes::Bytes;
use tallow_store::{Body, Create, Store, StoreError};

use crate::TableError;
use crate::state::TableState;

/// Keeps an object as it was before a run. One that is kept already stays: the run was taken up again.
pub(crate) fn keep(store: &Store, job: &str, run: u64, path: &str, bytes: Bytes) -> Result<(), StoreError> {
    match store.create(&tallow_lake::backup(job, run, path), bytes)? {
        Create::Created | Create::Exists { .. } => Ok(()),
    }
}

/// The same of an object that is too large to be held. `allowed` is asked before each request: on a store without
/// conditional copies it is all that saves a backup from an owner that was fenced.
pub(crate) fn keep_large(
    store: &Store,
    job: &str,
    run: u64,
    path: &str,
    allowed: impl FnMut() -> Result<(), TableError>,
) -> Result<(), TableError> {
    store.copy_new(path, &tallow_lake::backup(job, run, path), allowed)
}

/// Removes what was kept for runs before the last `keep` ones.
pub(crate) fn prune(store: &Store, job: &str, newest: u64, keep: u64) -> Result<(), StoreError> {
    for (run, paths) in kept(store, job)? {
        if run + keep <= newest {
            for path in paths {
                store.delete(&tallow_lake::backup(job, run, &path))?;
            }
        }
    }
    Ok(())
}

/// The paths that are kept, by run.
fn kept(store: &Store, job: &str) -> Result<BTreeMap<u64, Vec<String>>, StoreError> {
    let mut kept: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (object, _) in store.list(&tallow_lake::backups(job))? {
        if let Some((run, path)) = tallow_lake::backup_of(job, &object) {
            kept.entry(run).or_default().push(path.to_owned());
        }
    }
    Ok(kept)
}

/// What brings the tables back to how a run left them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// By path: the run in whose backup the object is.
    pub put: BTreeMap<String, u64>,
    /// Partitions that the run did not have.
    pub remove: Vec<String>,
}

/// Decides what a restore to `run` does. `kept`: backups by run. The first backup after a run is the object as the run
/// left it; a partition that was first written after it is removed.
fn plan(state: &TableState, run: u64, kept: &BTreeMap<u64, Vec<String>>, keep: u64) -> Result<Plan, String> {
    let oldest = state.run.saturating_sub(keep);
    if run >= state.run || run < oldest {
        return Err(match state.run {
            0 => "there was no run yet: nothing can be restored".to_owned(),
            newest if oldest == newest => "`keep-backups = 0`: nothing can be restored".to_owned(),
            newest => {
                format!("run {run} cannot be restored: the newest is {newest}, and backups reach to {oldest}")
            }
        });
    }
    let mut plan = Plan::default();
    for (later, paths) in kept.range(run + 1..) {
        for path in paths {
            plan.put.entry(path.clone()).or_insert(*later);
        }
    }
    let newer = state
        .partitions
        .iter()
        .filter(|(path, partition)| partition.since > run && !plan.put.contains_key(*path));
    plan.remove = newer.map(|(path, _)| path.clone()).collect();
    Ok(plan)
}

/// [`plan`] from the backups that are there.
pub(crate) fn plan_restore(
    store: &Store,
    job: &str,
    state: &TableState,
    run: u64,
    keep: u64,
) -> Result<Result<Plan, String>, StoreError> {
    Ok(plan(state, run, &kept(store, job)?, keep))
}

/// The object that was kept.
pub(crate) fn read(store: &Store, job: &str, run: u64, path: &str) -> Result<Option<Body>, StoreError> {
    store.get_file(&tallow_lake::backup(job, run, path), &std::env::temp_dir())
}

#[cfg(test)]
mod tests {
    use tallow_store::Digest;

    use super::*;
    use crate::state::PartitionState;

    fn state(run: u64, partitions: &[(&str, u64)]) -> TableState {
        let partition = |since| PartitionState {
            rows: 0,
            rows_digest: Digest::of(b""),
            digest: Digest::of(b""),
            size: 0,
            since,
            inputs: Vec::new(),
        };
        let partitions = partitions.iter().map(|(path, since)| ((*path).to_owned(), partition(*since)));
        let mut state = TableState::default();
        (state.run, state.partitions) = (run, partitions.collect());
        state
    }

    fn kept(runs: &[(u64, &[&str])]) -> BTreeMap<u64, Vec<String>> {
        let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        runs.iter().map(|(run, of_run)| (*run, paths(of_run))).collect()
    }

    #[test]
    fn each_object_comes_from_the_first_backup_after_the_run_and_newer_partitions_go() {
        let state = state(5, &[("a", 1), ("b", 1), ("new", 4), ("again", 5)]);
        let kept = kept(&[(3, &["a", "again"]), (4, &["a", "b"]), (5, &["b"])]);
        let to = |run| plan(&state, run, &kept, 3).unwrap();
        let put =
            |pairs: &[(&str, u64)]| pairs.iter().map(|(path, run)| ((*path).to_owned(), *run)).collect();
        assert_eq!(
            to(2),
            Plan { put: put(&[("a", 3), ("again", 3), ("b", 4)]), remove: vec!["new".to_owned()] }
        );
        assert_eq!(
            to(3),
            Plan { put: put(&[("a", 4), ("b", 4)]), remove: vec!["again".to_owned(), "new".to_owned()] }
        );
        assert_eq!(to(4), Plan { put: put(&[("b", 5)]), remove: vec!["again".to_owned()] });
    }

    #[test]
    fn runs_that_backups_do_not_reach_are_refused_with_those_that_they_do() {
        let refused = |run, newest, keep| plan(&state(newest, &[]), run, &kept(&[]), keep).unwrap_err();
        assert!(refused(5, 5, 3).contains("the newest is 5, and backups reach to 2"));
        assert!(refused(1, 5, 3).contains("run 1 cannot be restored"));
        assert!(refused(0, 0, 3).contains("no run yet"));
        assert!(refused(4, 5, 0).contains("keep-backups"));
        assert!(plan(&state(5, &[]), 2, &kept(&[]), 3).is_ok());
    }
}
