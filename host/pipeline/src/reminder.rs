//! When to report something that lasts: at its beginning or after a while, then each minute, and at its end.

use std::time::Duration;

use tallow_env::Ticks;

const EVERY: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
pub struct Reminder {
    /// How long it has to last before it is reported.
    at_least: Duration,
    since: Option<Ticks>,
    told: Option<Ticks>,
}

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    Nothing,
    Lasts {
        so_far: Duration,
    },
    /// Only if it was reported before.
    Over {
        after: Duration,
    },
}

impl Reminder {
    /// One that is reported at once.
    pub const fn at_once() -> Self {
        Self::after_a_while(Duration::ZERO)
    }

    pub const fn after_a_while(at_least: Duration) -> Self {
        Self { at_least, since: None, told: None }
    }

    pub fn look(&mut self, now: Ticks, is_on: bool) -> Notice {
        if !is_on {
            let Self { since, told, .. } = std::mem::replace(self, Self::after_a_while(self.at_least));
            return match (since, told) {
                (Some(since), Some(_)) => Notice::Over { after: now.since(since) },
                _ => Notice::Nothing,
            };
        }
        let so_far = now.since(*self.since.get_or_insert(now));
        let due = self.told.is_none_or(|told| now.since(told) >= EVERY);
        if so_far < self.at_least || !due {
            return Notice::Nothing;
        }
        self.told = Some(now);
        Notice::Lasts { so_far }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut reminder: Reminder, looks: &[(u64, bool, Notice)]) {
        for (seconds, is_on, told) in looks {
            assert_eq!(reminder.look(Ticks(seconds * 1_000_000), *is_on), *told, "after {seconds} s");
        }
    }

    fn lasts(seconds: u64) -> Notice {
        Notice::Lasts { so_far: Duration::from_secs(seconds) }
    }

    fn over(seconds: u64) -> Notice {
        Notice::Over { after: Duration::from_secs(seconds) }
    }

    #[test]
    fn an_outage_is_told_at_once_each_minute_and_at_its_end() {
        check(
            Reminder::at_once(),
            &[
                (0, false, Notice::Nothing),
                (1, true, lasts(0)),
                (2, true, Notice::Nothing),
                (60, true, Notice::Nothing),
                (61, true, lasts(60)),
                (62, true, Notice::Nothing),
                (122, true, lasts(121)),
                (130, false, over(129)),
                (131, false, Notice::Nothing),
                (132, true, lasts(0)),
                (133, false, over(1)),
            ],
        );
    }

    #[test]
    fn what_is_told_after_a_while_is_not_told_if_it_is_short() {
        check(
            Reminder::after_a_while(Duration::from_secs(60)),
            &[
                (0, true, Notice::Nothing),
                (59, true, Notice::Nothing),
                (60, true, lasts(60)),
                (119, true, Notice::Nothing),
                (121, true, lasts(121)),
                (130, false, over(130)),
                (131, true, Notice::Nothing),
                (140, false, Notice::Nothing),
                (141, true, Notice::Nothing),
                (199, true, Notice::Nothing),
                (201, true, lasts(60)),
            ],
        );
    }
}
