//! What the topic holds already: the last id of each series, read from its end.

use std::collections::BTreeMap;

use rangemap::RangeInclusiveSet;
use tallow_engine::feed::{Law, Plan, Series, Subscription};
use tallow_engine::{ByteColumn, CallError, FeedFunction};
use tallow_env::Clock;
use tallow_produce::{ProduceError, SinkConfig, read_end};

use crate::hole::Hole;

/// Records of each partition that are read first, and at most: so many again until every series is found.
const FIRST_LOOK: i64 = 10_000;
const LAST_LOOK: i64 = 1_280_000;
/// Records of one call.
const BATCH: usize = 4096;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By series: the ids in what was read.
    pub ids: BTreeMap<Series, RangeInclusiveSet<i64>>,
    /// Records read of each partition at most; `None` if that was all.
    pub looked: Option<i64>,
}

impl Found {
    /// The last id of a series.
    pub fn last(&self, series: Series) -> Option<i64> {
        self.ids.get(&series)?.last().map(|range| *range.end())
    }

    /// Ids between others of a series that the topic does not hold, as first, last.
    pub fn lacking(&self, series: Series) -> Vec<(i64, i64)> {
        let Some(ids) = self.ids.get(&series) else { return Vec::new() };
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Vec::new() };
        ids.gaps(&(*first.start()..=*last.end())).map(|gap| (*gap.start(), *gap.end())).collect()
    }
}

/// Why it was not.
#[derive(Debug)]
pub enum TailError {
    Produce(ProduceError),
    Function(CallError),
}

/// Reads back until every series with ids is found, or nothing is left, or it would take too long.
pub fn find(
    sink: &SinkConfig,
    clock: &dyn Clock,
    function: &mut FeedFunction,
    subscription: &Subscription,
    plan: &Plan,
) -> Result<Found, TailError> {
    let with_ids = plan.streams.iter().filter(|stream| stream.law != Law::None).count();
    let wanted = with_ids * subscription.symbols.len();
    let mut back = FIRST_LOOK;
    loop {
        let mut reader = Reader {
            function: &mut *function,
            subscription,
            plan,
            batch: ByteColumn::default(),
            found: Found::default(),
            error: None,
        };
        let whole =
            read_end(sink, clock, back, &mut |value| reader.see(value)).map_err(TailError::Produce)?;
        let mut found = reader.finish().map_err(TailError::Function)?;
        found.looked = (!whole).then_some(back);
        if whole || found.ids.len() >= wanted || back >= LAST_LOOK {
            return Ok(found);
        }
        back *= 2;
    }
}

struct Reader<'a> {
    function: &'a mut FeedFunction,
    subscription: &'a Subscription,
    plan: &'a Plan,
    batch: ByteColumn,
    found: Found,
    error: Option<CallError>,
}

impl Reader<'_> {
    fn see(&mut self, value: &[u8]) {
        match Hole::read(value) {
            Some(hole) => self.hole(&hole),
            None => self.batch.push(Some(value)),
        }
        if self.batch.len() >= BATCH {
            self.read();
        }
    }

    fn hole(&mut self, hole: &Hole) {
        let index = |names: &[String], name: &str| names.iter().position(|known| known == name);
        let symbol = index(&self.subscription.symbols, &hole.s);
        let stream = index(&self.subscription.streams, &hole.stream);
        if let (Some(symbol), Some(stream), true) = (symbol, stream, hole.first <= hole.last) {
            self.note(Series { symbol: symbol as u32, stream: stream as u32 }, hole.first, hole.last);
        }
    }

    fn note(&mut self, series: Series, first: i64, last: i64) {
        // Next to these there is no other id.
        if first == i64::MIN || last == i64::MAX {
            return;
        }
        let ids = self.found.ids.entry(series).or_default();
        // Ids that are far apart would take too much room, and prove nothing.
        let law = self.plan.streams.get(series.stream as usize).map(|stream| stream.law);
        let newest = ids.last().map(|range| *range.end());
        if law != Some(Law::Dense) && newest.is_some_and(|newest| newest < last) {
            ids.clear();
        }
        if law == Some(Law::Dense) || newest.is_none_or(|newest| newest < last) {
            ids.insert(first..=last);
        }
    }

    fn read(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        match self.function.read(self.subscription, &batch) {
            Ok(arrived) => {
                arrived.records.iter().for_each(|(series, id, _)| self.note(series, id, id));
            }
            Err(error @ CallError::Refused(_)) => self.error = Some(error),
            // A record of another's on which the function breaks has no id of this feed.
            Err(error) if batch.len() == 1 => tracing::warn!(%error, "a record in the topic is passed over"),
            Err(_) => {
                for value in batch.iter() {
                    self.batch = ByteColumn::from_iter([value]);
                    self.read();
                }
            }
        }
    }

    fn finish(mut self) -> Result<Found, CallError> {
        self.read();
        self.error.map_or(Ok(self.found), Err)
    }
}
