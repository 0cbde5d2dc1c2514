//! A synthetic market. Nothing in it was ever traded: its symbols begin with `SYN`.
//!
//! Trades have the shape of Binance's `trade` stream. Prices walk at random; quiet times alternate with bursts; ids
//! count up without a hole for each symbol, also from one run into the next that knows where it ended ([`Newest`]).
//! [`Faults`] are laid over that: trades that come late, come twice, or come a second time damaged. The trade itself
//! always comes once, whole, so the right candles are known.

mod fault;
mod history;
mod newest;
mod symbol;
mod trade;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tallow_env::{Random, SeededRandom};

use crate::Message;
pub use fault::Faults;
pub use history::{History, history};
pub use newest::{Last, Newest};
use symbol::Symbol;

/// What market to make up.
#[derive(Clone, Debug)]
pub struct Market {
    pub seed: u64,
    pub symbols: usize,
    /// Event time of the beginning, µs since 1970-01-01 UTC.
    pub start_us: i64,
    /// Trades a second of event time, over all symbols, on average.
    pub trades_per_second: f64,
    pub faults: Faults,
    /// The first id of symbols that `newest` does not know; where there is none, the seed gives one.
    pub first_id: Option<i64>,
    /// What an earlier run has sent: its symbols' ids and prices are followed.
    pub newest: Newest,
}

impl Market {
    /// The demo's market: eight symbols, and all faults. Ids begin with the clock, so that a market that begins later
    /// gives no id a second time.
    pub fn demo(seed: u64, start_us: i64, trades_per_second: f64) -> Self {
        let newest = Newest::default();
        let first_id = Some(start_us);
        Self { seed, symbols: 8, start_us, trades_per_second, faults: Faults::DEMO, first_id, newest }
    }

    /// A faultless market of so many symbols for benchmarks: `trades` of them fill about
    /// `span_us` of event time.
    pub fn bench(seed: u64, symbols: usize, start_us: i64, trades: u64, span_us: i64) -> Self {
        let trades_per_second = trades as f64 / (span_us.max(1) as f64 / 1e6);
        let newest = Newest::default();
        Self { seed, symbols, start_us, trades_per_second, faults: Faults::NONE, first_id: None, newest }
    }
}

/// A stream of messages of a [`Market`], in the order in which they arrive; the same seed gives the same messages. It
/// is endless unless it is closed: what has been traded by then still arrives, so that no id is missing.
pub struct Generator {
    random: SeededRandom,
    symbols: Vec<Symbol>,
    faults: Faults,
    /// Mean distance of trades, µs.
    gap_us: f64,
    /// Event time of the newest trade. A fraction, or high rates would round their gaps to nothing.
    now_us: f64,
    start_us: i64,
    burst_left: u32,
    made: u64,
    most: u64,
    closed: bool,
    /// Messages that were made and have not arrived yet.
    coming: BinaryHeap<Reverse<Coming>>,
}

/// Ordered by arrival, then by making.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Coming {
    arrival_us: i64,
    made: u64,
    event_us: i64,
    symbol: usize,
    value: Vec<u8>,
}

/// How much faster trades follow each other in a burst, how long bursts are, and how rarely they begin.
const BURST_SPEED: f64 = 8.0;
const BURST_TRADES: u64 = 400;
const BURST_EVERY: u64 = 4_000;

impl Generator {
    pub fn new(market: Market) -> Self {
        let random = SeededRandom::new(market.seed);
        // Bursts take no time from the average: the quiet gaps make up for them.
        let share = (BURST_TRADES / 2) as f64 / (BURST_EVERY + BURST_TRADES / 2) as f64;
        let gap_us = 1e6 / market.trades_per_second.max(1e-6) / (1.0 - share + share / BURST_SPEED);
        let symbol = |index| {
            let symbol = Symbol::new(index, &random, market.first_id);
            match market.newest.symbols.get(symbol.name()) {
                Some(last) => symbol.following(*last),
                None => symbol,
            }
        };
        Self {
            symbols: (0..market.symbols.max(1)).map(symbol).collect(),
            random,
            faults: market.faults,
            gap_us,
            now_us: 0.0,
            start_us: market.start_us,
            burst_left: 0,
            made: 0,
            most: u64::MAX,
            closed: false,
            coming: BinaryHeap::new(),
        }
    }

    /// Gives that many messages and no more.
    pub fn at_most(self, messages: u64) -> Self {
        Self { most: messages, ..self }
    }

    /// Nothing is traded after that moment. What was traded before it arrives.
    pub fn close(&mut self, moment_us: i64) {
        self.closed = true;
        self.coming.retain(|coming| coming.0.event_us <= moment_us);
    }

    /// Makes the next trade and lays out when it, and what goes wrong with it, arrives.
    fn make(&mut self) {
        if self.burst_left == 0 && self.random.below(BURST_EVERY) == 0 {
            self.burst_left = self.random.below(BURST_TRADES) as u32;
        }
        let speed = if self.burst_left > 0 { BURST_SPEED } else { 1.0 };
        self.burst_left = self.burst_left.saturating_sub(1);
        // Exponential distances: trades that know nothing of each other.
        self.now_us += -(1.0 - self.random.unit()).ln() * self.gap_us / speed;
        let event_us = self.start_us + self.now_us as i64;
        let index = self.random.below(self.symbols.len() as u64) as usize;
        let trade = self.symbols[index].trade(event_us, speed > 1.0, &self.random);
        let value = trade.json();
        let arrival_us = event_us + self.faults.delay_us(&self.random);
        if let Some(after_us) = self.faults.twice_after_us(&self.random)
            && self.has_room_for_copies()
        {
            self.comes(arrival_us + after_us, event_us, index, value.clone());
        }
        if let Some(damaged) = self.faults.damaged(&value, &self.random)
            && self.has_room_for_copies()
        {
            self.comes(arrival_us, event_us, index, damaged);
        }
        self.comes(arrival_us, event_us, index, value);
    }

    /// The last message is kept for the trade itself.
    fn has_room_for_copies(&self) -> bool {
        self.made + 1 < self.most
    }

    fn comes(&mut self, arrival_us: i64, event_us: i64, symbol: usize, value: Vec<u8>) {
        self.made += 1;
        self.coming.push(Reverse(Coming { arrival_us, made: self.made, event_us, symbol, value }));
    }

    /// Makes trades until it is known what arrives next, and when; none once the market is closed and all has arrived.
    fn settle(&mut self) -> Option<i64> {
        loop {
            // No trade to come can arrive before the newest one's event time.
            let now_us = self.start_us + self.now_us as i64;
            self.closed |= self.made >= self.most;
            match self.coming.peek() {
                Some(Reverse(first)) if self.closed || first.arrival_us <= now_us => {
                    return Some(first.arrival_us);
                }
                None if self.closed => return None,
                _ => self.make(),
            }
        }
    }

    /// The next message if it arrives before a moment.
    pub fn next_before(&mut self, moment_us: i64) -> Option<Message> {
        self.settle().filter(|arrival_us| *arrival_us < moment_us)?;
        self.next()
    }
}

impl Iterator for Generator {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.settle()?;
        let Reverse(coming) = self.coming.pop()?;
        Some(Message {
            key: Some(self.symbols[coming.symbol].name().as_bytes().to_vec()),
            value: coming.value,
            event_us: Some(coming.event_us),
            due_us: Some(coming.arrival_us),
            headers: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const START_US: i64 = 1_723_161_600_000_000;

    fn demo(count: usize) -> Vec<Message> {
        Generator::new(Market::demo(7, START_US, 2_000.0)).take(count).collect()
    }

    /// Symbol, id, event time of a message that is a whole trade.
    fn trade(message: &Message) -> Option<(String, i64, i64)> {
        let value: serde_json::Value = serde_json::from_slice(&message.value).ok()?;
        value["p"].as_str()?.parse::<f64>().ok()?;
        Some((value["s"].as_str()?.to_owned(), value["t"].as_i64()?, value["T"].as_i64()? * 1000))
    }

    #[test]
    fn a_seed_gives_the_same_messages_and_another_seed_others() {
        assert_eq!(demo(5_000), demo(5_000));
        let other: Vec<_> = Generator::new(Market::demo(8, START_US, 2_000.0)).take(5_000).collect();
        assert_ne!(demo(5_000), other);
    }

    #[test]
    fn every_symbols_ids_count_up_without_a_hole() {
        let mut ids: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for (symbol, id, _) in demo(100_000).iter().filter_map(trade) {
            ids.entry(symbol).or_default().insert(id);
        }
        assert_eq!(ids.len(), 8);
        for (symbol, ids) in ids {
            // The newest few may still be on their way.
            let settled: Vec<_> = ids.iter().copied().take(ids.len() - 800).collect();
            let holes = settled.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
            assert_eq!(holes, 0, "{symbol}");
        }
    }

    #[test]
    fn trades_come_out_of_order_but_never_later_than_the_bound() {
        let (mut newest_us, mut backward, mut latest_us) = (i64::MIN, 0, 0);
        for (_, _, event_us) in demo(100_000).iter().filter_map(trade) {
            newest_us = newest_us.max(event_us);
            backward += usize::from(event_us < newest_us);
            latest_us = latest_us.max(newest_us - event_us);
        }
        assert!(backward > 1_000, "{backward}");
        assert!(latest_us <= Faults::DEMO.latest_us + 1_000, "{latest_us}");
    }

    #[test]
    fn there_are_duplicates_and_damaged_messages_but_few() {
        let messages = demo(100_000);
        let whole: Vec<_> = messages.iter().filter_map(trade).collect();
        let different: BTreeSet<_> = whole.iter().collect();
        let (twice, damaged) = (whole.len() - different.len(), messages.len() - whole.len());
        assert!((50..1_000).contains(&twice), "{twice}");
        assert!((10..200).contains(&damaged), "{damaged}");
    }

    #[test]
    fn messages_are_due_in_order_at_about_the_rate_asked_for() {
        let messages = demo(200_000);
        assert!(messages.windows(2).all(|pair| pair[0].due_us <= pair[1].due_us));
        let span_us = messages[199_999].due_us.unwrap() - START_US;
        let rate = 200_000.0 / (span_us as f64 / 1e6);
        assert!((1_800.0..2_200.0).contains(&rate), "{rate}");
    }

    /// Every symbol's ids without a hole, each id of one content.
    fn assert_whole(messages: &[Message]) {
        let mut ids: BTreeMap<String, BTreeMap<i64, i64>> = BTreeMap::new();
        for (symbol, id, event_us) in messages.iter().filter_map(trade) {
            let known = *ids.entry(symbol.clone()).or_default().entry(id).or_insert(event_us);
            assert_eq!(known, event_us, "{symbol} {id} is two trades");
        }
        assert_eq!(ids.len(), 8);
        for (symbol, ids) in ids {
            let (first, last) = (ids.keys().next().unwrap(), ids.keys().next_back().unwrap());
            assert_eq!((last - first + 1) as usize, ids.len(), "{symbol}");
        }
    }

    #[test]
    fn what_was_traded_before_a_market_closes_arrives() {
        let mut market = Generator::new(Market::demo(7, START_US, 2_000.0));
        let mut messages: Vec<_> = market.by_ref().take(20_000).collect();
        market.close(i64::MAX);
        let rest: Vec<_> = market.collect();
        assert!(!rest.is_empty() && rest.len() < 1_000, "{}", rest.len());
        messages.extend(rest);
        assert_whole(&messages);
        assert!(messages.windows(2).all(|pair| pair[0].due_us <= pair[1].due_us));
    }

    #[test]
    fn a_market_of_so_many_messages_gives_as_many_and_is_whole() {
        for most in [0, 1, 2, 1_000, 20_001] {
            let messages: Vec<_> = Generator::new(Market::demo(7, START_US, 2_000.0)).at_most(most).collect();
            assert_eq!(messages.len() as u64, most);
            if most > 1_000 {
                assert_whole(&messages);
            }
        }
    }

    #[test]
    fn a_market_that_knows_the_one_before_it_follows_it() {
        let mut messages: Vec<_> =
            Generator::new(Market::demo(1, START_US, 2_000.0)).at_most(20_000).collect();
        let mut newest = Newest::default();
        messages.iter().for_each(|message| newest.see(&message.value));
        let last_us = messages.iter().filter_map(trade).map(|trade| trade.2).max().unwrap();
        assert_eq!(newest.event_us, Some(last_us));
        // Of the same seed: its ids would be the same ones.
        let market = Market { newest, ..Market::demo(1, last_us, 2_000.0) };
        messages.extend(Generator::new(market).at_most(20_000));
        assert_whole(&messages);
    }

    #[test]
    fn a_market_that_begins_later_gives_no_id_twice() {
        let highest = demo(100_000).iter().filter_map(trade).map(|trade| trade.1).max().unwrap();
        let later = Generator::new(Market::demo(7, START_US + 60_000_000, 2_000.0)).take(100);
        assert!(later.filter_map(|message| trade(&message)).all(|trade| trade.1 > highest));
    }

    #[test]
    fn a_benchmarks_market_is_whole_and_fills_its_span() {
        let market = Market::bench(1, 300, START_US, 50_000, 60_000_000);
        let trades: Vec<_> = Generator::new(market).take(50_000).map(|message| trade(&message)).collect();
        assert!(trades.iter().all(Option::is_some));
        let symbols: BTreeSet<_> = trades.iter().flatten().map(|trade| &trade.0).collect();
        assert_eq!(symbols.len(), 300);
        let span_us = trades[49_999].as_ref().unwrap().2 - START_US;
        assert!((50_000_000..70_000_000).contains(&span_us), "{span_us}");
    }
}
