//! Back to the record before a commit, so that the topic is read again from there by another parse function. What was
//! published since stays; what comes out again is published where it differs, as the next revision.

use tallow_engine::Component;
use tallow_log::Draft;
use tallow_log::record::{Change, Epoch, Kind, Live, Role, SeqRange, State, What};
use tallow_record::TopicPartition;
use tallow_store::Digest;

use super::rollback::needed;
use super::{publisher, take_over};
use crate::error::PipelineError;
use crate::services::Services;

/// Makes the records from `from` on void and swaps `component` in for the parse function. `file`: the manifest's own
/// component, so that a start does not take it for news. Gives the records that are void.
///
/// # Errors
/// Another function is on probation, the windows have changed since, or the topic no longer holds what is to be read: then
/// nothing was changed. Or the log's.
pub fn rewind(
    services: &Services,
    from: u64,
    (component, file): (&Component, Digest),
    why: &str,
) -> Result<SeqRange, PipelineError> {
    let pipeline = services.plan.name();
    // What waits for a service that is away is void, and comes out again.
    let (opened, _) = take_over(services, &publisher(services), None)?;
    let mut job = opened.log;
    let newest = job.newest().clone();
    let before = needed(pipeline, &job, from.saturating_sub(1))?;
    check(services, from, &before, &newest.state)?;
    let voided = SeqRange { from, through: newest.seq };
    // Some of what an earlier rollback made void may still be open.
    let earlier = newest.state.live.remake.map_or(from, |earlier| earlier.from.min(from));
    let live = Live { remake: Some(SeqRange { from: earlier, ..voided }), ..newest.state.live };
    let mut state = State { live, ..before };
    let epoch = Epoch::default();
    job.commit(Draft { kind: Kind::Rollback, epoch, state: state.clone(), voided: Some(voided) })?;
    let (seq, at_us, to) = (job.next_seq(), services.clock.now_us(), component.digest());
    let Some(parse) = state.functions.iter_mut().find(|it| it.role == Role::Parse) else {
        return Err(PipelineError::Broken);
    };
    let was = std::mem::replace(&mut parse.digest, to);
    parse.file = (file != to).then_some(file);
    let (what, role, name) = (What::Swap, Role::Parse, parse.name.clone());
    state.live.remember(Change { seq, at_us, what, role, name, from: was, to, why: why.to_owned() });
    let epoch = Epoch { clock_us: Some(at_us), watermark_us: state.watermark_us, ..Epoch::default() };
    job.commit(Draft { kind: Kind::Swap, ..Draft::commit(epoch, state) })?;
    Ok(voided)
}

fn check(services: &Services, from: u64, before: &State, newest: &State) -> Result<(), PipelineError> {
    let pipeline = services.plan.name();
    if newest.live.probation.is_some() {
        return Err(PipelineError::Checkpoint(format!(
            "pipeline `{pipeline}`: a function is on probation: wait for its end, or roll it back"
        )));
    }
    if before.windows != newest.windows {
        return Err(PipelineError::Checkpoint(format!(
            "pipeline `{pipeline}`: its windows have changed since commit {from}, so its state cannot return there; run \
             the function over the topic as another pipeline"
        )));
    }
    for info in services.source.partitions()? {
        let same = |it: &&tallow_log::record::Partition| {
            TopicPartition::new(&it.topic, it.partition) == info.partition
        };
        if let Some(known) = before.partitions.iter().find(same)
            && info.earliest > known.next
        {
            return Err(PipelineError::Checkpoint(format!(
                "pipeline `{pipeline}`: {} begins with offset {}, and commit {from} with {}: the records between are gone, \
                 so the windows cannot be made again from the topic. `tallow backfill` fetches windows from an exchange",
                info.partition, info.earliest, known.next
            )));
        }
    }
    Ok(())
}
