//! One group of files: read, parsed, taken into the windows, closed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::bounded;
use tallow_engine::{ParseFunction, ParseOptions};
use tallow_files::File;
use tallow_table::{Input, NewPartition, Stored};

use super::beginning::{Learner, Reading};
use super::checkpoint::Checkpoint;
use super::commits::{Commits, Made};
use super::coverage::{Coverage, Ids};
use super::error::BatchError;
use super::error::failed;
use super::group_ledger::Accounts;
use super::judgement;
use super::read_ahead::{Feed, ReadAhead, Turn};
use super::sorting::Sorting;
use super::work::Work;
use crate::example::NAMED;
use crate::group_build::GroupBuild;
use crate::position::{Position, Way};
use crate::services::Services;
use tallow_env::Finally;
use tallow_worker::ByteBudget;
use tallow_worker::{BisectBudget, ParseOutcome, ParseSettings, ParseWorker, ParsedBatch, Unobserved};

/// Batches in flight; their bytes are bounded beside it.
const QUEUE: usize = 64;
/// Bytes of lines between reading and the windows.
const QUEUE_BYTES: usize = 6 << 20;

/// How far a group is.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Lines that were read in this run.
    pub lines: u64,
    /// Once they are read and sorted: rows that went into the windows, of how many.
    pub sorted: Option<(u64, u64)>,
}

/// A group that is made.
pub struct FinishedGroup {
    pub made: Made,
    pub files: Vec<Stored>,
    /// Lines that were read in this run.
    pub lines: u64,
}

impl GroupBuild<'_> {
    /// Reads the group's files and makes its partitions, from where an earlier run had come to. Where the rows turn out
    /// to be too far out of order for that, they are read again and sorted; where their ids turn out to count something too
    /// coarse, they are read again with finer ones.
    pub fn make(
        &self,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<FinishedGroup, BatchError> {
        let bytes_before = self.progress.load(Ordering::Relaxed);
        let checkpoint = Checkpoint::held(commits, self.name, self.fingerprint);
        let before = commits.made(self.name).map(|made| Way { sorted: made.sorted, ids: made.ids });
        let mut way = Way { sorted: false, ids: self.first_ids()? };
        if let Some(before) = checkpoint.as_ref().map(Checkpoint::way).or(before) {
            way.sorted = before.sorted;
            way.ids = if way.ids == Ids::Unknown { way.ids } else { before.ids };
        }
        let mut checkpoint = checkpoint.filter(|found| !found.unsorted);
        let made = loop {
            let made = match way.sorted {
                true => self.sorted(way, commits, shown),
                false => self.as_they_come(way, checkpoint.take(), commits, shown),
            };
            match made {
                Err(BatchError::Ids) if way.ids.finer().is_some() => {
                    tracing::info!(
                        group = self.name,
                        "rows lie nearer than their interval: they are read again"
                    );
                    way.ids = way.ids.finer().unwrap_or(way.ids);
                }
                Err(error) if error.is_unsorted() && !way.sorted => {
                    tracing::info!(group = self.name, "its rows are far out of order: they are sorted first");
                    way.sorted = true;
                    let unsorted = Checkpoint::put_unsorted(commits, self.name, self.fingerprint, way.ids)?;
                    commits.commit_with(self.name, unsorted)?;
                }
                other => break other,
            }
            self.progress.store(bytes_before, Ordering::Relaxed);
        };
        let (Accounts { mut report, files: counts, .. }, files, lines) = made?;
        if let Some(error) = report.contradictions() {
            return Err(error);
        }
        report.files = self.group.files.len() as u64;
        report.bytes = self.group.files.iter().map(File::size_bytes).sum();
        let names: Vec<&str> = self.group.files.iter().map(|file| file.name.as_str()).collect();
        report.files_without_rows = judgement::without_rows(&names, &counts).count() as u64;
        report.without_rows =
            judgement::without_rows(&names, &counts).take(NAMED).map(str::to_owned).collect();
        self.judge(judgement::doubts(
            &names,
            &counts,
            &report,
            commits.made(self.name).map(|made| &made.report),
        ))?;
        let paths = files.iter().map(|file| file.path.clone()).collect();
        let Way { sorted, ids } = way;
        let made = Made { fingerprint: self.fingerprint.to_owned(), paths, report, sorted, ids };
        Ok(FinishedGroup { made, files, lines })
    }

    /// Refuses a group that is doubtful, unless it is meant.
    fn judge(&self, doubts: Vec<String>) -> Result<(), BatchError> {
        if doubts.is_empty() {
            return Ok(());
        }
        if self.services.plan.allow_empty {
            tracing::warn!(group = self.name, doubts = doubts.join("; "), "published, as `allow-empty` says");
            return Ok(());
        }
        Err(BatchError::Doubtful { doubts: doubts.join("; ") })
    }

    /// What ids count as long as nothing speaks against it.
    fn first_ids(&self) -> Result<Ids, BatchError> {
        let function = self.parse_function(ParseOptions::default())?;
        let learns = self.learner(function, self.options(Ids::Unknown))?;
        Ok(if learns.learns() { Ids::Intervals } else { Ids::Unknown })
    }

    fn learner(&self, function: ParseFunction, options: ParseOptions) -> Result<Learner<'_>, BatchError> {
        let Services { plan, parse, .. } = self.services;
        Learner::new(plan, parse.name(), function, options, &self.group.files)
    }

    /// What is asked of every file of the group.
    fn options(&self, ids: Ids) -> ParseOptions {
        let mut options = self.services.plan.options.clone();
        options.settings.extend(self.group.symbol.clone().map(|symbol| ("symbol".to_owned(), symbol)));
        if let Ids::Unit { us } = ids {
            options.settings.push(("id-unit-us".to_owned(), us.to_string()));
        }
        options
    }

    /// Takes rows into the windows in the order of files and lines.
    fn as_they_come(
        &self,
        way: Way,
        checkpoint: Option<Checkpoint>,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<(Accounts, Vec<Stored>, u64), BatchError> {
        let coverage = Coverage::new(way.ids, self.services.plan.job.gap_us);
        let resumed = checkpoint.map(|checkpoint| Work::resume(self, commits, checkpoint));
        let mut work = match resumed {
            Some(Ok(work)) => work,
            Some(Err(error)) => {
                tracing::warn!(group = self.name, %error, "it cannot be gone on with: it begins again");
                Work::begin(self, coverage)?
            }
            None => Work::begin(self, coverage)?,
        };
        let taken_before: u64 = self.group.files[..work.at.file].iter().map(File::size_bytes).sum();
        self.progress.fetch_add(taken_before, Ordering::Relaxed);
        let lines_before = work.accounts.report.lines;
        let feed = self.feed(work.at, work.clock_us);
        let whole = self.read(&feed, way.ids, |file, begins, parts| {
            work.take(file, begins, parts, commits)?;
            shown(Shown { lines: work.accounts.report.lines - lines_before, sorted: None });
            Ok(())
        })?;
        if !whole {
            work.checkpoint(commits)?;
            return Err(BatchError::Stopped);
        }
        let lines = work.accounts.report.lines - lines_before;
        let (accounts, files) = work.finish(commits)?;
        Ok((accounts, files, lines))
    }

    /// Takes rows into the windows in the order of keys and times.
    fn sorted(
        &self,
        way: Way,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<(Accounts, Vec<Stored>, u64), BatchError> {
        let coverage = Coverage::new(way.ids, self.services.plan.job.gap_us);
        let mut sorting = Sorting::begin(self)?;
        let clock_us = self.services.clock.now_us();
        let whole =
            self.read(&self.feed(Position::default(), clock_us), way.ids, |file, begins, parts| {
                sorting.take(file, begins, parts, commits)?;
                shown(Shown { lines: sorting.report().lines, sorted: None });
                Ok(())
            })?;
        if !whole {
            commits.commit()?;
            return Err(BatchError::Stopped);
        }
        let (lines, rows) = (sorting.report().lines, sorting.report().rows);
        let shown = |taken| shown(Shown { lines, sorted: Some((taken, rows)) });
        let (accounts, files) = sorting.finish(&coverage, commits, &shown)?;
        Ok((accounts, files, lines))
    }

    fn feed(&self, from: Position, clock_us: i64) -> Feed<'_> {
        Feed {
            files: &self.group.files,
            checksums: self.services.plan.checksums,
            from,
            clock_us,
            progress: self.progress.clone(),
            stop: &self.services.stop,
        }
    }

    /// Reads and parses all files, with everything side by side but `take`, which is given the number of a file, how the file
    /// is read where these are its first lines, and what became of its next lines. False: it was stopped before the last
    /// line.
    fn read(
        &self,
        feed: &Feed<'_>,
        ids: Ids,
        mut take: impl FnMut(usize, Option<(Reading, bool)>, ParsedBatch) -> Result<(), BatchError>,
    ) -> Result<bool, BatchError> {
        let plan = &self.services.plan;
        let (work_in, work) = bounded(QUEUE);
        let (order_in, order) = bounded::<Turn>(QUEUE);
        let budget = ByteBudget::new(QUEUE_BYTES);
        let bisect = BisectBudget::new(u64::from(plan.job.limits.bisect_calls));
        let shelves = ReadAhead::new(feed.files.len(), feed.from.file);
        let options = self.options(ids);
        let function = self.parse_function(options.clone())?;
        let mut learner = self.learner(function, options)?;
        let workers = (0..plan.workers)
            .map(|_| self.parse_worker(learner.options(), bisect.clone()))
            .collect::<Result<Vec<_>, BatchError>>()?;
        std::thread::scope(|scope| {
            // Where the windows stop early, or fail, what waits for them must not wait for ever.
            let order = order;
            let _closed = Finally(|| budget.close());
            for worker in workers {
                let work = work.clone();
                scope.spawn(move || worker.run(&work));
            }
            drop(work);
            let (shelves, budget) = (&shelves, &budget);
            for _ in 0..plan.workers.min(feed.files.len()) {
                scope.spawn(move || feed.read(shelves));
            }
            let feeding = scope.spawn(move || {
                let _closed = Finally(|| shelves.close());
                feed.run(shelves, &mut learner, budget, &work_in, &order_in)
            });
            let mut take_all = || {
                for Turn { file, begins, worked } in &order {
                    let ParseOutcome { outcome, permit } = worked.recv().map_err(|_| BatchError::Broken)?;
                    take(file, begins, outcome?)?;
                    drop(permit);
                }
                Ok(())
            };
            let taken: Result<(), BatchError> = take_all();
            budget.close();
            drop(order);
            let fed = feeding.join().map_err(|_| BatchError::Broken);
            taken?;
            fed?
        })
    }

    fn parse_worker(
        &self,
        options: &ParseOptions,
        budget: Arc<BisectBudget>,
    ) -> Result<ParseWorker, BatchError> {
        let plan = &self.services.plan;
        let settings = ParseSettings {
            limits: plan.limits,
            options: options.clone(),
            time: plan.spec.time.clone(),
            max_future_us: plan.job.max_future_us,
            keeps_batches: false,
        };
        let clock = self.services.clock.clone();
        Ok(ParseWorker::new(
            &Arc::new(self.services.parse.clone()),
            settings,
            budget,
            Arc::new(Unobserved),
            clock,
        )?)
    }

    fn parse_function(&self, options: ParseOptions) -> Result<ParseFunction, BatchError> {
        let Services { plan, parse, .. } = self.services;
        ParseFunction::new(parse, plan.limits, options).map_err(|error| failed(parse.name(), "start", error))
    }

    /// What stands in the footer of a partition's file.
    pub fn footer(&self) -> Vec<(&'static str, String)> {
        let Services { plan, parse, window, merge, .. } = self.services;
        let functions = serde_json::json!({
            "parse": parse.digest(),
            "window": window.digest(),
            "merge": merge.digest(),
        });
        vec![("tallow.job", plan.log_name()), ("tallow.functions", functions.to_string())]
    }

    /// Stores partitions of the group, with what they are made of.
    pub fn store(
        &self,
        partitions: impl IntoIterator<Item = NewPartition>,
        commits: &Commits<'_>,
        files: &mut Vec<Stored>,
    ) -> Result<(), BatchError> {
        let name = format!("files of {}", self.services.plan.log_name());
        for mut partition in partitions {
            partition.inputs = vec![Input { name: name.clone(), tag: self.fingerprint.to_owned() }];
            files.push(commits.store(partition)?);
        }
        Ok(())
    }
}
