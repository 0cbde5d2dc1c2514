//! The whole job: for each group of files read → parse → windows → merge, and a commit of its partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use serde::{Deserialize, Serialize};
use tallow_edge::{Clock, Random};
use tallow_engine::{Component, ParseFunction, ParseOptions};
use tallow_files::{File, Lines};
use tallow_log::Store;
use tallow_sink::DeadLetter;
use tallow_table::{Done, File as TableFile, Input, NewPartition, Run, TableJob, partition};

use super::coverage::Coverage;
use super::error::BatchError;
use super::feed::{self, Feed, Shelves};
use super::finish::Finish;
use super::fold::{Fold, failed};
use super::interval;
use super::plan::{Group, KEY, Plan};
use super::report::Report;
use crate::error::PipelineError;
use crate::stage::budget::ByteBudget;
use crate::stage::parse::{BisectBudget, ParseWorker, Worked};

/// Batches in flight; their bytes are bounded beside it.
const QUEUE: usize = 64;
/// Bytes of lines between reading and the windows.
const QUEUE_BYTES: usize = 16 << 20;
/// Dead letters that are held before they become a file.
const LETTERS_A_FILE: usize = 20_000;
/// Bytes of dead letters that are held.
const LETTER_BYTES: usize = 16 << 20;
/// What was made is committed at least that often: a run that is killed then goes on from there.
const COMMIT_EVERY: Duration = Duration::from_secs(20);
/// First lines of a file that say how far apart rows are.
const PROBE_BYTES: usize = 256 << 10;

/// Everything that a job touches, real or in memory.
pub struct Wiring {
    pub plan: Plan,
    pub parse: Component,
    pub window: Component,
    pub merge: Component,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Set from outside: stop as soon as may be.
    pub stop: Arc<AtomicBool>,
    /// Shown how far the job is.
    pub watch: Box<dyn Fn(&Progress) + Send + Sync>,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The group that is read: a symbol, or nothing where a column says it.
    pub group: String,
    /// Of all files, as they are.
    pub bytes: u64,
    pub bytes_done: u64,
    pub lines: u64,
    pub elapsed: Duration,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Groups that are as they were: nothing that they are made of has changed.
    pub unchanged: u64,
    pub made: u64,
    pub written: Vec<String>,
    pub removed: Vec<String>,
    /// Of all groups, those that were not made anew too.
    pub report: Report,
    pub elapsed: Duration,
    /// Lines read in this run.
    pub lines: u64,
}

/// What the job's log remembers of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Made {
    fingerprint: String,
    paths: BTreeSet<String>,
    report: Report,
}

type Notes = BTreeMap<String, Made>;

pub fn run(wiring: &Wiring, files: Vec<File>, owner: &str) -> Result<Outcome, BatchError> {
    let plan = &wiring.plan;
    let start = wiring.clock.ticks();
    let bytes = files.iter().map(File::size_bytes).sum();
    let groups = plan.groups(files)?;
    wiring.store.probe(&*wiring.random).map_err(PipelineError::from)?;
    let (clock, random) = (wiring.clock.clone(), wiring.random.clone());
    let mut job =
        TableJob::open(&wiring.store, &plan.log_name(), plan.job.keep_backups, owner, clock, random)?;
    let mut notes: Notes = serde_json::from_value(job.state().notes.clone()).unwrap_or_default();
    let progress = Arc::new(AtomicU64::new(0));
    let mut outcome = Outcome::default();
    let functions = [&wiring.parse, &wiring.window, &wiring.merge].map(Component::digest);
    let mut groups = groups.iter().peekable();
    while groups.peek().is_some() {
        let mut run = job.run();
        let began = wiring.clock.ticks();
        for group in groups.by_ref() {
            let name = group.symbol.clone().unwrap_or_default();
            let fingerprint = plan.fingerprint(group, &functions).to_string();
            if notes.get(&name).is_some_and(|made| made.fingerprint == fingerprint) {
                progress.fetch_add(group.files.iter().map(File::size_bytes).sum(), Ordering::Relaxed);
                outcome.unchanged += 1;
                continue;
            }
            let shown = |lines| {
                (wiring.watch)(&Progress {
                    group: name.clone(),
                    bytes,
                    bytes_done: progress.load(Ordering::Relaxed).min(bytes),
                    lines: outcome.lines + lines,
                    elapsed: wiring.clock.ticks().since(start),
                });
            };
            let making =
                Making { wiring, group, name: &name, fingerprint: &fingerprint, progress: &progress };
            let made = making.make(&mut run, notes.get(&name), &shown)?;
            outcome.made += 1;
            outcome.lines += made.report.lines;
            notes.insert(name, made);
            if wiring.clock.ticks().since(began) >= COMMIT_EVERY {
                break;
            }
        }
        *run.notes() = serde_json::to_value(&notes).unwrap_or_default();
        let Done { written, removed, .. } = run.commit()?;
        outcome.written.extend(written);
        outcome.removed.extend(removed);
    }
    notes.values().for_each(|made| outcome.report.absorb(&made.report));
    outcome.elapsed = wiring.clock.ticks().since(start);
    Ok(outcome)
}

/// A group that is made anew.
struct Making<'a> {
    wiring: &'a Wiring,
    group: &'a Group,
    name: &'a str,
    fingerprint: &'a str,
    progress: &'a Arc<AtomicU64>,
}

impl Making<'_> {
    /// Reads the group's files, and puts its partitions and dead letters into the run.
    fn make(
        &self,
        run: &mut Run<'_>,
        before: Option<&Made>,
        shown: &dyn Fn(u64),
    ) -> Result<Made, BatchError> {
        let Wiring { plan, clock, .. } = self.wiring;
        let mut options = plan.options.clone();
        options.settings.extend(self.group.symbol.clone().map(|symbol| ("symbol".to_owned(), symbol)));
        let interval_us = self.interval(&mut options)?;
        let coverage = Coverage::new(interval_us, plan.job.gap_us);
        let mut fold =
            Fold::new(&self.wiring.window, plan.limits, &plan.spec, KEY, plan.job.on_reject, coverage)?;
        let mut paths = BTreeSet::new();
        let mut letters = Letters { making: self, paths: &mut paths, files: 0 };
        let files = &self.group.files[..];
        let feed = Feed {
            files,
            checksums: plan.checksums,
            options: &options,
            clock_us: clock.now_us(),
            progress: self.progress.clone(),
            stop: &self.wiring.stop,
        };
        self.read(&feed, &mut fold, |fold| {
            shown(fold.report.lines);
            letters.put(run, &mut fold.dead, LETTERS_A_FILE)
        })?;
        if self.wiring.stop.load(Ordering::Relaxed) {
            return Err(BatchError::Stopped);
        }
        letters.put(run, &mut fold.dead, 1)?;
        let mut report = self.finish(run, fold, &mut paths)?;
        report.files = files.len() as u64;
        report.bytes = files.iter().map(File::size_bytes).sum();
        report.interval_us = interval_us;
        for path in before.map(|made| &made.paths).into_iter().flatten() {
            if !paths.contains(path) {
                run.remove(path);
            }
        }
        Ok(Made { fingerprint: self.fingerprint.to_owned(), paths, report })
    }

    /// The distance of rows: as the job says, or as the first file that has rows shows. What is found becomes a
    /// setting, so that every batch goes by the same.
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
            let under = feed::under(options, lines.first_line.as_deref().unwrap_or_default());
            let mut batch = feed::batch(&file.name, lines, 1, 0);
            let mut function = self.parse_function(under)?;
            let parsed = function
                .parse(&mut batch)
                .map_err(|error| failed(self.wiring.parse.name(), "parse", error))?;
            if let Some(interval_us) = interval::most_frequent_us(&parsed.rows, &plan.spec.time, KEY)
                && let Some(name) = interval::name(interval_us)
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

    /// Reads, parses and takes in all files, with everything side by side but the windows.
    fn read(
        &self,
        feed: &Feed<'_>,
        fold: &mut Fold,
        mut after: impl FnMut(&mut Fold) -> Result<(), BatchError>,
    ) -> Result<(), BatchError> {
        let plan = &self.wiring.plan;
        let (work_in, work) = bounded(QUEUE);
        let (order_in, order) = bounded::<Receiver<Worked>>(QUEUE);
        let budget = ByteBudget::new(QUEUE_BYTES);
        let bisect = BisectBudget::new(u64::from(plan.job.limits.bisect_calls));
        let shelves = Shelves::new(feed.files.len());
        let workers = (0..plan.workers)
            .map(|_| self.parse_worker(feed.options, bisect.clone()))
            .collect::<Result<Vec<_>, BatchError>>()?;
        std::thread::scope(|scope| {
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
                let done = feed.run(shelves, budget, &work_in, &order_in);
                shelves.close();
                done
            });
            let mut take_all = || {
                for worked in &order {
                    let Worked { outcome, permit } = worked.recv().map_err(|_| PipelineError::Broken)?;
                    fold.take(outcome?)?;
                    drop(permit);
                    after(fold)?;
                }
                Ok(())
            };
            let taken: Result<(), BatchError> = take_all();
            // Where the windows stopped early, whoever waits for them must not wait for ever.
            budget.close();
            drop(order);
            let fed = feeding.join().unwrap_or(Ok(()));
            taken?;
            Ok(fed?)
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

    /// Closes the windows year by year, and puts the partitions into the run.
    fn finish(
        &self,
        run: &mut Run<'_>,
        mut fold: Fold,
        paths: &mut BTreeSet<String>,
    ) -> Result<Report, BatchError> {
        let plan = &self.wiring.plan;
        let footer = vec![
            ("tallow.job", plan.log_name()),
            (
                "tallow.functions",
                serde_json::json!({
                    "parse": self.wiring.parse.digest(),
                    "window": self.wiring.window.digest(),
                    "merge": self.wiring.merge.digest(),
                })
                .to_string(),
            ),
        ];
        let mut finish = Finish::new(plan, &self.wiring.merge, footer)?;
        let spans: Vec<(i64, i64)> =
            fold.coverage.symbols().filter_map(|symbol| fold.coverage.span_us(symbol)).collect();
        let first = spans.iter().map(|(from_us, _)| *from_us).min();
        let last = spans.iter().map(|(_, end_us)| end_us - 1).max();
        if let (Some(first), Some(last)) = (first, last) {
            let [first, last] = [first, last].map(|time_us| partition::year(plan.window_start_us(time_us)));
            for year in first..=last {
                // Windows that begin in the year may end in the next.
                let last_start_us = plan.window_start_us(partition::year_start_us(year + 1) - 1);
                let outputs = fold.close(last_start_us + plan.size_us())?;
                for mut partition in finish.year(year, &outputs, &fold.coverage, &mut fold.report)? {
                    partition.inputs = self.inputs();
                    paths.insert(partition.path.clone());
                    run.put(partition)?;
                }
            }
        }
        fold.finish()
    }

    /// What a partition of the group is made of.
    fn inputs(&self) -> Vec<Input> {
        vec![Input {
            name: format!("files of {}", self.wiring.plan.log_name()),
            tag: self.fingerprint.to_owned(),
        }]
    }
}

/// Dead letters on their way into files of the run.
struct Letters<'a> {
    making: &'a Making<'a>,
    paths: &'a mut BTreeSet<String>,
    files: usize,
}

impl Letters<'_> {
    /// Makes a file of the letters where they are `many` or large.
    fn put(
        &mut self,
        run: &mut Run<'_>,
        letters: &mut Vec<DeadLetter>,
        many: usize,
    ) -> Result<(), BatchError> {
        let bytes = || letters.iter().filter_map(|letter| letter.value.as_ref()).map(Vec::len).sum::<usize>();
        if letters.is_empty() || letters.len() < many && bytes() < LETTER_BYTES {
            return Ok(());
        }
        let job = self.making.wiring.plan.log_name();
        let group = tallow_sink::hive::segment("group", self.making.name);
        let path = format!("dead-letter/{job}/{group}/{:05}.parquet", self.files);
        let rows = tallow_sink::dead_letter_rows(letters, &job)?;
        let file = TableFile::of_rows(&path, &rows, "topic", &[("tallow.job", job)])?;
        run.put(NewPartition { path: path.clone(), file, inputs: self.making.inputs() })?;
        self.paths.insert(path);
        self.files += 1;
        letters.clear();
        Ok(())
    }
}
