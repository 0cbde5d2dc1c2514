//! One group of files: read, parsed, taken into the windows, closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, bounded};
use tallow_engine::{ParseFunction, ParseOptions, WantedColumn};
use tallow_files::{File, Lines};
use tallow_table::{Input, Run};

use super::close::Closer;
use super::coverage::Coverage;
use super::error::BatchError;
use super::feed::{self, Feed, Shelves};
use super::fold::{Fold, failed};
use super::interval;
use super::letters::{LETTERS_A_FILE, Letters};
use super::plan::{Group, KEY};
use super::run::{Made, Wiring};
use crate::error::PipelineError;
use crate::stage::budget::ByteBudget;
use crate::stage::parse::{BisectBudget, ParseWorker, Worked};

/// Batches in flight; their bytes are bounded beside it.
const QUEUE: usize = 64;
/// Bytes of lines between reading and the windows.
const QUEUE_BYTES: usize = 6 << 20;
/// First lines of a file that say how far apart rows are.
const PROBE_BYTES: usize = 256 << 10;

/// A group that is made anew.
pub(super) struct Making<'a> {
    pub wiring: &'a Wiring,
    pub group: &'a Group,
    pub name: &'a str,
    pub fingerprint: &'a str,
    pub progress: &'a Arc<AtomicU64>,
}

impl Making<'_> {
    /// Reads the group's files, and puts its partitions and dead letters into the run.
    pub fn make(
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
        let mut letters = Letters::default();
        let mut closer = Closer::new(plan, &self.wiring.merge, self.footer())?;
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
            letters.put(self, run, &mut fold.dead, LETTERS_A_FILE)?;
            closer.relieve(self, run, fold)
        })?;
        if self.wiring.stop.load(Ordering::Relaxed) {
            return Err(BatchError::Stopped);
        }
        letters.put(self, run, &mut fold.dead, 1)?;
        closer.close_all(self, run, &mut fold)?;
        let mut paths = letters.paths;
        paths.append(&mut closer.paths);
        let mut report = fold.finish()?;
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

    /// What stands in the footer of a partition's file.
    fn footer(&self) -> Vec<(&'static str, String)> {
        let Wiring { plan, parse, window, merge, .. } = self.wiring;
        let functions = serde_json::json!({
            "parse": parse.digest(),
            "window": window.digest(),
            "merge": merge.digest(),
        });
        vec![("tallow.job", plan.log_name()), ("tallow.functions", functions.to_string())]
    }

    /// What a partition of the group is made of.
    pub fn inputs(&self) -> Vec<Input> {
        vec![Input {
            name: format!("files of {}", self.wiring.plan.log_name()),
            tag: self.fingerprint.to_owned(),
        }]
    }
}
