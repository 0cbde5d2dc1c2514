//! How far event time has come: the minimum over the partitions that are not idle of their highest event
//! time, less the delay; where all are idle, the maximum over all of them. It moves at the end of an epoch
//! only, and never back.

use std::collections::BTreeMap;

use tallow_record::TopicPartition;

use crate::hold::{Hold, hold};
use crate::partition_time::PartitionTime;

/// Facts that decide who is idle.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The wall clock that the epoch's commit records, µs since 1970-01-01 UTC.
    pub clock_us: i64,
    /// Whether a broker answers: if none does, being at the end means nothing.
    pub reachable: bool,
}

#[derive(Clone, Debug)]
pub struct Watermarks {
    delay_us: i64,
    idle_after_us: i64,
    /// Whether the watermark follows the clock while all partitions are idle.
    idle_advance: bool,
    watermark_us: Option<i64>,
    partitions: BTreeMap<TopicPartition, PartitionTime>,
}

impl Watermarks {
    /// `idle_after_us` is how long a partition must have been at its end to be idle.
    pub fn new(delay_us: i64, idle_after_us: i64, idle_advance: bool) -> Self {
        Self { delay_us, idle_after_us, idle_advance, watermark_us: None, partitions: BTreeMap::new() }
    }

    /// Goes on from a commit. Who is idle is found out again, since records may have come while nobody looked, and
    /// the others must not run away from them; but a partition found at its end without a record has been there
    /// all the while.
    pub fn restore(
        &mut self,
        watermark_us: Option<i64>,
        partitions: impl IntoIterator<Item = (TopicPartition, PartitionTime)>,
    ) {
        self.watermark_us = watermark_us;
        let found_out_again = |known: PartitionTime| PartitionTime {
            ended_before_us: known.at_end_since_us,
            ..PartitionTime::kept(known.max_event_time_us, None, known.stands_since_us)
        };
        let partitions = partitions.into_iter();
        self.partitions = partitions.map(|(partition, known)| (partition, found_out_again(known))).collect();
    }

    /// A partition that is read from now on: it holds the watermark until it is seen or idle.
    pub fn add(&mut self, partition: &TopicPartition) {
        self.partitions.entry(partition.clone()).or_default();
    }

    /// Rows came: the partition is neither idle nor at its end. Give the highest event time among the rows
    /// that were not set aside; `None` if the records gave no such row.
    pub fn observe(&mut self, partition: &TopicPartition, max_event_time_us: Option<i64>) {
        let known = self.partitions.entry(partition.clone()).or_default();
        if max_event_time_us > known.max_event_time_us {
            known.max_event_time_us = max_event_time_us;
            known.stands_since_us = None;
        }
        known.idle = false;
        known.at_end_since_us = None;
        known.ended_before_us = None;
    }

    /// The partition's end was reached, and there was nothing more at `clock_us`.
    pub fn end(&mut self, partition: &TopicPartition, clock_us: i64) {
        let known = self.partitions.entry(partition.clone()).or_default();
        let since_us = known.ended_before_us.take().unwrap_or(clock_us);
        known.at_end_since_us.get_or_insert(since_us);
    }

    /// The partition has been read up to where it ended when the run began, and the run waits for no more of it: it
    /// is idle from the end of this epoch on, however long it has been at its end.
    pub fn drained(&mut self, partition: &TopicPartition) {
        self.partitions.entry(partition.clone()).or_default().drained = true;
    }

    /// Ends an epoch: moves the watermark to where the partitions are, judges who is idle, moves it on without
    /// those, and gives it.
    pub fn advance(&mut self, now: Now) -> Option<i64> {
        // Rows of this epoch count even if their partition has been idle since: otherwise it would matter
        // where epochs are cut.
        let with_rows = self.slowest();
        for known in self.partitions.values_mut() {
            if !now.reachable {
                // What came meanwhile is not known: how long it has been at its end counts from here.
                known.at_end_since_us = known.at_end_since_us.map(|_| now.clock_us);
            }
            let at_end = known.at_end_since_us.map(|since| now.clock_us.saturating_sub(since));
            let long_enough = at_end.is_some_and(|long| long >= self.idle_after_us);
            known.idle |= known.drained || (now.reachable && long_enough);
            known.stands_since_us.get_or_insert(now.clock_us);
        }
        let reached = if self.all_idle() { self.newest() } else { self.slowest() };
        let clock = (self.all_idle() && self.idle_advance && now.reachable)
            .then(|| now.clock_us.saturating_sub(self.delay_us));
        self.watermark_us = self.watermark_us.max(with_rows).max(reached).max(clock);
        self.watermark_us
    }

    /// The watermark now, µs since 1970-01-01 UTC; `None` before any event.
    pub fn watermark_us(&self) -> Option<i64> {
        self.watermark_us
    }

    /// What a commit has to keep.
    pub fn partitions(&self) -> impl Iterator<Item = (&TopicPartition, &PartitionTime)> + Clone {
        self.partitions.iter()
    }

    /// What holds the watermark back now; `None` if nothing does.
    pub fn hold(&self) -> Option<Hold> {
        hold(self.delay_us, self.watermark_us, self.partitions())
    }

    fn all_idle(&self) -> bool {
        !self.partitions.is_empty() && self.partitions.values().all(|known| known.idle)
    }

    /// Where the newest of all partitions is: nothing is left that could hold the others back.
    fn newest(&self) -> Option<i64> {
        let newest = self.partitions.values().filter_map(|known| known.max_event_time_us).max()?;
        Some(newest.saturating_sub(self.delay_us))
    }

    /// Where the slowest partition that is not idle is, whatever the watermark was before. None if all are
    /// idle, or one has not been seen yet.
    fn slowest(&self) -> Option<i64> {
        let busy = self.partitions.values().filter(|known| !known.idle);
        let slowest = busy.map(|known| known.max_event_time_us).min().flatten()?;
        Some(slowest.saturating_sub(self.delay_us))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DELAY_US: i64 = 10;
    const IDLE_AFTER_US: i64 = 100;

    enum Step {
        Add(i32),
        Rows(i32, i64),
        NoRows(i32),
        End(i32, i64),
        Drained(i32),
        /// Clock, reachable, and the watermark that must come out.
        Advance(i64, bool, Option<i64>),
    }
    use Step::*;

    fn kept(max_event_time_us: i64, at_end_since_us: Option<i64>) -> PartitionTime {
        PartitionTime::kept(Some(max_event_time_us), at_end_since_us, None)
    }

    fn run(idle_advance: bool, steps: &[Step]) {
        let mut watermarks = Watermarks::new(DELAY_US, IDLE_AFTER_US, idle_advance);
        let of = |number: &i32| TopicPartition::new("t", *number);
        for (index, step) in steps.iter().enumerate() {
            match step {
                Add(partition) => watermarks.add(&of(partition)),
                Rows(partition, time_us) => watermarks.observe(&of(partition), Some(*time_us)),
                NoRows(partition) => watermarks.observe(&of(partition), None),
                End(partition, clock_us) => watermarks.end(&of(partition), *clock_us),
                Drained(partition) => watermarks.drained(&of(partition)),
                Advance(clock_us, reachable, expected) => {
                    let now = Now { clock_us: *clock_us, reachable: *reachable };
                    assert_eq!(watermarks.advance(now), *expected, "step {index}");
                }
            }
        }
    }

    #[test]
    fn it_is_the_slowest_partition_less_the_delay() {
        run(false, &[Rows(0, 500), Rows(1, 300), Advance(0, true, Some(290))]);
    }

    #[test]
    fn it_moves_at_the_end_of_an_epoch_only() {
        let mut watermarks = Watermarks::new(DELAY_US, IDLE_AFTER_US, false);
        watermarks.observe(&TopicPartition::new("t", 0), Some(500));
        assert_eq!(watermarks.watermark_us(), None);
    }

    #[test]
    fn it_never_goes_back() {
        let ends = Advance(0, true, Some(490));
        run(false, &[Rows(0, 500), ends, Rows(0, 100), Advance(1, true, Some(490))]);
        run(false, &[Rows(0, 500), Advance(0, true, Some(490)), Rows(1, 100), Advance(1, true, Some(490))]);
    }

    #[test]
    fn a_new_partition_holds_it_until_seen() {
        let hold =
            [Rows(0, 500), Advance(0, true, Some(490)), Add(1), Rows(0, 900), Advance(1, true, Some(490))];
        run(false, &hold);
        let seen = [Rows(0, 500), Add(1), Advance(1, true, None), Rows(1, 800), Advance(2, true, Some(490))];
        run(false, &seen);
    }

    #[test]
    fn a_new_partition_holds_it_until_idle() {
        run(
            false,
            &[Rows(0, 500), Add(1), End(1, 1000), Advance(1099, true, None), Advance(1100, true, Some(490))],
        );
    }

    #[test]
    fn records_without_rows_do_not_let_a_partition_be_seen_but_keep_it_busy() {
        run(false, &[Rows(0, 500), Add(1), End(1, 0), NoRows(1), Advance(1000, true, None)]);
    }

    #[test]
    fn a_partition_is_idle_only_at_its_end_for_long_and_while_a_broker_answers() {
        let at_end = |then: Vec<Step>| {
            let mut steps = vec![Rows(0, 500), Rows(1, 300), End(1, 1000), Rows(0, 900)];
            steps.extend(then);
            run(false, &steps);
        };
        at_end(vec![Advance(1099, true, Some(290)), Advance(1100, true, Some(890))]);
        at_end(vec![
            Advance(1100, false, Some(290)),
            Advance(1199, true, Some(290)),
            Advance(1200, true, Some(890)),
        ]);
        at_end(vec![
            Advance(1050, false, Some(290)),
            End(1, 1060),
            Advance(1110, true, Some(290)),
            Advance(1160, true, Some(890)),
        ]);
        at_end(vec![Rows(1, 310), Advance(1100, true, Some(300))]);
    }

    #[test]
    fn the_end_seen_again_does_not_start_the_wait_again() {
        run(false, &[Rows(0, 500), Rows(1, 300), End(1, 1000), End(1, 1090), Advance(1100, true, Some(490))]);
    }

    #[test]
    fn an_idle_partition_that_comes_back_late_does_not_take_it_back() {
        run(
            false,
            &[
                Rows(0, 500),
                Rows(1, 300),
                End(1, 0),
                Advance(100, true, Some(490)),
                Rows(1, 320),
                Rows(0, 900),
                Advance(200, true, Some(490)),
                Rows(1, 800),
                Advance(300, true, Some(790)),
            ],
        );
    }

    #[test]
    fn all_idle_it_goes_to_the_newest_event_once() {
        let both_end = |clock_us| [End(0, clock_us), End(1, clock_us)];
        let steps = |rows: Vec<Step>, then: Vec<Step>| {
            run(false, &rows.into_iter().chain(both_end(1000)).chain(then).collect::<Vec<_>>());
        };
        // Not to the least of them.
        steps(
            vec![Rows(0, 500), Rows(1, 300)],
            vec![Advance(1099, true, Some(290)), Advance(1100, true, Some(490))],
        );
        // One that never had a row does not count.
        steps(vec![Rows(0, 500), Add(1)], vec![Advance(1099, true, None), Advance(1100, true, Some(490))]);
        steps(vec![Add(0), Add(1)], vec![Advance(1100, true, None)]);
        // It stays there, whatever the clock says, and continues with the next row.
        steps(
            vec![Rows(0, 500), Rows(1, 300)],
            vec![
                Advance(1100, true, Some(490)),
                Advance(9000, true, Some(490)),
                Rows(1, 510),
                Advance(9001, true, Some(500)),
            ],
        );
        // Nobody answers: who is at the end is not known.
        steps(vec![Rows(0, 500), Rows(1, 300)], vec![Advance(1100, false, Some(290))]);
    }

    #[test]
    fn with_idle_advance_it_follows_the_clock_while_all_are_idle() {
        let steps = |moved| [Rows(0, 500), End(0, 1000), Advance(1100, true, moved)];
        run(false, &steps(Some(490)));
        run(true, &steps(Some(1090)));
        run(true, &[Rows(0, 5000), End(0, 1000), Advance(1100, true, Some(4990))]);
        run(true, &[Rows(0, 5000), Rows(1, 9), End(0, 0), End(1, 0), Advance(1100, true, Some(4990))]);
        run(true, &[Add(0), End(0, 1000), Advance(1100, true, Some(1090))]);
        run(true, &[Rows(0, 500), End(0, 0), Advance(100, true, Some(490)), Advance(200, false, Some(490))]);
        run(true, &[Advance(1100, true, None)]);
    }

    #[test]
    fn a_drained_partition_is_idle_at_once() {
        // An empty one beside one that is still read, and then both.
        let empty = [Add(0), Add(1), Drained(1), Rows(0, 500), Advance(0, true, Some(490))];
        run(false, &empty);
        let both = [
            Add(1),
            Drained(1),
            Rows(0, 500),
            Advance(0, true, Some(490)),
            Rows(0, 900),
            Drained(0),
            Advance(0, true, Some(890)),
        ];
        run(false, &both);
        // One ended earlier in event time: it does not hold the other back, and at the end the newest counts.
        let uneven = [
            Rows(0, 300),
            Drained(0),
            Rows(1, 100),
            Advance(0, true, Some(90)),
            Rows(1, 200),
            Advance(0, true, Some(190)),
            Drained(1),
            Advance(0, true, Some(290)),
        ];
        run(false, &uneven);
        // What comes after its end is taken in, and does not make it busy for good.
        let more = [Rows(0, 300), Drained(0), Rows(1, 500), Rows(0, 310), Advance(0, true, Some(490))];
        run(false, &more);
        // That no broker answers any more does not matter to what was read.
        run(false, &[Rows(0, 300), Drained(0), Rows(1, 500), Drained(1), Advance(0, false, Some(490))]);
        // One that was found meanwhile still holds.
        run(false, &[Rows(0, 300), Drained(0), Add(1), Advance(0, true, None)]);
    }

    #[test]
    fn since_when_a_partition_stands_is_known() {
        let (moving, silent) = (TopicPartition::new("t", 0), TopicPartition::new("t", 1));
        let mut watermarks = Watermarks::new(DELAY_US, IDLE_AFTER_US, false);
        let since = |watermarks: &Watermarks| {
            watermarks.partitions().map(|(_, known)| known.stands_since_us).collect::<Vec<_>>()
        };
        watermarks.add(&silent);
        for (time_us, clock_us) in [(500, 1000), (600, 2000), (550, 3000)] {
            watermarks.observe(&moving, Some(time_us));
            watermarks.observe(&silent, None);
            watermarks.advance(Now { clock_us, reachable: true });
        }
        assert_eq!(since(&watermarks), [Some(2000), Some(1000)]);
        let kept: Vec<_> = watermarks.partitions().map(|(of, known)| (of.clone(), known.clone())).collect();
        let mut again = Watermarks::new(DELAY_US, IDLE_AFTER_US, false);
        again.restore(watermarks.watermark_us(), kept);
        again.advance(Now { clock_us: 9000, reachable: true });
        assert_eq!(since(&again), [Some(2000), Some(1000)]);
    }

    #[test]
    fn the_ends_of_64_bits_do_not_wrap() {
        run(false, &[Rows(0, i64::MIN), Advance(0, true, Some(i64::MIN))]);
        run(false, &[Rows(0, i64::MAX), Advance(0, true, Some(i64::MAX - DELAY_US))]);
        run(true, &[Add(0), End(0, i64::MIN), Advance(i64::MAX, true, Some(i64::MAX - DELAY_US))]);
    }

    #[test]
    fn a_restart_continues_from_the_commit_and_finds_out_who_is_idle() {
        let (busy, silent) = (TopicPartition::new("t", 0), TopicPartition::new("t", 1));
        let mut watermarks = Watermarks::new(DELAY_US, IDLE_AFTER_US, false);
        watermarks.restore(Some(290), [(busy, kept(400, None)), (silent.clone(), kept(200, None))]);
        assert_eq!(watermarks.watermark_us(), Some(290));
        assert_eq!(watermarks.advance(Now { clock_us: 0, reachable: true }), Some(290));
        watermarks.end(&silent, 0);
        assert_eq!(watermarks.advance(Now { clock_us: 100, reachable: true }), Some(390));
    }

    #[test]
    fn a_partition_that_a_restart_finds_at_its_end_has_been_there_all_the_while() {
        let (busy, silent) = (TopicPartition::new("t", 0), TopicPartition::new("t", 1));
        for (records_first, expected) in [(false, Some(390)), (true, Some(290))] {
            let mut watermarks = Watermarks::new(DELAY_US, IDLE_AFTER_US, false);
            let known = [(busy.clone(), kept(400, None)), (silent.clone(), kept(300, Some(1000)))];
            watermarks.restore(Some(290), known);
            if records_first {
                watermarks.observe(&silent, None);
            }
            watermarks.end(&silent, 1100);
            assert_eq!(watermarks.advance(Now { clock_us: 1100, reachable: true }), expected);
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_it_never_goes_back(
            steps in proptest::collection::vec((0..6u8, 0..3i32, any::<i64>(), any::<bool>()), 0..60),
            idle_advance: bool,
        ) {
            let mut watermarks = Watermarks::new(DELAY_US, IDLE_AFTER_US, idle_advance);
            let mut before = None;
            for (what, number, time_us, reachable) in steps {
                let partition = TopicPartition::new("t", number);
                match what {
                    0 => watermarks.add(&partition),
                    1 => watermarks.observe(&partition, Some(time_us)),
                    2 => watermarks.observe(&partition, None),
                    3 => watermarks.end(&partition, time_us),
                    4 => watermarks.drained(&partition),
                    _ => { watermarks.advance(Now { clock_us: time_us, reachable }); }
                }
                prop_assert!(watermarks.watermark_us() >= before);
                before = watermarks.watermark_us();
            }
        }
    }
}
