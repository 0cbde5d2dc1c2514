//! What the pipeline wants to commit, and whether it can follow from the record before.

use std::collections::BTreeMap;

use tallow_epoch::tiling::{self, Offsets, Span};

use crate::record::{Epoch, Kind, Partition, Record, SeqRange, State};

/// The parts of a record that are the pipeline's.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Anything but [`Kind::Fence`].
    pub kind: Kind,
    pub epoch: Epoch,
    pub state: State,
    /// For a rollback: the records from the swap to the newest.
    pub voided: Option<SeqRange>,
}

impl Draft {
    /// An epoch's commit.
    pub fn commit(epoch: Epoch, state: State) -> Self {
        Self { kind: Kind::Commit, epoch, state, voided: None }
    }

    /// Checks the draft against the newest record: watermark, offsets and ledger continue from there, without a
    /// hole and without an overlap. The error says what does not fit, with the numbers.
    pub fn check(&self, newest: &Record) -> Result<(), String> {
        match self.kind {
            Kind::Fence => Err("only opening a shard writes a fence".to_owned()),
            Kind::Rollback => self.check_rollback(newest),
            Kind::Commit | Kind::Swap => self.check_epoch(newest),
        }
    }

    fn check_epoch(&self, newest: &Record) -> Result<(), String> {
        if self.voided.is_some() {
            return Err("only a rollback makes records void".to_owned());
        }
        let (begun, ended) = (self.epoch.watermark_us, self.state.watermark_us);
        if begun != newest.state.watermark_us {
            return Err(format!(
                "the epoch began at watermark {begun:?}, and the record before ended at {:?}",
                newest.state.watermark_us
            ));
        }
        if ended < begun {
            return Err(format!("the watermark went back from {begun:?} to {ended:?}"));
        }
        self.check_offsets(newest)?;
        self.epoch.ledger.check().map_err(|imbalance| imbalance.to_string())?;
        self.state.ledger.check_chain(&BTreeMap::new()).map_err(|imbalance| imbalance.to_string())?;
        let mut ledger = newest.state.ledger.clone();
        ledger.absorb(&self.epoch.ledger);
        if ledger != self.state.ledger {
            return Err("the chain's ledger is not the one before and the epoch's together".to_owned());
        }
        Ok(())
    }

    fn check_offsets(&self, newest: &Record) -> Result<(), String> {
        let span = |topic: &str, partition, from, to| Span {
            partition: tallow_record::TopicPartition::new(topic, partition),
            from,
            to,
        };
        let chunks = &self.epoch.chunks;
        let chunks: Vec<_> = chunks.iter().map(|c| span(&c.topic, c.partition, c.from, c.to)).collect();
        let gaps: Vec<_> =
            self.epoch.gaps.iter().map(|gap| span(&gap.topic, gap.partition, gap.from, gap.to)).collect();
        let (before, after) = (offsets(&newest.state.partitions), offsets(&self.state.partitions));
        tiling::check(&before, &chunks, &gaps, &after).map_err(|untiled| untiled.to_string())
    }

    fn check_rollback(&self, newest: &Record) -> Result<(), String> {
        if self.epoch.chunks.is_empty() && self.epoch.outbox.is_empty() {
            return match self.voided {
                Some(range) if range.through == newest.seq && range.from <= newest.seq => Ok(()),
                range => {
                    Err(format!("a rollback makes void what ends with {}, and not {range:?}", newest.seq))
                }
            };
        }
        Err("a rollback takes no records and publishes nothing".to_owned())
    }
}

fn offsets(partitions: &[Partition]) -> Offsets {
    partitions
        .iter()
        .map(|known| (tallow_record::TopicPartition::new(&known.topic, known.partition), known.next))
        .collect()
}
