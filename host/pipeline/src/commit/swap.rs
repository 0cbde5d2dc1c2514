//! Swaps in the log: the record that is the switch, results that wait, and their release.

use tallow_log::record::{Change, Epoch, Function, Kind, Live, Mode, Probation, State, What};
use tallow_log::{Draft, Retention};
use tallow_store::Digest;

use super::Committer;
use crate::epoch::{FinishedEpoch, FinishedSwap};
use crate::error::PipelineError;
use crate::hooks::Outcome;

impl Committer {
    /// Commits a swap: the record is the switch. It takes no records, so that a rollback finds the old function's state
    /// at the same offsets in the record before it.
    pub fn commit_swap(&mut self, finished: FinishedSwap) -> Result<(), PipelineError> {
        let FinishedSwap { swap, parts, clock_us, pause } = finished;
        let seq = self.job.next_seq();
        let mut state = self.state.clone();
        let to = swap.component.digest();
        let Some(function) = state.functions.iter_mut().find(|it| it.role == swap.role) else {
            return Err(PipelineError::Broken);
        };
        let from = std::mem::replace(&mut function.digest, to);
        note_taken_up(function, swap.state_version, self.files.get(&swap.role).copied());
        let name = function.name.clone();
        if let Some(parts) = parts {
            state.parts.clear();
            self.put_state(&mut state, &parts)?;
        }
        if swap.epochs > 0 {
            let (since, epochs_left) = (seq, swap.epochs);
            state.live.probation = Some(Probation { since, mode: swap.mode, role: swap.role, epochs_left });
            if swap.mode == Mode::Hold {
                let through =
                    |sink: &std::sync::Arc<dyn tallow_sink::Sink>| (sink.name().to_owned(), seq - 1);
                state.released_through = self.publisher.sinks.iter().map(through).collect();
            }
        }
        let (what, role, why) = (What::Swap, swap.role, swap.why.clone());
        state.live.remember(Change { seq, at_us: clock_us, what, role, name, from, to, why });
        self.job.commit(Draft { kind: Kind::Swap, ..self.no_epoch(clock_us, state.clone()) })?;
        self.state = state;
        if swap.epochs > 0 {
            self.progress.probation_begins();
        }
        self.hooks.swapped(swap.role, &swap.component);
        tracing::info!(
            pipeline = self.plan.name(), seq, from = %from, to = %to, pause_us = pause.as_micros() as u64,
            "another function is swapped in"
        );
        // The client may have gone away.
        let _ = swap.reply.send(Outcome::Swapped { seq, pause });
        Ok(())
    }

    /// A draft of something that takes no records.
    fn no_epoch(&self, clock_us: i64, state: State) -> Draft {
        let watermark_us = self.state.watermark_us;
        Draft::commit(Epoch { clock_us: Some(clock_us), watermark_us, ..Epoch::default() }, state)
    }

    /// Counts an epoch of a probation. True: it was the last one, and what was held may go.
    pub(super) fn pass_probation(&self, state: &mut State, epoch: &FinishedEpoch, seq: u64) -> bool {
        let Some(probation) = &mut state.live.probation else { return false };
        if epoch.chunks.is_empty() {
            return false;
        }
        probation.epochs_left = probation.epochs_left.saturating_sub(1);
        if probation.epochs_left > 0 {
            return false;
        }
        let since = probation.since;
        release(&mut state.live, since, seq, epoch.clock_us);
        state.released_through.clear();
        self.hooks.set_probation(None);
        tracing::info!(pipeline = self.plan.name(), seq, "the new function's probation is over");
        true
    }

    /// Once all offsets of what was published and void have been taken again, nothing more comes out again.
    pub(super) fn end_remake(&self, state: &mut State) {
        let Some(end) = &self.remake_until else { return };
        let next = |topic: &str, partition| {
            let mut known = state.partitions.iter();
            known.find(|it| it.topic == topic && it.partition == partition).map(|it| it.next)
        };
        let taken = end.partitions.iter().all(|it| next(&it.topic, it.partition) >= Some(it.next));
        if taken && state.watermark_us >= end.watermark_us {
            state.live.remake = None;
        }
    }

    /// Whether results wait for the end of a probation.
    pub(super) fn holds(&self) -> bool {
        !self.state.released_through.is_empty()
    }

    pub(super) fn hold(&mut self) {
        let publications = self.publisher.sinks.iter().map(|sink| self.job.publication(sink.name()));
        let with_something = publications.filter(|it| !it.outbox.is_empty());
        self.held.extend(with_something.collect::<Vec<_>>());
    }

    pub(super) fn publish_held(&mut self) -> Result<(), PipelineError> {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|publication| publication.seq);
        let at_once = self.backlog.take(&self.publisher, held);
        self.publisher.republish(&mut self.job, at_once)
    }

    /// One record more than may be proved: the oldest has the state that the one after it began with. A probation may go
    /// back to the record before its swap; a remake needs what was published.
    pub(super) fn retention(&self) -> Retention {
        let live = &self.state.live;
        let before_swap = live.probation.as_ref().map(|probation| probation.since.saturating_sub(1));
        let not_from = before_swap.into_iter().chain(live.remake.map(|range| range.from)).min();
        Retention { keep: self.plan.pipeline.verify_retention.saturating_add(1), not_from }
    }
}

/// `file`: of the manifest, at the start.
fn note_taken_up(function: &mut Function, state_version: Option<u32>, file: Option<Digest>) {
    function.state_version = state_version.or(function.state_version);
    function.file = file.filter(|file| *file != function.digest);
}

fn release(live: &mut Live, since: u64, seq: u64, at_us: i64) {
    live.probation = None;
    let swapped = live.changes.iter().rev().find(|change| change.seq == since).cloned();
    if let Some(swapped) = swapped {
        let why = "its probation is over".to_owned();
        live.remember(Change { seq, at_us, what: What::Release, why, ..swapped });
    }
}
