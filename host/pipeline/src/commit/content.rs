//! What a finished epoch says: in its log record, and to the sinks.

use std::collections::BTreeMap;
use std::sync::Arc;

use tallow_log::record::{self, AsideRecord, Function};
use tallow_record::TopicPartition;
use tallow_sink::{DeadLetter, EpochOutput, OffsetRange, Origin, Provenance, ReasonKind};
use tallow_source::Position;

use crate::epoch::{Chunk, FinishedEpoch, Gap};
use tallow_worker::plan::Plan;

/// Names a commit in what it gives to the sinks.
#[derive(Clone, Copy)]
pub struct CommitId<'a> {
    pub chain: &'a str,
    pub shard: u32,
    pub seq: u64,
}

/// What a finished epoch gives to the sinks. Open windows, late rows and dead letters are moved
/// there: they may be many.
pub fn output<'a>(
    plan: &'a Plan,
    id: CommitId<'a>,
    functions: &[Function],
    epoch: &mut FinishedEpoch,
) -> EpochOutput<'a> {
    EpochOutput {
        pipeline: plan.name(),
        chain: id.chain,
        shard: id.shard,
        seq: id.seq,
        clock_us: epoch.clock_us,
        provenance: provenance(functions, &epoch.chunks),
        closed: epoch.closed.clone(),
        open: std::mem::take(&mut epoch.open),
        repeated: Vec::new(),
        whole: Vec::new(),
        late: std::mem::take(&mut epoch.late),
        dead: std::mem::take(&mut epoch.dead),
        rekeyed: std::mem::take(&mut epoch.rekeyed),
    }
}

/// Where an epoch's rows come from.
pub fn provenance(functions: &[Function], chunks: &[Chunk]) -> Provenance {
    let functions = functions.iter().map(|it| (it.role.name().to_owned(), it.digest)).collect();
    let mut ranges: BTreeMap<&TopicPartition, (i64, i64)> = BTreeMap::new();
    for chunk in chunks {
        let range = ranges.entry(&chunk.partition).or_insert((chunk.from, chunk.to));
        *range = (range.0.min(chunk.from), range.1.max(chunk.to));
    }
    let offsets = ranges.into_iter().map(|(partition, (from, to))| OffsetRange {
        topic: partition.topic.to_string(),
        partition: partition.partition,
        from,
        to,
    });
    Provenance { origin: Origin::Stream, functions, offsets: offsets.collect() }
}

pub(super) fn chunk(chunk: &Chunk) -> record::Chunk {
    record::Chunk {
        topic: chunk.partition.topic.to_string(),
        partition: chunk.partition.partition,
        from: chunk.from,
        to: chunk.to,
        clock_us: chunk.clock_us,
    }
}

pub(super) fn gap(gap: &Gap) -> record::Gap {
    record::Gap {
        topic: gap.partition.topic.to_string(),
        partition: gap.partition.partition,
        from: gap.from,
        to: gap.to,
        why: "gone from the topic before they were read".to_owned(),
    }
}

/// Every partition that is read, with or without records so far.
pub(super) fn partitions(
    epoch: &FinishedEpoch,
    topic_ids: &BTreeMap<Arc<str>, Arc<str>>,
) -> Vec<record::Partition> {
    let times: BTreeMap<_, _> = epoch.watermarks.partitions().collect();
    let partitions = epoch.positions.iter().map(|(partition, next)| {
        let time = times.get(partition);
        record::Partition {
            topic: partition.topic.to_string(),
            topic_id: topic_ids.get(&partition.topic).map(|id| id.to_string()),
            partition: partition.partition,
            next: *next,
            max_event_time_us: time.and_then(|time| time.max_event_time_us),
            idle: time.is_some_and(|time| time.idle),
            at_end_since_us: time.and_then(|time| time.at_end_since_us),
            stands_since_us: time.and_then(|time| time.stands_since_us),
        }
    });
    partitions.collect()
}

pub(super) fn positions(positions: &BTreeMap<TopicPartition, i64>) -> Vec<Position> {
    positions.iter().map(|(partition, next)| Position { partition: partition.clone(), next: *next }).collect()
}

/// Records that a replay must leave out: they cannot be told from the input alone.
pub(super) fn set_aside(dead: &[DeadLetter]) -> Vec<AsideRecord> {
    let aside = dead
        .iter()
        .filter(|letter| matches!(letter.kind, ReasonKind::Trap | ReasonKind::Deadline | ReasonKind::Future));
    let records = aside.map(|letter| AsideRecord {
        topic: letter.place.topic.to_string(),
        partition: letter.place.partition,
        offset: letter.place.offset,
        why: letter.kind.as_str().to_owned(),
        reason: match letter.kind {
            // What makes it ahead of the clock follows from the record and the clock.
            ReasonKind::Future => String::new(),
            _ => letter.reason.clone(),
        },
    });
    records.collect()
}
