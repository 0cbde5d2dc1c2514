//! One group of files: read, parsed, taken into the windows, closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, bounded};
use tallow_engine::{ParseFunction, ParseOptions, WantedColumn};
use tallow_files::{File, Lines};
use tallow_table::{Input, NewPartition, Stored};

use super::accounts::Accounts;
use super::checkpoint::{Checkpoint, Position};
use super::commits::{Commits, Made};
use super::coverage::Coverage;
use super::error::BatchError;
use super::feed::{self, Feed, Shelves};
use super::fold::failed;
use super::interval;
use super::judgement;
use super::plan::{Group, KEY};
use super::run::Wiring;
use super::sorting::Sorting;
use super::work::Work;
use crate::error::PipelineError;
use crate::finally::Finally;
use crate::stage::budget::ByteBudget;
use crate::stage::parse::{BisectBudget, ParseWorker, Parts, Worked};

/// Batches in flight; their bytes are bounded beside it.
const QUEUE: usize = 64;
/// Bytes of lines between reading and the windows.
const QUEUE_BYTES: usize = 6 << 20;
/// First lines of a file that say how far apart rows are.
const PROBE_BYTES: usize = 256 << 10;

/// A group that is made anew.
pub struct Making<'a> {
    pub wiring: &'a Wiring,
    pub group: &'a Group,
    pub name: &'a str,
    pub fingerprint: &'a str,
    pub progress: &'a Arc<AtomicU64>,
}

/// How far a group is.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Lines that were read in this run.
    pub lines: u64,
    /// Once they are read and sorted: rows that went into the windows, of how many.
    pub sorted: Option<(u64, u64)>,
}

/// A group that is made.
pub struct Whole {
    pub made: Made,
    pub files: Vec<Stored>,
    /// Lines that were read in this run.
    pub lines: u64,
}

impl Making<'_> {
    /// Reads the group's files and makes its partitions, from where an earlier run had come to. Where the rows turn out
    /// to be too far out of order for that, they are read again and sorted.
    pub fn make(&self, commits: &mut Commits<'_>, shown: &dyn Fn(Shown)) -> Result<Whole, BatchError> {
        let plan = &self.wiring.plan;
        let mut options = plan.options.clone();
        options.settings.extend(self.group.symbol.clone().map(|symbol| ("symbol".to_owned(), symbol)));
        let interval_us = self.interval(&mut options)?;
        let coverage = Coverage::new(interval_us, plan.job.gap_us);
        let bytes_before = self.progress.load(Ordering::Relaxed);
        let checkpoint = commits.held(self.name, self.fingerprint);
        let known = checkpoint.as_ref().is_some_and(|found| found.unsorted)
            || commits.made(self.name).is_some_and(|made| made.sorted);
        let as_they_come = match known {
            true => Err(BatchError::Unsorted),
            false => self.as_they_come(&options, coverage.clone(), checkpoint, commits, shown),
        };
        let mut sorted = false;
        let made = match as_they_come {
            Err(error) if error.is_unsorted() => {
                tracing::info!(group = self.name, "its rows are far out of order: they are sorted first");
                self.progress.store(bytes_before, Ordering::Relaxed);
                sorted = true;
                let unsorted = Checkpoint::put_unsorted(commits, self.name, self.fingerprint)?;
                commits.commit_with(self.name, unsorted)?;
                self.sorted(&options, &coverage, commits, shown)
            }
            other => other,
        };
        let (Accounts { mut report, files: counts, .. }, files, lines) = made?;
        report.files = self.group.files.len() as u64;
        report.bytes = self.group.files.iter().map(File::size_bytes).sum();
        report.interval_us = interval_us;
        let names: Vec<&str> = self.group.files.iter().map(|file| file.name.as_str()).collect();
        report.files_without_rows = judgement::without_rows(&names, &counts).count() as u64;
        report.without_rows =
            judgement::without_rows(&names, &counts).take(judgement::NAMED).map(str::to_owned).collect();
        self.judge(judgement::doubts(
            &names,
            &counts,
            &report,
            commits.made(self.name).map(|made| &made.report),
        ))?;
        let paths = files.iter().map(|file| file.path.clone()).collect();
        let made = Made { fingerprint: self.fingerprint.to_owned(), paths, report, sorted };
        Ok(Whole { made, files, lines })
    }

    /// Refuses a group that is doubtful, unless it is meant.
    fn judge(&self, doubts: Vec<String>) -> Result<(), BatchError> {
        if doubts.is_empty() {
            return Ok(());
        }
        if self.wiring.plan.allow_empty {
            tracing::warn!(group = self.name, doubts = doubts.join("; "), "published, as `allow-empty` says");
            return Ok(());
        }
        Err(BatchError::Doubtful { doubts: doubts.join("; ") })
    }

    /// Takes rows into the windows in the order of files and lines.
    fn as_they_come(
        &self,
        options: &ParseOptions,
        coverage: Coverage,
        checkpoint: Option<Checkpoint>,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<(Accounts, Vec<Stored>, u64), BatchError> {
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
        let whole = self.read(&self.feed(options, work.at, work.clock_us), |file, parts| {
            work.take(file, parts, commits)?;
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
        options: &ParseOptions,
        coverage: &Coverage,
        commits: &mut Commits<'_>,
        shown: &dyn Fn(Shown),
    ) -> Result<(Accounts, Vec<Stored>, u64), BatchError> {
        let mut sorting = Sorting::begin(self)?;
        let clock_us = self.wiring.clock.now_us();
        let whole = self.read(&self.feed(options, Position::default(), clock_us), |file, parts| {
            sorting.take(file, parts, commits)?;
            shown(Shown { lines: sorting.report().lines, sorted: None });
            Ok(())
        })?;
        if !whole {
            commits.commit()?;
            return Err(BatchError::Stopped);
        }
        let (lines, rows) = (sorting.report().lines, sorting.report().rows);
        let shown = |taken| shown(Shown { lines, sorted: Some((taken, rows)) });
        let (accounts, files) = sorting.finish(coverage, commits, &shown)?;
        Ok((accounts, files, lines))
    }

    fn feed<'f>(&'f self, options: &'f ParseOptions, from: Position, clock_us: i64) -> Feed<'f> {
        Feed {
            files: &self.group.files,
            checksums: self.wiring.plan.checksums,
            options,
            from,
            clock_us,
            progress: self.progress.clone(),
            stop: &self.wiring.stop,
        }
    }

    /// The distance of rows: as the job says, as the rows of the first file that has any say, or as they lie. What is
    /// found becomes a setting, so that every batch goes by the same.
    fn interval(&self, options: &mut ParseOptions) -> Result<i64, BatchError> {
        let plan = &self.wiring.plan;
        if let Some(interval) = &plan.job.interval {
            return Ok(interval::length_us(interval).unwrap_or(0));
        }
        for file in &self.group.files {
            let mut first = None;
            let mut sink = |lines: Lines| {
                first = Some(lines);
                false
            };
            let ignored = tallow_files::Checksums::Ignored;
            tallow_files::read(file, ignored, PROBE_BYTES, Arc::default(), &mut sink)?;
            let Some(lines) = first else { continue };
            let mut under = feed::under(options, lines.first_line.as_deref().unwrap_or_default());
            let mut function = self.parse_function(under.clone())?;
            if function.description().columns.iter().any(|column| column.name == interval::COLUMN) {
                under.columns.push(WantedColumn { name: interval::COLUMN.to_owned(), scale: 0 });
                function.set_options(under);
            }
            let mut batch = feed::batch(&file.name, lines, 1, 0);
            let parsed = function
                .parse(&mut batch)
                .map_err(|error| failed(self.wiring.parse.name(), "parse", error))?;
            let seen_us = interval::most_frequent_us(&parsed.rows, &plan.spec.time, KEY);
            let name = interval::named(&parsed.rows).or_else(|| interval::name(seen_us?));
            if let Some(name) = name
                && let Some(interval_us) = interval::length_us(&name).or(seen_us)
            {
                options.settings.push(("interval".to_owned(), name));
                return Ok(interval_us);
            }
        }
        // One row or none: a row stands for the whole of its window.
        let interval_us = plan.size_us();
        options.settings.extend(interval::name(interval_us).map(|name| ("interval".to_owned(), name)));
        Ok(interval_us)
    }

    /// Reads and parses all files, with everything side by side but `take`, which is given the number of a file and what
    /// became of its next lines. False: it was stopped before the last line.
    fn read(
        &self,
        feed: &Feed<'_>,
        mut take: impl FnMut(usize, Parts) -> Result<(), BatchError>,
    ) -> Result<bool, BatchError> {
        let plan = &self.wiring.plan;
        let (work_in, work) = bounded(QUEUE);
        let (order_in, order) = bounded::<(usize, Receiver<Worked>)>(QUEUE);
        let budget = ByteBudget::new(QUEUE_BYTES);
        let bisect = BisectBudget::new(u64::from(plan.job.limits.bisect_calls));
        let shelves = Shelves::new(feed.files.len(), feed.from.file);
        let workers = (0..plan.workers)
            .map(|_| self.parse_worker(feed.options, bisect.clone()))
            .collect::<Result<Vec<_>, BatchError>>()?;
        std::thread::scope(|scope| {
            // Where the windows stop early, or fail, whoever waits for them must not wait for ever.
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
                feed.run(shelves, budget, &work_in, &order_in)
            });
            let mut take_all = || {
                for (file, worked) in &order {
                    let Worked { outcome, permit } = worked.recv().map_err(|_| PipelineError::Broken)?;
                    take(file, outcome?)?;
                    drop(permit);
                }
                Ok(())
            };
            let taken: Result<(), BatchError> = take_all();
            budget.close();
            drop(order);
            let fed = feeding.join().map_err(|_| PipelineError::Broken);
            taken?;
            Ok(fed??)
        })
    }

    fn parse_worker(
        &self,
        options: &ParseOptions,
        budget: Arc<BisectBudget>,
    ) -> Result<ParseWorker, BatchError> {
        let plan = &self.wiring.plan;
        Ok(ParseWorker {
            function: self.parse_function(options.clone())?,
            component: Arc::new(self.wiring.parse.clone()),
            limits: plan.limits,
            options: options.clone(),
            time: plan.spec.time.clone(),
            max_future_us: plan.job.max_future_us,
            keeps_batches: false,
            live: Arc::default(),
            clock: self.wiring.clock.clone(),
            budget,
        })
    }

    fn parse_function(&self, options: ParseOptions) -> Result<ParseFunction, BatchError> {
        let Wiring { plan, parse, .. } = self.wiring;
        ParseFunction::new(parse, plan.limits, options).map_err(|error| failed(parse.name(), "start", error))
    }

    /// What stands in the footer of a partition's file.
    pub fn footer(&self) -> Vec<(&'static str, String)> {
        let Wiring { plan, parse, window, merge, .. } = self.wiring;
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
        let name = format!("files of {}", self.wiring.plan.log_name());
        for mut partition in partitions {
            partition.inputs = vec![Input { name: name.clone(), tag: self.fingerprint.to_owned() }];
            files.push(commits.store(partition)?);
        }
        Ok(())
    }
}
