//! Binance: spot trades, aggregate trades, klines and tickers by combined streams, and the aggregate trades of USD-M
//! futures. Records are the exchange's own messages without the envelope; what the REST API gives is written as the
//! socket would have sent it.
//!
//! The setting `market` is `spot` or `usd-m`, `time-unit` is `ms` or `us`, and `poll` is the period of `ticker-rest`
//! in seconds.

mod message;
mod rest;
mod streams;

use feed::{
    Answer, Connection, Exchange, Names, Pace, Page, Plan, Poll, Reading, Refusal, Request, Series,
    Subscription, Want, groups, refuse,
};
use serde_json::json;

use streams::{Kind, Market};

#[cfg(target_arch = "wasm32")]
mod component {
    type Component = feed::adapter::Adapter<crate::Binance>;
    feed::adapter::export_feed!(Component with_types_in feed::adapter);
}

pub struct Binance;

/// Streams of a connection; 1,024 are allowed.
const STREAMS: usize = 1000;
/// Streams of one message that subscribes.
const STREAMS_OF_MESSAGE: usize = 100;

impl Exchange for Binance {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const WS_URL: &'static str = "wss://stream.binance.com:9443";
    const REST_URL: &'static str = "https://api.binance.com";
    const SETTINGS: &'static [&'static str] = &["market", "time-unit", "poll"];

    fn plan(subscription: &Subscription) -> Result<Plan, Refusal> {
        if let Some(symbol) = subscription.symbols.iter().find(|symbol| **symbol != symbol.to_uppercase()) {
            refuse!("`{symbol}`: write symbols as messages do, in capitals: {}", symbol.to_uppercase());
        }
        let market = Market::of(subscription)?;
        let microseconds = microseconds(subscription)?;
        let kinds = kinds(subscription)?;
        let carried: Vec<Series> = (0..kinds.len())
            .filter(|stream| kinds[*stream] != Kind::PolledTicker)
            .flat_map(|stream| {
                (0..subscription.symbols.len())
                    .map(move |symbol| Series { symbol: symbol as u32, stream: stream as u32 })
            })
            .collect();
        let connection = |carries: &[Series]| Connection {
            path: market.path(microseconds),
            frames: (1..)
                .zip(groups(carries, STREAMS_OF_MESSAGE))
                .map(|(id, carries)| subscribe(subscription, carries, id))
                .collect(),
            carries: carries.to_vec(),
        };
        let polls = match kinds.contains(&Kind::PolledTicker) {
            true => vec![poll(subscription)?],
            false => Vec::new(),
        };
        Ok(Plan {
            streams: kinds.iter().map(|kind| kind.plan(market)).collect(),
            connections: groups(&carried, STREAMS).map(connection).collect(),
            polls,
            // 5 messages a second are allowed, pings and pongs included.
            pace_us: feed::SECOND_US / 3,
            life_us: 23 * 60 * feed::MINUTE_US,
            silence_us: market.silence_us(),
            // Half of the 300 in 5 minutes that are allowed.
            attempts: 150,
            attempts_per_us: 5 * feed::MINUTE_US,
            weight: market.weight(),
        })
    }

    fn read(_: &Subscription, frame: &[u8], reading: &mut Reading<'_>) {
        message::read(frame, reading);
    }

    fn ask(subscription: &Subscription, want: &Want) -> Result<Request, Refusal> {
        rest::ask(subscription, want)
    }

    fn page(
        subscription: &Subscription,
        want: &Want,
        request: &Request,
        body: &[u8],
        names: &Names<'_>,
    ) -> Result<Page, Refusal> {
        rest::page(subscription, want, request, body, names)
    }

    /// `{"code":-1121,"msg":"Invalid symbol."}`
    fn said(body: &[u8]) -> Option<String> {
        let error: serde_json::Value = serde_json::from_slice(body).ok()?;
        Some(format!("{} (code {})", error["msg"].as_str()?, error["code"]))
    }

    fn pace(answer: &Answer) -> Pace {
        let used = answer.header("x-mbx-used-weight-1m");
        Pace {
            used_weight: used.and_then(|used| used.parse().ok()),
            wait_us: answer.retry_after_us(),
            banned: answer.status == 418,
        }
    }
}

/// What each stream of a subscription is.
fn kinds(subscription: &Subscription) -> Result<Vec<Kind>, Refusal> {
    let market = Market::of(subscription)?;
    subscription.streams.iter().map(|name| Kind::of(name, market)).collect()
}

fn microseconds(subscription: &Subscription) -> Result<bool, Refusal> {
    match subscription.setting("time-unit") {
        None | Some("ms") => Ok(false),
        Some("us") => Ok(true),
        Some(other) => refuse!("setting `time-unit` is ms or us, not `{other}`"),
    }
}

fn subscribe(subscription: &Subscription, carries: &[Series], id: usize) -> String {
    let name = |series: &Series| {
        format!("{}@{}", subscription.symbol(*series).to_lowercase(), subscription.stream(*series))
    };
    let params: Vec<String> = carries.iter().map(name).collect();
    json!({ "method": "SUBSCRIBE", "params": params, "id": id }).to_string()
}

/// Tickers of all symbols at once, at a pace of which half of the allowance is left.
fn poll(subscription: &Subscription) -> Result<Poll, Refusal> {
    let request = rest::tickers(subscription);
    let least = (u64::from(request.weight) * 120).div_ceil(u64::from(Market::Spot.weight())).max(1);
    let seconds = match subscription.setting("poll") {
        None => least,
        Some(text) => match text.parse::<u64>() {
            Ok(seconds) if (least..=86_400).contains(&seconds) => seconds,
            _ => refuse!(
                "setting `poll` is a number of seconds, at least {least} for {} symbols, not `{text}`",
                subscription.symbols.len()
            ),
        },
    };
    Ok(Poll { request, period_us: seconds * feed::SECOND_US })
}

#[cfg(test)]
mod tests;
