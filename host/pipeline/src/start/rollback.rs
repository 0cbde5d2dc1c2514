//! Back to the function before a swap: code and state together, at the offsets where it was swapped out.

use tallow_log::record::{Change, Epoch, Kind, Live, Mode, Probation, SeqRange, State, What};
use tallow_log::{Draft, Log, Record, status};

use super::restore::ReadBlob;
use crate::error::PipelineError;
use crate::republish_diff::Published;
use crate::services::Services;

const SHARD: u32 = 0;

/// Rolls back the function that is on probation, if `why` says that it must be and there is one: the records since its
/// swap are void, and the state is that of the record before.
pub fn roll_back(services: &Services, job: &mut Log, why: Option<&str>) -> Result<bool, PipelineError> {
    let Some(why) = why else { return Ok(false) };
    let asked = services.hooks.take_rollback();
    let Some(probation) = job.newest().state.live.probation.clone() else {
        if let Some(asked) = asked {
            let _ = asked.reply.send(None);
        }
        return Ok(false);
    };
    let before = needed(services.plan.name(), job, probation.since.saturating_sub(1))?;
    let newest = job.newest().clone();
    let at_us = services.clock.now_us();
    let voided = SeqRange { from: probation.since, through: newest.seq };
    let mut live = Live { probation: None, ..newest.state.live.clone() };
    live.remake = remake(&newest.state.live, &probation, voided);
    let mut state = State { live, ..before };
    remember(&mut state, &probation, job.next_seq(), at_us, why);
    let epoch = Epoch::default();
    job.commit(Draft { kind: Kind::Rollback, epoch, state, voided: Some(voided) })?;
    services.progress.rolled_back();
    let seq = job.newest().seq;
    tracing::warn!(pipeline = services.plan.name(), seq, voided_from = voided.from, why, "rolled back");
    if let Some(asked) = asked {
        let _ = asked.reply.send(Some(seq));
    }
    Ok(true)
}

/// Withheld results were never visible. Those of an earlier rollback may still be open.
fn remake(live: &Live, probation: &Probation, voided: SeqRange) -> Option<SeqRange> {
    match (probation.mode, live.remake) {
        (Mode::Hold, earlier) => earlier,
        (Mode::Publish, None) => Some(voided),
        (Mode::Publish, Some(earlier)) => Some(SeqRange { from: earlier.from, ..voided }),
    }
}

fn remember(state: &mut State, probation: &Probation, seq: u64, at_us: i64, why: &str) {
    let swapped = state.live.changes.iter().rev().find(|change| change.seq == probation.since).cloned();
    let Some(swapped) = swapped else { return };
    // Where the manifest's file is what was rolled back, a start must not take it for news.
    if let Some(function) = state.functions.iter_mut().find(|function| function.role == probation.role) {
        function.file = Some(swapped.to);
    }
    let (from, to, why) = (swapped.to, swapped.from, why.to_owned());
    state.live.remember(Change { seq, at_us, what: What::Rollback, from, to, why, ..swapped });
}

pub(super) fn needed(pipeline: &str, job: &Log, seq: u64) -> Result<State, PipelineError> {
    let record = status::record(job.store(), pipeline, SHARD, seq)?;
    record.map(|record| record.state).ok_or_else(|| {
        PipelineError::Checkpoint(format!(
            "pipeline `{pipeline}`: log record {seq}, to which it is to return, has been removed (`verify-retention` says \
             how many are kept)"
        ))
    })
}

/// What is published and void as long as not all of it has been taken again, and the state where that ended.
pub fn open_remake(pipeline: &str, job: &Log) -> Result<(Published, Option<State>), PipelineError> {
    let Some(range) = job.newest().state.live.remake else { return Ok((Published::default(), None)) };
    let mut records = Vec::new();
    for seq in range.from..=range.through {
        records.extend(status::record(job.store(), pipeline, SHARD, seq)?);
    }
    let published = published(&records, &|blob| job.read_blob(blob))?;
    Ok((published, Some(needed(pipeline, job, range.through)?)))
}

/// What these records have published, oldest first.
pub fn published(records: &[Record], read_blob: &ReadBlob<'_>) -> Result<Published, PipelineError> {
    let mut published = Published::default();
    for outgoing in records.iter().flat_map(|record| &record.epoch.outbox) {
        let learnt = published.learn(&outgoing.sink, &outgoing.name, read_blob(&outgoing.blob)?);
        learnt.map_err(|error| PipelineError::Checkpoint(error.to_string()))?;
    }
    Ok(published)
}
