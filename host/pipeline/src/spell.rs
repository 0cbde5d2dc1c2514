//! When to report something that lasts: at its beginning or after a while, then each minute, and at its end.

use std::time::Duration;

use tallow_env::Ticks;

const EVERY: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
pub struct Spell {
    /// How long it has to last before it is reported.
    at_least: Duration,
    since: Option<Ticks>,
    told: Option<Ticks>,
}

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    Nothing,
    Lasts {
        so_far: Duration,
    },
    /// Only if it was reported before.
    Over {
        after: Duration,
    },
}

impl Spell {
    /// One that is reported at once.
    pub const fn told_at_once() -> Self {
        Self::told_after(Duration::ZERO)
    }

    pub const fn told_after(at_least: Duration) -> Self {
        Self { at_least, since: None, told: None }
    }

    pub fn look(&mut self, now: Ticks, is_on: bool) -> Tell {
        if !is_on {
            let Self { since, told, .. } = std::mem::replace(self, Self::told_after(self.at_least));
            return match (since, told) {
                (Some(since), Some(_)) => Tell::Over { after: now.since(since) },
                _ => Tell::Nothing,
            };
        }
        let so_far = now.since(*self.since.get_or_insert(now));
        let due = self.told.is_none_or(|told| now.since(told) >= EVERY);
        if so_far < self.at_least || !due {
            return Tell::Nothing;
        }
        self.told = Some(now);
        Tell::Lasts { so_far }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut spell: Spell, looks: &[(u64, bool, Tell)]) {
        for (seconds, is_on, told) in looks {
            assert_eq!(spell.look(Ticks(seconds * 1_000_000), *is_on), *told, "after {seconds} s");
        }
    }

    fn lasts(seconds: u64) -> Tell {
        Tell::Lasts { so_far: Duration::from_secs(seconds) }
    }

    fn over(seconds: u64) -> Tell {
        Tell::Over { after: Duration::from_secs(seconds) }
    }

    #[test]
    fn an_outage_is_told_at_once_each_minute_and_at_its_end() {
        check(
            Spell::told_at_once(),
            &[
                (0, false, Tell::Nothing),
                (1, true, lasts(0)),
                (2, true, Tell::Nothing),
                (60, true, Tell::Nothing),
                (61, true, lasts(60)),
                (62, true, Tell::Nothing),
                (122, true, lasts(121)),
                (130, false, over(129)),
                (131, false, Tell::Nothing),
                (132, true, lasts(0)),
                (133, false, over(1)),
            ],
        );
    }

    #[test]
    fn what_is_told_after_a_while_is_not_told_if_it_is_short() {
        check(
            Spell::told_after(Duration::from_secs(60)),
            &[
                (0, true, Tell::Nothing),
                (59, true, Tell::Nothing),
                (60, true, lasts(60)),
                (119, true, Tell::Nothing),
                (121, true, lasts(121)),
                (130, false, over(130)),
                (131, true, Tell::Nothing),
                (140, false, Tell::Nothing),
                (141, true, Tell::Nothing),
                (199, true, Tell::Nothing),
                (201, true, lasts(60)),
            ],
        );
    }
}
