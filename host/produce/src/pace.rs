//! When a message may go.

use std::time::Duration;

/// How fast to send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as the broker takes them.
    Max,
    /// So many messages a second.
    PerSecond(f64),
    /// At the distances in time at which they were received, divided by `speed`.
    ByTime { speed: f64 },
}

/// The schedule of one stream: facts in, time out. Late messages are made up for, so the average holds.
#[derive(Debug)]
pub struct Schedule {
    pace: Pace,
    sent: u64,
    first_due_us: Option<i64>,
}

impl Schedule {
    pub fn new(pace: Pace) -> Self {
        Self { pace, sent: 0, first_due_us: None }
    }

    /// When the next message is to go, counted from the start of the stream.
    pub fn next(&mut self, due_us: Option<i64>) -> Duration {
        let count = self.sent;
        self.sent += 1;
        match (self.pace, due_us) {
            (Pace::PerSecond(rate), _) if rate > 0.0 => seconds(count as f64 / rate),
            (Pace::ByTime { speed }, Some(due_us)) if speed > 0.0 => {
                let first = *self.first_due_us.get_or_insert(due_us);
                seconds(due_us.saturating_sub(first) as f64 / 1e6 / speed)
            }
            _ => Duration::ZERO,
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_spaces_messages_evenly() {
        let mut schedule = Schedule::new(Pace::PerSecond(4.0));
        let times: Vec<_> = (0..5).map(|_| schedule.next(None).as_millis()).collect();
        assert_eq!(times, [0, 250, 500, 750, 1000]);
    }

    #[test]
    fn recorded_distances_are_kept_or_shortened_by_the_speed() {
        let mut schedule = Schedule::new(Pace::ByTime { speed: 10.0 });
        let times: Vec<_> =
            [7_000_000, 8_000_000, 27_000_000].map(|due| schedule.next(Some(due)).as_millis()).into();
        assert_eq!(times, [0, 100, 2000]);
    }

    #[test]
    fn messages_without_a_time_or_out_of_order_go_at_once() {
        let mut schedule = Schedule::new(Pace::ByTime { speed: 1.0 });
        assert_eq!(schedule.next(Some(5_000_000)), Duration::ZERO);
        assert_eq!(schedule.next(None), Duration::ZERO);
        assert_eq!(schedule.next(Some(1_000_000)), Duration::ZERO);
    }
}
