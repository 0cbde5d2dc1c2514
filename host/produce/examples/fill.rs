//! Fills a topic for benchmarks: `fill <brokers> <topic> <trades> [symbols] [span in seconds]`.
//!
//! The trades are synthetic, without faults, and the same in every run.

#![allow(clippy::expect_used, reason = "a measurement by hand")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use tallow_env::SystemClock;
use tallow_produce::{Generator, Market, Pace, SinkConfig, produce};

const START_US: i64 = 1_723_161_600_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [brokers, topic, trades, rest @ ..] = &arguments[..] else {
        panic!("usage: fill <brokers> <topic> <trades> [symbols] [span in seconds]");
    };
    let number = |text: &String| text.parse::<u64>().expect("a number");
    let trades = number(trades);
    let symbols = rest.first().map_or(8, number) as usize;
    let span_us = rest.get(1).map_or(3_600, number) as i64 * 1_000_000;
    let stream = Generator::new(Market::bench(1, symbols, START_US, trades, span_us)).take(trades as usize);
    let sink = SinkConfig { brokers: brokers.clone(), client: BTreeMap::new(), topic: topic.clone() };
    let mut show = |_| ControlFlow::Continue(());
    let summary = produce(stream.map(Ok), &sink, Pace::Max, None, &SystemClock::new(), &mut show)
        .expect("all is taken");
    let seconds = summary.elapsed.as_secs_f64();
    println!(
        "{} records, {} bytes each, in {seconds:.1} s = {:.2} M/s",
        summary.records,
        summary.bytes / summary.records.max(1),
        summary.records as f64 / seconds / 1e6
    );
}
