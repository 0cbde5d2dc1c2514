//! A synthetic market into a topic: what it traded before now at once, the rest in its own time. It follows the trades
//! that the topic holds of it, so that ids and times go on from run to run.

use std::time::Duration;

use tallow_produce::{Generator, Market, Newest, Pace, Summary, Tail, newest};

use super::{Args, Rate, Run};
use crate::cli::Failure;

const RATE: f64 = 1000.0;
/// As fast as it goes and without an end: so much first, then in the market's time.
const LONG_PAST: Duration = Duration::from_secs(24 * 3600);

/// What was sent.
pub struct Sent {
    pub summary: Summary,
    /// Event times that the market was open for.
    pub from_us: i64,
    pub to_us: i64,
    /// The topic held trades of the market.
    pub goes_on: bool,
}

/// When a market opens, and its trades a second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Opening {
    start_us: i64,
    rate: f64,
}

pub fn send(args: &Args, run: &mut Run<'_>) -> Result<Sent, Failure> {
    let clock = run.clock;
    // Where there is no broker or no topic, it is said before anything is looked for.
    run.send(std::iter::empty(), Pace::Max)?;
    let newest = match newest(run.sink, clock) {
        Tail::Read(newest) => newest,
        Tail::Unread(why) => {
            tracing::warn!(
                "topic `{}` cannot be read ({why}): ids begin with the clock, so those between two runs count as missing",
                run.sink.topic
            );
            Newest::default()
        }
    };
    let goes_on = !newest.symbols.is_empty();
    let Opening { start_us, rate } = opening(args, clock.now_us(), newest.event_us);
    let market = Market { newest, ..Market::demo(args.seed, start_us, rate) };
    let mut market = Generator::new(market).at_most(args.messages.unwrap_or(u64::MAX));

    let past = std::iter::from_fn(|| market.next_before(clock.now_us()));
    let mut sent = run.send(past.map(Ok), Pace::Max)?;
    if !sent.stopped {
        sent = run.send(market.by_ref().map(Ok), Pace::ByTime { speed: 1.0 })?;
    }
    let to_us = clock.now_us();
    if sent.stopped {
        // What is on its way arrives, or its ids would be missing.
        market.close(to_us);
        let unsent = sent.unsent.take().filter(|message| message.event_us.is_some_and(|it| it <= to_us));
        let rest: Vec<_> = unsent.into_iter().chain(market).map(Ok).collect();
        let stopped = Summary { stopped: true, ..run.finish(rest)? };
        sent = stopped;
    }
    Ok(Sent { summary: sent, from_us: start_us, to_us, goes_on })
}

fn opening(args: &Args, now_us: i64, newest_us: Option<i64>) -> Opening {
    let rate = match args.rate {
        Some(Rate::PerSecond(rate)) => rate,
        _ => RATE,
    };
    let is_max = matches!(args.rate, Some(Rate::Max));
    let past_us = match args.messages {
        Some(messages) if is_max => messages as f64 / rate * 1e6,
        _ if is_max => args.past.max(LONG_PAST).as_micros() as f64,
        _ => args.past.as_micros() as f64,
    };
    // Times never go back behind the topic's newest one: such rows would be late.
    let start_us = newest_us.unwrap_or(i64::MIN).max(now_us.saturating_sub(past_us as i64));
    // So many messages in less time: they are closer to each other.
    let room_us = now_us.saturating_sub(start_us).max(1_000_000) as f64;
    let rate = if is_max && args.messages.is_some() { rate * (past_us / room_us).max(1.0) } else { rate };
    Opening { start_us, rate }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    const NOW_US: i64 = 1_700_000_000_000_000;
    const MINUTE_US: i64 = 60_000_000;

    fn opens(options: &str, newest_us: Option<i64>) -> (i64, f64) {
        let words = ["produce", "--source", "demo"].into_iter().chain(options.split_whitespace());
        let opening = opening(&Cli::parse_from(words).args, NOW_US, newest_us);
        (NOW_US - opening.start_us, opening.rate)
    }

    #[test]
    fn a_market_has_been_open_as_long_as_asked_for() {
        assert_eq!(opens("", None), (3 * MINUTE_US, 1000.0));
        assert_eq!(opens("--past 1h --rate 5", None), (60 * MINUTE_US, 5.0));
        assert_eq!(opens("--past 0s", None), (0, 1000.0));
    }

    #[test]
    fn a_market_goes_on_from_the_topics_newest_trade() {
        assert_eq!(opens("", Some(NOW_US - MINUTE_US)), (MINUTE_US, 1000.0));
        assert_eq!(opens("", Some(NOW_US - 90 * MINUTE_US)), (3 * MINUTE_US, 1000.0));
        assert_eq!(opens("", Some(NOW_US + 5)), (-5, 1000.0));
    }

    #[test]
    fn as_fast_as_it_goes_has_its_times_before_now() {
        assert_eq!(opens("--rate max --messages 60000", None), (MINUTE_US, 1000.0));
        assert_eq!(opens("--rate max", None), (24 * 60 * MINUTE_US, 1000.0));
        let close = opens("--rate max --messages 60000", Some(NOW_US - 2_000_000));
        assert_eq!(close, (2_000_000, 30_000.0));
        let closer = opens("--rate max --messages 60000", Some(NOW_US));
        assert_eq!(closer, (0, 60_000.0));
    }
}
