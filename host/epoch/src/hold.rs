//! What holds the watermark back. Pure: what is known of the partitions in, who it is out.

use tallow_record::TopicPartition;

use crate::partition_time::PartitionTime;

/// The partition that the watermark waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub partition: TopicPartition,
    /// How many more stand where it stands.
    pub others: usize,
    /// Its newest event, µs since 1970-01-01 UTC; `None` before its first row.
    pub newest_us: Option<i64>,
    /// Wall clock since when it has stood there, µs since 1970-01-01 UTC; `None` if that is not known.
    pub since_us: Option<i64>,
    /// Wall clock since when it has been at its end; `None` while more of it is to be read.
    pub at_end_since_us: Option<i64>,
    /// Where the watermark would be if all partitions had come as far as the newest of them.
    pub without_it_us: i64,
}

/// `None` if the watermark is as far as the newest event allows.
pub fn hold<'a>(
    delay_us: i64,
    watermark_us: Option<i64>,
    partitions: impl Iterator<Item = (&'a TopicPartition, &'a PartitionTime)> + Clone,
) -> Option<Hold> {
    let newest_us = partitions.clone().filter_map(|(_, known)| known.max_event_time_us).max()?;
    let without_it_us = newest_us.saturating_sub(delay_us);
    if watermark_us >= Some(without_it_us) {
        return None;
    }
    let busy = partitions.filter(|(_, known)| !known.idle);
    let slowest_us = busy.clone().map(|(_, known)| known.max_event_time_us).min()?;
    let mut standing = busy.filter(|(_, known)| known.max_event_time_us == slowest_us);
    let (partition, known) = standing.next()?;
    Some(Hold {
        partition: partition.clone(),
        others: standing.count(),
        newest_us: slowest_us,
        since_us: known.stands_since_us,
        at_end_since_us: known.at_end_since_us,
        without_it_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(watermark_us: Option<i64>, partitions: &[(Option<i64>, bool)]) -> Option<(i32, usize, i64)> {
        let partitions: Vec<_> = (0..)
            .zip(partitions)
            .map(|(number, (max_event_time_us, idle))| {
                let mut time = PartitionTime::kept(*max_event_time_us, None, None);
                time.idle = *idle;
                (TopicPartition::new("t", number), time)
            })
            .collect();
        let hold = hold(10, watermark_us, partitions.iter().map(|(partition, known)| (partition, known)))?;
        Some((hold.partition.partition, hold.others, hold.without_it_us))
    }

    #[test]
    fn the_slowest_partition_that_is_not_idle_is_named() {
        for (watermark_us, partitions, expected) in [
            (None, vec![], None),
            (None, vec![(None, false)], None),
            (Some(490), vec![(Some(500), false)], None),
            (Some(490), vec![(Some(500), false), (Some(500), false)], None),
            (Some(290), vec![(Some(500), false), (Some(300), false)], Some((1, 0, 490))),
            (None, vec![(Some(500), false), (None, false)], Some((1, 0, 490))),
            (
                None,
                vec![(Some(500), false), (None, false), (Some(1), false), (None, false)],
                Some((1, 1, 490)),
            ),
            (Some(290), vec![(Some(500), true), (Some(300), false), (None, true)], Some((1, 0, 490))),
            (Some(490), vec![(Some(500), true), (Some(300), true)], None),
            // The clock has taken it further than any event.
            (Some(900), vec![(Some(500), true), (None, false)], None),
        ] {
            assert_eq!(held(watermark_us, &partitions), expected, "{watermark_us:?} {partitions:?}");
        }
    }

    #[test]
    fn where_it_stands_and_since_when_is_told() {
        let partition = TopicPartition::new("t", 7);
        let known = PartitionTime::kept(Some(20), Some(1000), Some(900));
        let ahead = (TopicPartition::new("t", 8), PartitionTime::kept(Some(500), None, None));
        let both = [(&partition, &known), (&ahead.0, &ahead.1)];
        let hold = hold(10, Some(10), both.into_iter()).unwrap();
        assert_eq!((hold.newest_us, hold.since_us, hold.at_end_since_us), (Some(20), Some(900), Some(1000)));
    }
}
