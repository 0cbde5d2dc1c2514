//! Reads and parses the files of a group side by side, and gives what becomes of their lines in one order.

use std::sync::Arc;

use crossbeam_channel::bounded;
use tallow_engine::ParseOptions;
use tallow_env::Finally;
use tallow_worker::{
    BisectBudget, ByteBudget, ParseOutcome, ParseSettings, ParseWorker, ParsedBatch, Unobserved,
};

use crate::beginning::Reading;
use crate::error::BatchError;
use crate::group_build::GroupBuild;
use crate::ids::Ids;
use crate::position::Position;
use crate::read_ahead::{Feed, ReadAhead, Turn};

/// Batches in flight; their bytes are bounded beside it.
const QUEUE: usize = 64;
/// Bytes of lines between reading and the windows.
const QUEUE_BYTES: usize = 6 << 20;

/// What became of the next lines of a file.
pub struct ParsedLines {
    /// Number of the file.
    pub file: usize,
    /// How the file is read, with its first lines; and whether that is reported for the first time.
    pub begins: Option<(Reading, bool)>,
    pub parsed: ParsedBatch,
}

impl GroupBuild<'_> {
    /// Everything runs side by side but `take`. `from`: lines that were taken before; `clock_us`: the clock that all lines
    /// are judged by. False: it was stopped before the last line.
    pub fn read(
        &self,
        from: Position,
        clock_us: i64,
        ids: Ids,
        mut take: impl FnMut(ParsedLines) -> Result<(), BatchError>,
    ) -> Result<bool, BatchError> {
        let plan = &self.services.plan;
        let feed = Feed {
            files: &self.group.files,
            checksums: plan.checksums,
            from,
            clock_us,
            progress: self.progress.clone(),
            stop: &self.services.stop,
        };
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
            let (feed, shelves, budget) = (&feed, &shelves, &budget);
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
                    take(ParsedLines { file, begins, parsed: outcome? })?;
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
        let (component, clock) = (Arc::new(self.services.parse.clone()), self.services.clock.clone());
        Ok(ParseWorker::new(&component, settings, budget, Arc::new(Unobserved), clock)?)
    }
}
