//! Requests to the exchange: one at a time, within its allowance, again where that helps, and no longer than it makes
//! sense. Facts in, decisions out.

use std::collections::VecDeque;
use std::time::Duration;

use tallow_engine::feed::{Page, Request, Series, Want};
use tallow_env::{Backoff, Random, Ticks};
use tallow_http::Budget;

const PAUSES: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));

/// A request that is on its way or waits for its turn.
#[derive(Clone, Debug)]
pub struct Ask {
    pub want: Want,
    pub request: Request,
    records: Vec<(Series, i64, Vec<u8>)>,
    since: Ticks,
    not_before: Ticks,
    pauses: Backoff,
}

/// What became of what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub want: Want,
    pub records: Vec<(Series, i64, Vec<u8>)>,
    /// Why there is no more; `None` if the exchange gave what it has.
    pub trouble: Option<String>,
}

pub struct Asks {
    waiting: VecDeque<Ask>,
    out: Option<Ask>,
    budget: Budget,
    /// How long one thing is tried.
    patience: Duration,
    /// The exchange asks to be left alone until then.
    shut_until: Ticks,
}

impl Asks {
    pub fn new(weight: u32, patience: Duration) -> Self {
        Self {
            waiting: VecDeque::new(),
            out: None,
            budget: Budget::new(weight),
            patience,
            shut_until: Ticks(0),
        }
    }

    pub fn push(&mut self, want: Want, request: Request, now: Ticks) {
        let ask = Ask { want, request, records: Vec::new(), since: now, not_before: now, pauses: PAUSES };
        self.waiting.push_back(ask);
    }

    /// Whether that is wanted already.
    pub fn has(&self, want: Want) -> bool {
        self.waiting.iter().chain(&self.out).any(|ask| ask.want == want)
    }

    /// The request to send now, if there is one. It is answered by [`Asks::page`], [`Asks::again`] or [`Asks::never`].
    pub fn next(&mut self, now: Ticks) -> Option<&Ask> {
        if self.out.is_some() {
            return None;
        }
        let at = self.waiting.iter().position(|ask| ask.not_before <= now)?;
        if !self.budget.take(self.waiting[at].request.weight, now).is_zero() {
            return None;
        }
        self.out = self.waiting.remove(at);
        self.out.as_ref()
    }

    /// What was sent.
    pub fn out(&self) -> Option<&Ask> {
        self.out.as_ref()
    }

    /// What the exchange says about its allowance.
    pub fn used(&mut self, weight: Option<u32>, wait: Option<Duration>, now: Ticks) {
        if let Some(weight) = weight {
            self.budget.used(weight, now);
        }
        if let Some(wait) = wait {
            self.budget.shut(wait, now);
            let until = Ticks(now.0.saturating_add(wait.as_micros() as u64));
            self.shut_until = self.shut_until.max(until);
        }
    }

    /// What is given up because the exchange asks to be left alone for longer than there is patience.
    pub fn given_up(&mut self, now: Ticks) -> Option<Done> {
        let left = self.shut_until.since(now);
        if left <= self.patience {
            return None;
        }
        let ask = self.waiting.pop_front()?;
        let trouble = Some(format!("the exchange asks to be left alone for {} s", left.as_secs()));
        Some(Done { want: ask.want, records: ask.records, trouble })
    }

    /// A part of what is wanted. A page that brings nothing is the last, whatever it says.
    pub fn page(&mut self, page: Page, now: Ticks) -> Option<Done> {
        let mut ask = self.out.take()?;
        let before = ask.records.len();
        ask.records.extend(page.records.iter().map(|(series, id, value)| (series, id, value.to_vec())));
        match page.next.filter(|_| ask.records.len() > before) {
            Some(next) => {
                (ask.request, ask.pauses, ask.since) = (next, PAUSES, now);
                // After those that wait, so that one long hole holds no other back.
                self.waiting.push_back(ask);
                None
            }
            None => Some(Done { want: ask.want, records: ask.records, trouble: None }),
        }
    }

    /// It did not work, and may later.
    pub fn again(&mut self, why: &str, now: Ticks, random: &dyn Random) -> Option<Done> {
        let mut ask = self.out.take()?;
        if now.since(ask.since) >= self.patience {
            let waited = self.patience.as_secs();
            let trouble = Some(format!("no answer within {waited} s, the last: {why}"));
            return Some(Done { want: ask.want, records: ask.records, trouble });
        }
        let pause = ask.pauses.half_jittered(random);
        ask.not_before = Ticks(now.0.saturating_add(pause.as_micros() as u64));
        self.waiting.push_back(ask);
        None
    }

    /// It will never work.
    pub fn never(&mut self, why: String) -> Option<Done> {
        let ask = self.out.take()?;
        Some(Done { want: ask.want, records: ask.records, trouble: Some(why) })
    }
}

#[cfg(test)]
mod tests {
    use tallow_engine::feed::Records;
    use tallow_env::SeededRandom;

    use super::*;

    const S: u64 = 1_000_000;

    fn asks() -> Asks {
        let mut asks = Asks::new(60, Duration::from_secs(100));
        for poll in [0, 1] {
            asks.push(Want::Poll(poll), Request::get(format!("/{poll}"), &[], 10), Ticks(0));
        }
        asks
    }

    fn page(ids: &[i64], next: bool) -> Page {
        let mut records = Records::default();
        ids.iter().for_each(|id| records.push(Series { symbol: 0, stream: 0 }, *id, b"x"));
        Page { records, next: next.then(|| Request::get("/next", &[], 10)) }
    }

    fn path(asks: &mut Asks, now: u64) -> Option<String> {
        asks.next(Ticks(now)).map(|ask| ask.request.path.clone())
    }

    #[test]
    fn one_is_on_its_way_and_pages_take_turns() {
        let mut asks = asks();
        assert_eq!(path(&mut asks, 0).as_deref(), Some("/0"));
        assert_eq!(path(&mut asks, 0), None);
        assert_eq!(asks.page(page(&[1], true), Ticks(0)), None);
        assert_eq!(path(&mut asks, 0).as_deref(), Some("/1"));
        assert!(asks.page(page(&[], true), Ticks(0)).is_some_and(|done| done.want == Want::Poll(1)));
        assert_eq!(path(&mut asks, 0).as_deref(), Some("/next"));
        let done = asks.page(page(&[2], false), Ticks(0)).unwrap();
        assert_eq!(done.records.iter().map(|it| it.1).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((done.trouble, asks.has(Want::Poll(0))), (None, false));
    }

    #[test]
    fn the_allowance_is_kept_and_a_shut_door_is_waited_for() {
        let mut asks = asks();
        asks.used(Some(55), None, Ticks(0));
        assert_eq!(path(&mut asks, 0), None);
        assert_eq!(path(&mut asks, 5 * S).as_deref(), Some("/0"));
        asks.used(None, Some(Duration::from_secs(30)), Ticks(5 * S));
        assert_eq!(asks.again("429", Ticks(5 * S), &SeededRandom::new(1)), None);
        assert_eq!(path(&mut asks, 34 * S), None);
        assert_eq!(path(&mut asks, 35 * S).as_deref(), Some("/1"));
    }

    #[test]
    fn nothing_waits_for_a_ban_that_outlasts_patience() {
        let mut asks = asks();
        asks.used(None, Some(Duration::from_secs(100)), Ticks(0));
        assert_eq!(asks.given_up(Ticks(0)), None);
        asks.used(None, Some(Duration::from_secs(300)), Ticks(0));
        let gone = [(); 3].map(|()| asks.given_up(Ticks(0)).map(|done| (done.want, done.trouble.unwrap())));
        let why = "the exchange asks to be left alone for 300 s".to_owned();
        assert_eq!(gone, [Some((Want::Poll(0), why.clone())), Some((Want::Poll(1), why)), None]);
    }

    #[test]
    fn patience_ends_with_the_last_reason() {
        let mut asks = asks();
        path(&mut asks, 0);
        assert_eq!(asks.again("503", Ticks(0), &SeededRandom::new(1)), None);
        assert!(asks.has(Want::Poll(0)));
        path(&mut asks, S);
        asks.never("gone".into());
        path(&mut asks, 100 * S);
        let done = asks.again("502", Ticks(100 * S), &SeededRandom::new(1)).unwrap();
        assert_eq!(done.trouble.as_deref(), Some("no answer within 100 s, the last: 502"));
    }
}
