//! Merges that run by themselves beside the pipelines: at the start, when a day has closed, after a backfill, and at the
//! end. A merge that fails is tried again; it never stops a pipeline, whose own tables do not depend on it. Forecasts of
//! what was merged follow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tallow_merge::Merger;

use tallow_env::Finally;
use tallow_pipeline::progress::Viewer;

use crate::forecasting::Forecasting;

const DAY_US: i64 = 86_400_000_000;
/// Between two looks at whether the pipelines have ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Before a merge that failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// The merges of a process.
pub struct Merging {
    mergers: Vec<Merger>,
    forecasting: Forecasting,
    wakes: Sender<usize>,
    woken: Receiver<usize>,
}

impl Merging {
    pub fn new(mergers: Vec<Merger>, forecasting: Forecasting) -> Self {
        // A place for each: one that is due already need not be told twice.
        let (wakes, woken) = bounded(mergers.len().max(1));
        Self { mergers, forecasting, wakes, woken }
    }

    /// Looks on at a pipeline's closed windows for the merges that take them. `tables`: the pipeline's tables by the
    /// names of their windows.
    pub fn viewer(&self, tables: BTreeMap<String, String>) -> Option<Box<dyn Viewer>> {
        let of_table = |table: &String| {
            let takes = |merger: &Merger| merger.settings.speed.as_ref() == Some(table);
            let indices = self.mergers.iter().enumerate().filter(|(_, merger)| takes(merger));
            indices.map(|(index, _)| index).collect::<Vec<_>>()
        };
        let merges: BTreeMap<String, Vec<usize>> =
            tables.iter().map(|(window, table)| (window.clone(), of_table(table))).collect();
        let any = merges.values().any(|merges| !merges.is_empty());
        any.then(|| {
            Box::new(DayClosed { merges, days: Mutex::default(), wakes: self.wakes.clone() })
                as Box<dyn Viewer>
        })
    }

    /// Runs the pipelines, and merges beside them.
    pub fn beside<T>(&self, pipelines: impl FnOnce() -> T) -> T {
        if self.mergers.is_empty() {
            return pipelines();
        }
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _ended = Finally(|| ended.store(true, Ordering::Relaxed));
            scope.spawn(|| self.run(&ended));
            pipelines()
        })
    }

    /// Merges what is due until the pipelines have `ended`, then once more.
    fn run(&self, ended: &AtomicBool) {
        // What closed while nothing ran, or was not merged before a crash.
        let mut due: BTreeSet<usize> = (0..self.mergers.len()).collect();
        loop {
            due.retain(|index| !self.merge(*index));
            let wait = if due.is_empty() { None } else { Some(RETRY) };
            match self.next(ended, wait) {
                Next::Merge(index) => due.extend(std::iter::once(index).chain(self.woken.try_iter())),
                Next::Retry => {}
                Next::End => break,
            }
        }
        (0..self.mergers.len()).for_each(|index| _ = self.merge(index));
    }

    fn next(&self, ended: &AtomicBool, retry: Option<Duration>) -> Next {
        let mut waited = Duration::ZERO;
        loop {
            // First what came before the end, so that the last pass has nothing new.
            match self.woken.recv_timeout(LOOK_EVERY) {
                Ok(index) => return Next::Merge(index),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => waited += LOOK_EVERY,
            }
            if ended.load(Ordering::Relaxed) {
                return Next::End;
            }
            if retry.is_some_and(|retry| waited >= retry) {
                return Next::Retry;
            }
        }
    }

    /// True: it is up to date.
    fn merge(&self, index: usize) -> bool {
        let merger = &self.mergers[index];
        match merger.run(&mut |_| {}) {
            Ok(report) => {
                if let Some(run) = report.run {
                    let (written, healed) = (report.written.len(), report.healed.len());
                    tracing::info!(merge = report.merge, run, written, gaps = report.gaps, healed, "merged");
                }
                self.forecasting.after(&merger.settings.name);
                true
            }
            Err(error) => {
                tracing::error!(merge = merger.settings.name, %error, "the merge failed; it will be tried again");
                false
            }
        }
    }
}

enum Next {
    Merge(usize),
    Retry,
    End,
}

/// Wakes merges when a day has closed: windows shorter than a day do not each cause a merge.
struct DayClosed {
    /// By window.
    merges: BTreeMap<String, Vec<usize>>,
    /// Newest UTC day that was closed, by window.
    days: Mutex<BTreeMap<String, i64>>,
    wakes: Sender<usize>,
}

impl Viewer for DayClosed {
    fn wants_open(&self) -> bool {
        false
    }

    fn open(&self, _: &[(String, RecordBatch)]) {}

    fn backfilled(&self) {
        // No place: they are due already.
        self.merges.values().flatten().for_each(|index| _ = self.wakes.try_send(*index));
    }

    fn closed(&self, _: &str, windows: &[(String, RecordBatch)]) {
        let mut days = self.days.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (window, rows) in windows {
            let (Some(merges), Some(end_us)) = (self.merges.get(window), last_end_us(rows)) else { continue };
            let closed = end_us.div_euclid(DAY_US);
            let newest = days.entry(window.clone()).or_insert(i64::MIN);
            if closed > *newest {
                *newest = closed;
                // No place: they are due already.
                merges.iter().for_each(|index| _ = self.wakes.try_send(*index));
            }
        }
    }
}

fn last_end_us(rows: &RecordBatch) -> Option<i64> {
    rows.column_by_name("window_end")?
        .as_primitive_opt::<TimestampMicrosecondType>()?
        .values()
        .iter()
        .max()
        .copied()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, TimestampMicrosecondArray};

    use super::*;

    fn rows(ends_us: &[i64]) -> RecordBatch {
        let ends: ArrayRef = Arc::new(TimestampMicrosecondArray::from(ends_us.to_vec()).with_timezone("UTC"));
        RecordBatch::try_from_iter([("window_end", ends)]).unwrap()
    }

    #[test]
    fn a_merge_is_woken_once_a_day_whatever_closes_within_it() {
        let (wakes, woken) = bounded(1);
        let merges = BTreeMap::from([("1m".to_owned(), vec![0])]);
        let viewer = DayClosed { merges, days: Mutex::default(), wakes };
        let close = |window: &str, ends: &[i64]| {
            viewer.closed("candles", &[(window.to_owned(), rows(ends))]);
            woken.try_iter().count()
        };
        assert_eq!(close("1m", &[DAY_US - 60_000_000]), 1, "the first that is seen");
        assert_eq!(close("1m", &[DAY_US - 1]), 0);
        assert_eq!(close("1m", &[60_000_000, DAY_US]), 1, "midnight");
        assert_eq!(close("1m", &[DAY_US, DAY_US + 60_000_000]), 0);
        assert_eq!(close("1m", &[3 * DAY_US]), 1);
        assert_eq!(close("1s", &[9 * DAY_US]), 0, "nobody merges it");
        assert_eq!(close("1m", &[]), 0);
    }
}
