//! Markets and streams, and what each of them promises.

use feed::{Law, Refusal, StreamPlan, Subscription, refuse};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    Spot,
    /// Futures that are settled in USDT or USDC.
    UsdM,
}

impl Market {
    pub fn of(subscription: &Subscription) -> Result<Self, Refusal> {
        match subscription.setting("market") {
            None | Some("spot") => Ok(Self::Spot),
            Some("usd-m") => Ok(Self::UsdM),
            Some(other) => refuse!("setting `market` is spot or usd-m, not `{other}`"),
        }
    }

    /// The path of combined streams. On the wrong one of the futures' paths a subscription is answered, and then
    /// there is silence.
    pub fn path(self, microseconds: bool) -> String {
        let unit = if microseconds { "?timeUnit=MICROSECOND" } else { "" };
        match self {
            Self::Spot => format!("/stream{unit}"),
            Self::UsdM => format!("/market/stream{unit}"),
        }
    }

    /// Twice the distance of the exchange's pings, and some more.
    pub fn silence_us(self) -> u64 {
        match self {
            Self::Spot => feed::MINUTE_US,
            Self::UsdM => 7 * feed::MINUTE_US,
        }
    }

    /// Two thirds of what is allowed in a minute: others ask from the same address.
    pub fn weight(self) -> u32 {
        match self {
            Self::Spot => 4000,
            Self::UsdM => 1600,
        }
    }
}

/// Klines that begin at whole multiples of their length since 1970, in seconds.
const INTERVALS: [(&str, i64); 14] = [
    ("1s", 1),
    ("1m", 60),
    ("3m", 180),
    ("5m", 300),
    ("15m", 900),
    ("30m", 1_800),
    ("1h", 3_600),
    ("2h", 7_200),
    ("4h", 14_400),
    ("6h", 21_600),
    ("8h", 28_800),
    ("12h", 43_200),
    ("1d", 86_400),
    ("3d", 259_200),
];

/// The length of klines of that name.
pub fn interval_ms(name: &str) -> Option<i64> {
    INTERVALS.iter().find(|(known, _)| *known == name).map(|(_, seconds)| seconds * 1000)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Trade,
    AggTrade,
    Kline {
        interval_ms: i64,
    },
    Ticker,
    MiniTicker,
    /// The ticker of the REST API.
    PolledTicker,
}

pub const POLLED_TICKER: &str = "ticker-rest";

impl Kind {
    pub fn of(name: &str, market: Market) -> Result<Self, Refusal> {
        let kind = match name {
            "trade" => Self::Trade,
            "aggTrade" => Self::AggTrade,
            "ticker" => Self::Ticker,
            "miniTicker" => Self::MiniTicker,
            POLLED_TICKER => Self::PolledTicker,
            _ => match name.strip_prefix("kline_").and_then(interval_ms) {
                Some(interval_ms) => Self::Kline { interval_ms },
                None => refuse!(
                    "there is no stream `{name}`; there are trade, aggTrade, ticker, miniTicker, {POLLED_TICKER}, and \
                     kline_ with {}",
                    INTERVALS.map(|(name, _)| name).join(", ")
                ),
            },
        };
        if market == Market::UsdM && kind != Self::AggTrade {
            refuse!("of usd-m there is the stream aggTrade, not `{name}`");
        }
        Ok(kind)
    }

    pub fn plan(self, market: Market) -> StreamPlan {
        let (law, refetch, quiet_us) = match self {
            Self::Trade | Self::AggTrade => (Law::Dense, true, feed::MINUTE_US),
            // Klines that are not final come each 2 s.
            Self::Kline { .. } => (Law::Dense, true, feed::MINUTE_US),
            // They come each second if something was traded.
            Self::Ticker | Self::MiniTicker => (Law::Rising, false, 10 * feed::MINUTE_US),
            Self::PolledTicker => (Law::Rising, false, u64::MAX),
        };
        // The futures' streams come from more than one server, each 100 ms.
        let quiet_us = if market == Market::UsdM { quiet_us.max(2 * feed::MINUTE_US) } else { quiet_us };
        StreamPlan { law, refetch, quiet_us }
    }
}
