//! Do the offsets that an epoch took fit between where it began and where it ended, each exactly once?
//! Offsets that hold no record (aborted transactions, compaction) lie inside the chunks around them.

use std::collections::BTreeMap;

use tallow_record::TopicPartition;

/// Consecutive offsets of one partition, from `from` to before `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub partition: TopicPartition,
    pub from: i64,
    pub to: i64,
}

/// Next offset by partition.
pub type Offsets = BTreeMap<TopicPartition, i64>;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untiled {
    #[error("{partition}: a chunk runs backwards, from {from} to {to}")]
    Backwards { partition: TopicPartition, from: i64, to: i64 },
    #[error("{partition}: offsets {from} to {to} were taken twice", to = .to - 1)]
    Twice { partition: TopicPartition, from: i64, to: i64 },
    #[error("{partition}: offsets {from} to {to} were left out", to = .to - 1)]
    LeftOut { partition: TopicPartition, from: i64, to: i64 },
    #[error("{partition}: offsets {from} to {to} are named as lost and lie outside of what was read", to = .to - 1)]
    StrayGap { partition: TopicPartition, from: i64, to: i64 },
    #[error("{partition}: it was read up to {next} before, and is named no more")]
    Dropped { partition: TopicPartition, next: i64 },
    #[error("{partition}: it was read up to {to}, and is not among the partitions to go on with")]
    Unnamed { partition: TopicPartition, to: i64 },
}

/// Checks that chunks, in the order in which they were taken, and the gaps that were lost between them lead
/// from `before` to `after` without a hole or an overlap. A partition that is not in `before` may begin
/// anywhere.
pub fn check(before: &Offsets, chunks: &[Span], gaps: &[Span], after: &Offsets) -> Result<(), Untiled> {
    let mut lost: BTreeMap<(TopicPartition, i64), i64> = BTreeMap::new();
    for gap in gaps {
        forwards(gap)?;
        lost.insert((gap.partition.clone(), gap.from), gap.to);
    }
    let mut reached = before.clone();
    for chunk in chunks {
        forwards(chunk)?;
        let partition = &chunk.partition;
        let at = match reached.get(partition) {
            Some(&at) => skip_lost(partition, at, &mut lost),
            None => chunk.from,
        };
        meet(partition, at, chunk.from)?;
        reached.insert(partition.clone(), chunk.to);
    }
    for (partition, &next) in after {
        let at = reached.remove(partition).map_or(next, |at| skip_lost(partition, at, &mut lost));
        meet(partition, at, next)?;
    }
    if let Some((partition, to)) = reached.into_iter().next() {
        return Err(match before.get(&partition) {
            Some(&next) => Untiled::Dropped { partition, next },
            None => Untiled::Unnamed { partition, to },
        });
    }
    match lost.into_iter().find(|((_, from), to)| from != to) {
        Some(((partition, from), to)) => Err(Untiled::StrayGap { partition, from, to }),
        None => Ok(()),
    }
}

fn forwards(span: &Span) -> Result<(), Untiled> {
    if span.from <= span.to {
        return Ok(());
    }
    Err(Untiled::Backwards { partition: span.partition.clone(), from: span.from, to: span.to })
}

/// `at`, moved over the gaps that begin there.
fn skip_lost(
    partition: &TopicPartition,
    mut at: i64,
    lost: &mut BTreeMap<(TopicPartition, i64), i64>,
) -> i64 {
    while let Some(to) = lost.remove(&(partition.clone(), at)) {
        at = to;
    }
    at
}

fn meet(partition: &TopicPartition, at: i64, next: i64) -> Result<(), Untiled> {
    let partition = partition.clone();
    match at.cmp(&next) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(Untiled::LeftOut { partition, from: at, to: next }),
        std::cmp::Ordering::Greater => Err(Untiled::Twice { partition, from: next, to: at }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offsets(all: &[(i32, i64)]) -> Offsets {
        all.iter().map(|&(partition, next)| (TopicPartition::new("t", partition), next)).collect()
    }

    fn spans(all: &[(i32, i64, i64)]) -> Vec<Span> {
        all.iter()
            .map(|&(partition, from, to)| Span { partition: TopicPartition::new("t", partition), from, to })
            .collect()
    }

    type Case<'a> =
        (&'a [(i32, i64)], &'a [(i32, i64, i64)], &'a [(i32, i64, i64)], &'a [(i32, i64)], &'a str);

    #[test]
    fn offsets_are_taken_once_each_or_the_fault_is_named() {
        let table: &[Case] = &[
            (&[], &[], &[], &[], ""),
            (&[(0, 5)], &[], &[], &[(0, 5)], ""),
            (&[(0, 5)], &[(0, 5, 9), (0, 9, 12)], &[], &[(0, 12)], ""),
            (&[(0, 5), (1, 0)], &[(0, 5, 9), (1, 0, 3), (0, 9, 10)], &[], &[(0, 10), (1, 3)], ""),
            (&[], &[(0, 70, 80)], &[], &[(0, 80)], ""),
            (&[], &[], &[], &[(0, 70)], ""),
            (&[(0, 5)], &[(0, 9, 12)], &[(0, 5, 9)], &[(0, 12)], ""),
            (&[(0, 5)], &[], &[(0, 5, 9)], &[(0, 9)], ""),
            (&[(0, 5)], &[(0, 6, 9)], &[], &[(0, 9)], "t/0: offsets 5 to 5 were left out"),
            (&[(0, 5)], &[(0, 4, 9)], &[], &[(0, 9)], "t/0: offsets 4 to 4 were taken twice"),
            (&[(0, 5)], &[(0, 5, 9), (0, 5, 9)], &[], &[(0, 9)], "t/0: offsets 5 to 8 were taken twice"),
            (&[(0, 5)], &[(0, 7, 9), (0, 5, 7)], &[], &[(0, 9)], "t/0: offsets 5 to 6 were left out"),
            (&[(0, 5)], &[(0, 5, 9)], &[], &[(0, 10)], "t/0: offsets 9 to 9 were left out"),
            (&[(0, 5)], &[(0, 5, 9)], &[], &[(0, 8)], "t/0: offsets 8 to 8 were taken twice"),
            (&[(0, 5)], &[(0, 9, 5)], &[], &[(0, 5)], "t/0: a chunk runs backwards, from 9 to 5"),
            (
                &[(0, 5)],
                &[(0, 5, 9)],
                &[(0, 20, 30)],
                &[(0, 9)],
                "t/0: offsets 20 to 29 are named as lost and lie outside of what was read",
            ),
            (&[(0, 5)], &[], &[], &[], "t/0: it was read up to 5 before, and is named no more"),
            (
                &[],
                &[(0, 5, 9)],
                &[],
                &[],
                "t/0: it was read up to 9, and is not among the partitions to go on with",
            ),
        ];
        for (before, chunks, gaps, after, fault) in table {
            let found = check(&offsets(before), &spans(chunks), &spans(gaps), &offsets(after));
            assert_eq!(found.map_or_else(|fault| fault.to_string(), |()| String::new()), *fault);
        }
    }

    proptest! {
        /// Cut 0..100 of two partitions anywhere, in any interleaving: it tiles; leave any one chunk out, or
        /// take it twice: it does not.
        #[test]
        fn any_cut_tiles_and_no_other_set_of_chunks_does(
            cuts in proptest::collection::btree_set((0..2i32, 1..100i64), 0..20),
            order in any::<u64>(),
            victim in any::<proptest::sample::Index>(),
        ) {
            let mut queues: Vec<Vec<(i32, i64, i64)>> = (0..2)
                .map(|partition| {
                    let mut ends: Vec<i64> = cuts.iter().filter(|cut| cut.0 == partition).map(|cut| cut.1).collect();
                    ends.push(100);
                    let starts = std::iter::once(0).chain(ends.clone());
                    starts.zip(ends.clone()).map(|(from, to)| (partition, from, to)).collect()
                })
                .collect();
            let mut chunks = Vec::new();
            let mut bits = order;
            while queues.iter().any(|queue| !queue.is_empty()) {
                let pick = (bits & 1) as usize;
                bits = bits.rotate_right(1) ^ 0x9E37;
                let pick = if queues[pick].is_empty() { 1 - pick } else { pick };
                chunks.push(queues[pick].remove(0));
            }
            let (before, after) = (offsets(&[(0, 0), (1, 0)]), offsets(&[(0, 100), (1, 100)]));
            prop_assert_eq!(check(&before, &spans(&chunks), &[], &after), Ok(()));

            let victim = victim.index(chunks.len());
            let mut without = chunks.clone();
            without.remove(victim);
            prop_assert!(check(&before, &spans(&without), &[], &after).is_err());
            let mut twice = chunks.clone();
            twice.push(chunks[victim]);
            prop_assert!(check(&before, &spans(&twice), &[], &after).is_err());
        }
    }
}
