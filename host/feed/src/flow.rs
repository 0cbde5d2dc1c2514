//! Records on their way to Kafka: through the series' trackers, in order, into the producer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use tallow_engine::feed::{Series, Subscription};
use tallow_env::Clock;
use tallow_produce::{Message, ProduceError, Sender};

use crate::counts::Progress;
use crate::hole::Hole;
use crate::series::{Need, Out, Tracker};

/// Whether the run continues.
pub type Flowing = Result<ControlFlow<()>, ProduceError>;

pub struct Flow<'a> {
    pub subscription: &'a Subscription,
    pub trackers: BTreeMap<Series, Tracker>,
    pub sender: Sender<'a>,
    pub progress: Arc<Progress>,
    pub clock: Arc<dyn Clock>,
    /// A record was not sent because the run was to stop: nothing may follow it.
    pub stopped: bool,
}

impl Flow<'_> {
    /// Records came, in the order in which the exchange sent them.
    pub fn take<'r>(&mut self, records: impl Iterator<Item = (Series, i64, &'r [u8])>) -> Flowing {
        let now = self.clock.ticks();
        let mut out = Vec::new();
        for (series, id, value) in records {
            if let Some(tracker) = self.trackers.get_mut(&series) {
                tracker.take(id, value, now, &mut out);
            }
            if self.send(series, &mut out)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What a request for ids of a series brought.
    pub fn filled(
        &mut self,
        series: Series,
        span: (i64, i64),
        records: Vec<(i64, Vec<u8>)>,
        why: &str,
    ) -> Flowing {
        let (now, mut out) = (self.clock.ticks(), Vec::new());
        let inside = records.iter().filter(|(id, _)| (span.0..=span.1).contains(id)).count() as u64;
        self.progress.change(|counts| counts.refetched += inside);
        if let Some(tracker) = self.trackers.get_mut(&series) {
            tracker.filled(span, records, why, now, &mut out);
        }
        self.send(series, &mut out)
    }

    /// What each series needs now. `connected`: whether its connection is open.
    pub fn due(&mut self, connected: impl Fn(Series) -> bool) -> Result<Vec<(Series, Need)>, ProduceError> {
        let (now, mut needs) = (self.clock.ticks(), Vec::new());
        let all: Vec<Series> = self.trackers.keys().copied().collect();
        for series in all {
            let mut out = Vec::new();
            let need = self.trackers.get_mut(&series).and_then(|it| it.due(now, connected(series), &mut out));
            needs.extend(need.map(|need| (series, need)));
            if self.send(series, &mut out)?.is_break() {
                break;
            }
        }
        Ok(needs)
    }

    fn send(&mut self, series: Series, out: &mut Vec<Out>) -> Flowing {
        let symbol = self.subscription.symbol(series);
        for out in out.drain(..) {
            if self.stopped {
                return Ok(ControlFlow::Break(()));
            }
            let value = match out {
                Out::Record(value) => value,
                Out::Hole { first, last, why } => {
                    let hole = Hole {
                        e: "hole".to_owned(),
                        time_ms: self.clock.now_us() / 1000,
                        s: symbol.to_owned(),
                        stream: self.subscription.stream(series).to_owned(),
                        first,
                        last,
                        why,
                    };
                    self.note(&hole);
                    hole.to_bytes()
                }
            };
            let message = Message { key: Some(symbol.as_bytes().to_vec()), value, ..Message::default() };
            self.stopped = self.sender.send(&message)?.is_break();
        }
        Ok(if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn note(&self, hole: &Hole) {
        let Hole { s, stream, first, last, why, .. } = hole;
        tracing::error!(
            symbol = s,
            stream,
            "ids {first} to {last} cannot be had ({why}): a record says so in their place, and the windows count them \
             as missing"
        );
        self.progress.change(|counts| {
            counts.holes += 1;
            counts.missing_ids = counts.missing_ids.saturating_add(hole.ids());
        });
    }

    /// Adds up what the trackers have seen.
    pub fn tally(&self) {
        let tallies: Vec<_> = self.trackers.values().map(|tracker| tracker.tally).collect();
        self.progress.change(|counts| {
            counts.duplicates = tallies.iter().map(|tally| tally.duplicates).sum();
            counts.waited = tallies.iter().map(|tally| tally.waited).sum();
            counts.dropped = tallies.iter().map(|tally| tally.dropped).sum();
        });
    }
}
