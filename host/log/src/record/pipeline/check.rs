//! Whether what a pipeline wants to commit can follow from the newest record.

use std::collections::BTreeMap;

use tallow_epoch::Ledger;
use tallow_epoch::tiling::{self, Offsets, Span};
use tallow_record::TopicPartition;

use super::Partition;
use crate::draft::Contradiction;
use crate::{Draft, Record};

pub(super) fn epoch(draft: &Draft, newest: &Record) -> Result<(), Contradiction> {
    if draft.voided.is_some() {
        return Err("only a rollback makes records void".into());
    }
    let (begun, ended) = (draft.epoch.watermark_us, draft.state.watermark_us);
    if begun != newest.state.watermark_us {
        return Err(Contradiction(format!(
            "the epoch began at watermark {begun:?}, and the record before ended at {:?}",
            newest.state.watermark_us
        )));
    }
    if ended < begun {
        return Err(Contradiction(format!("the watermark went back from {begun:?} to {ended:?}")));
    }
    offsets_follow(draft, newest)?;
    check_ledgers(&draft.epoch.ledger, &newest.state.ledger, &draft.state.ledger)
}

/// Whether an epoch's counts add up, and whether the chain's are those before it and its own.
pub fn check_ledgers(epoch: &Ledger, before: &Ledger, chain: &Ledger) -> Result<(), Contradiction> {
    epoch.check().map_err(|imbalance| Contradiction(imbalance.to_string()))?;
    chain.check_chain(&BTreeMap::new()).map_err(|imbalance| Contradiction(imbalance.to_string()))?;
    let mut together = before.clone();
    together.absorb(epoch);
    if together != *chain {
        return Err("the chain's ledger is not the one before and the epoch's together".into());
    }
    Ok(())
}

fn offsets_follow(draft: &Draft, newest: &Record) -> Result<(), Contradiction> {
    let span = |topic: &str, partition, from, to| Span {
        partition: TopicPartition::new(topic, partition),
        from,
        to,
    };
    let chunks = &draft.epoch.chunks;
    let chunks: Vec<_> = chunks.iter().map(|c| span(&c.topic, c.partition, c.from, c.to)).collect();
    let gaps: Vec<_> =
        draft.epoch.gaps.iter().map(|gap| span(&gap.topic, gap.partition, gap.from, gap.to)).collect();
    let (before, after) = (offsets(&newest.state.partitions), offsets(&draft.state.partitions));
    tiling::check(&before, &chunks, &gaps, &after).map_err(|untiled| Contradiction(untiled.to_string()))
}

pub(super) fn rollback(draft: &Draft, newest: &Record) -> Result<(), Contradiction> {
    if !draft.epoch.chunks.is_empty() || !draft.epoch.outbox.is_empty() {
        return Err("a rollback takes no records and publishes nothing".into());
    }
    match draft.voided {
        Some(range) if range.through == newest.seq && range.from <= newest.seq => Ok(()),
        range => {
            let newest = newest.seq;
            Err(Contradiction(format!("a rollback makes void what ends with {newest}, and not {range:?}")))
        }
    }
}

fn offsets(partitions: &[Partition]) -> Offsets {
    partitions.iter().map(|known| (TopicPartition::new(&known.topic, known.partition), known.next)).collect()
}
