//! A whole run: look, merge what changed, commit, and say what is lacking. And a restore.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use tallow_engine::{Component, Limits, MergeFunction};
use tallow_env::{Clock, Random};
use tallow_store::Store;
use tallow_table::{Done, Run, TableError, TableJob, wanted};

use crate::columns::Columns;
use crate::notes::{Healed, Notes};
use crate::series::Series;
use crate::sources::{Sources, Years};
use crate::{MergeError, Settings, gaps, retention};

/// Everything that a merge touches.
pub struct Merger {
    pub settings: Settings,
    pub component: Component,
    pub limits: Limits,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// For people who read the log: host and process.
    pub owner: String,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The partition that was looked at.
    pub key: &'a str,
    pub year: i32,
    pub done: usize,
    pub all: usize,
}

/// What a run did and found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub merge: String,
    /// Its number; `None` if no partition changed.
    pub run: Option<u64>,
    /// Partitions whose inputs changed, and were merged again.
    pub merged: u64,
    /// Objects written: partitions whose bytes changed.
    pub written: Vec<String>,
    pub removed: Vec<String>,
    /// The served table.
    pub keys: u64,
    pub partitions: u64,
    pub rows: u64,
    /// Runs of windows without a complete row.
    pub gaps: u64,
    pub healed: Vec<Healed>,
    /// Speed files removed, since they are served.
    pub dropped_files: u64,
}

impl Merger {
    /// Merges what changed since the last run. What an earlier run left unfinished is completed first.
    pub fn run(&self, watch: &mut dyn FnMut(Step<'_>)) -> Result<Report, MergeError> {
        let settings = &self.settings;
        let mut job = self.open()?;
        let before = Notes::of(&settings.job(), job.state())?;
        let mut notes = before.clone();
        let mut columns = Columns::default();
        let sources = Sources::look(&self.store, settings, job.state(), &mut notes, &mut columns)?;
        let mut function = MergeFunction::new(&self.component, self.limits).map_err(|error| {
            let function = self.component.name().to_owned();
            MergeError::Function { function, partition: "start".to_owned(), error }
        })?;
        notes.columns = columns.join(&notes.columns, settings, &mut function, self.component.name())?;

        let mut series = Series::new(&self.store, settings, &sources, function, &self.component)?;
        let plan = sources.partitions(&notes, settings.fill);
        let all = plan.values().map(|keys| keys.len()).sum();
        let mut run = job.run();
        let (mut done, mut merged) = (0, 0);
        for (year, keys) in &plan {
            for (key, continues) in keys {
                merged += u64::from(series.partition(key, *year, *continues, &mut notes, &mut run)?);
                done += 1;
                watch(Step { key, year: *year, done, all });
            }
        }
        self.remove_orphans(&plan, &mut notes, &mut run);

        let now_us = self.clock.now_us();
        let healed = gaps::healed(settings, &before, &notes, now_us);
        notes.add_healed(healed.iter().cloned());
        let dropped = self.drop_days(&sources, &mut notes, &run, now_us);
        *run.notes() = self.as_json(&notes)?;
        let committed = run.commit()?;

        let dropped_files = self.remove_dropped(&sources, &dropped)?;
        self.say_wanted(&notes, now_us)?;
        Ok(Report { merged, healed, dropped_files, ..self.report(&notes, &job, committed) })
    }

    /// Brings the tables back to how a run left them. They stay so until an input of theirs changes.
    pub fn restore(&self, run: u64) -> Result<Report, MergeError> {
        let mut job = self.open()?;
        let mut notes = Notes::of(&self.settings.job(), job.state())?;
        if let Some(dropped) = notes.dropped_at_run
            && run < dropped
        {
            return Err(MergeError::Dropped { run, dropped });
        }
        let mut amended = Ok(());
        let restored = job.restore(run, |kept, paths| {
            for path in paths {
                if let Some(note) = notes.partitions.get_mut(path) {
                    note.sound = false;
                }
            }
            amended = self.as_json(&notes).map(|notes| *kept = notes);
        })?;
        amended?;
        Ok(self.report(&notes, &job, restored))
    }

    fn open(&self) -> Result<TableJob, MergeError> {
        let (settings, clock, random) = (&self.settings, self.clock.clone(), self.random.clone());
        let keep = settings.keep_backups;
        Ok(TableJob::open(&self.store, &settings.job(), keep, &self.owner, clock, random)?)
    }

    fn as_json(&self, notes: &Notes) -> Result<serde_json::Value, MergeError> {
        let wrong = |why: String| TableError::State { job: self.settings.job(), why };
        Ok(serde_json::to_value(notes).map_err(|error| wrong(error.to_string()))?)
    }

    /// Removes partitions that no input speaks of any more. Those that a restore brought back for good have none.
    fn remove_orphans(&self, plan: &Years, notes: &mut Notes, run: &mut Run<'_>) {
        let (serving, prophet) = (self.settings.serving_table(), self.settings.prophet_table());
        let wanted = |path: &String| {
            let of_prophet = prophet.partition(path).filter(|_| self.settings.prophet.is_some());
            serving
                .partition(path)
                .or(of_prophet)
                .is_some_and(|it| plan.get(&it.year).is_some_and(|keys| keys.contains_key(&it.key)))
        };
        let orphans: Vec<String> = run
            .state()
            .partitions
            .iter()
            .filter(|(path, partition)| !wanted(path) && !partition.inputs.is_empty())
            .map(|(path, _)| path.clone())
            .collect();
        for path in &orphans {
            run.remove(path);
        }
        let there: BTreeSet<&String> = run.state().partitions.keys().collect();
        notes.partitions.retain(|path, _| there.contains(path));
    }

    /// Marks days whose speed files may go: from this commit on the served table alone has their rows.
    fn drop_days(&self, sources: &Sources, notes: &mut Notes, run: &Run<'_>, now_us: i64) -> Vec<String> {
        let Some(retention_us) = self.settings.speed_retention_us else { return Vec::new() };
        let serving = self.settings.serving_table();
        let days = retention::droppable(notes, &sources.days, &serving, now_us, retention_us);
        for day in &days {
            if let Some(note) = notes.days.get_mut(day).filter(|note| !note.dropped) {
                note.dropped = true;
                notes.dropped_at_run = Some(run.number());
            }
        }
        days
    }

    /// Removes the files of days that the commit says are dropped. One that stays is removed by the next run.
    fn remove_dropped(&self, sources: &Sources, days: &[String]) -> Result<u64, MergeError> {
        let mut removed = 0;
        for listed in days.iter().filter_map(|day| sources.days.get(day)).flat_map(|day| &day.files) {
            self.store.delete(&listed.path)?;
            removed += 1;
        }
        Ok(removed)
    }

    fn say_wanted(&self, notes: &Notes, now_us: i64) -> Result<(), MergeError> {
        let wanted = match self.settings.heal {
            true => gaps::wanted(&self.settings, notes, now_us),
            false => Vec::new(),
        };
        Ok(wanted::write(&self.store, &self.settings.name, &wanted)?)
    }

    fn report(&self, notes: &Notes, job: &TableJob, done: Done) -> Report {
        let serving = self.settings.serving_table();
        let served: Vec<_> = job
            .state()
            .partitions
            .iter()
            .filter_map(|(path, partition)| Some((serving.partition(path)?, partition)))
            .collect();
        Report {
            merge: self.settings.name.clone(),
            run: done.run,
            written: done.written,
            removed: done.removed,
            keys: served.iter().map(|(it, _)| &it.key).collect::<BTreeSet<_>>().len() as u64,
            partitions: served.len() as u64,
            rows: served.iter().map(|(_, partition)| partition.rows).sum(),
            gaps: notes.partitions.values().map(|note| note.gaps.len() as u64).sum(),
            ..Report::default()
        }
    }
}
