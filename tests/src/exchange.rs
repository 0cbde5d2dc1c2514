//! An exchange on this machine: it speaks Binance's and Coinbase's REST API over bars that it is given, and misbehaves
//! on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};
use tallow_test_support::http::local::Server;
use tallow_test_support::http::{Answer, Handler, Received, Trouble};

use crate::bars::Bar;

/// Most bars of one of Binance's answers, and of Coinbase's.
const BINANCE_PAGE: usize = 1000;
const COINBASE_PAGE: usize = 300;

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// 429, with seconds to wait.
    TooMany(u32),
    /// 429, with a `Retry-After` and a `Date` as they stand here.
    TooManyUntil(String, Option<&'static str>),
    /// 418, with seconds to wait.
    Banned(u32),
    /// A status of the server's trouble.
    Status(u16),
    /// The body ends in its middle.
    CutShort,
    /// No answer for so long.
    Slow(Duration),
    /// A body that is no list of bars.
    WrongJson,
    /// To somewhere else.
    Redirect(String),
    /// Bars before and after what was asked, and some of them twice.
    Overlap,
    /// One bar in the page has a price that is no number.
    BrokenBar,
}

/// An exchange without a network: [`Exchange::handler`] answers requests.
#[derive(Clone, Default)]
pub struct Exchange(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Bars of a symbol by their open time in ms, and how long they are.
    markets: BTreeMap<String, (i64, BTreeMap<i64, Bar>)>,
    /// Close times of bars that are shorter than the others, by symbol and open time.
    closes: BTreeMap<(String, i64), i64>,
    faults: VecDeque<(u32, Fault)>,
    /// Paths and queries of all requests.
    asked: Vec<String>,
    weight: u32,
}

impl Exchange {
    /// Lists a symbol with its bars, all of one length.
    pub fn list(&self, symbol: &str, interval_ms: i64, bars: impl IntoIterator<Item = Bar>) {
        let bars = bars.into_iter().map(|bar| (bar.open_ms, bar)).collect();
        self.inner().markets.insert(symbol.to_owned(), (interval_ms, bars));
    }

    /// Forgets bars: the exchange was down.
    pub fn outage(&self, symbol: &str, from_ms: i64, to_ms: i64) {
        let mut inner = self.inner();
        let (_, bars) = inner.markets.get_mut(symbol).expect("the symbol is listed");
        bars.retain(|open, _| !(from_ms..to_ms).contains(open));
    }

    /// Closes a bar before its time, as an exchange does that goes down.
    pub fn cut_short(&self, symbol: &str, open_ms: i64, close_ms: i64) {
        self.inner().closes.insert((symbol.to_owned(), open_ms), close_ms);
    }

    /// After so many good answers, a bad one.
    pub fn misbehave(&self, after: u32, fault: Fault) {
        self.inner().faults.push_back((after, fault));
    }

    /// Paths and queries of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.inner().asked.clone()
    }

    pub fn handler(&self) -> Handler {
        let exchange = self.clone();
        Arc::new(move |received| exchange.answer(received))
    }

    /// Serves on a port of this machine.
    pub fn serve(&self) -> Server {
        Server::start(self.handler()).expect("a loopback port")
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, received: &Received) -> Answer {
        let mut inner = self.inner();
        inner.asked.push(format!("{}?{}", received.path, received.query));
        let fault = inner.next_fault();
        match fault {
            Some(Fault::TooMany(seconds)) => return refuse(429, &seconds.to_string()),
            Some(Fault::TooManyUntil(until, date)) => {
                let answer = refuse(429, &until);
                return date.into_iter().fold(answer, |answer, date| answer.with_header("Date", date));
            }
            Some(Fault::Banned(seconds)) => return refuse(418, &seconds.to_string()),
            Some(Fault::Status(status)) => return Answer::new(status, "<html>trouble</html>"),
            Some(Fault::WrongJson) => return Answer::ok(r#"{"unexpected":[1,2,3]}"#),
            Some(Fault::Redirect(to)) => return Answer::redirect(302, &to),
            _ => {}
        }
        let product = received.path.strip_prefix("/products/").and_then(|rest| rest.strip_suffix("/candles"));
        let answer = match product {
            Some(product) => inner.coinbase(product, received),
            None if received.path.ends_with("/klines") => inner.binance(received, fault.as_ref()),
            None => Answer::new(404, r#"{"message":"NotFound"}"#),
        };
        match fault {
            Some(Fault::CutShort) => answer.with_trouble(Trouble::CutShort),
            Some(Fault::Slow(delay)) => answer.with_trouble(Trouble::Slow(delay)),
            _ => answer,
        }
    }
}

fn refuse(status: u16, retry_after: &str) -> Answer {
    Answer::new(status, r#"{"code":-1003,"msg":"Too many requests."}"#)
        .with_header("Retry-After", retry_after)
}

impl Inner {
    fn next_fault(&mut self) -> Option<Fault> {
        let (after, _) = self.faults.front_mut()?;
        if *after == 0 {
            return self.faults.pop_front().map(|(_, fault)| fault);
        }
        *after -= 1;
        None
    }

    fn binance(&mut self, received: &Received, fault: Option<&Fault>) -> Answer {
        let value = |name: &str| received.query_value(name).unwrap_or_default();
        let number = |name: &str| value(name).parse::<i64>().ok();
        self.weight += 2;
        let weight = self.weight.to_string();
        let bad = |code: i64, msg: &str| Answer::new(400, json!({ "code": code, "msg": msg }).to_string());
        let Some((interval_ms, bars)) = self.markets.get(&value("symbol")) else {
            return bad(-1121, "Invalid symbol.");
        };
        if value("interval") != name(*interval_ms) {
            return bad(-1120, "Invalid interval.");
        }
        let (mut from, mut to) =
            (number("startTime").unwrap_or(0), number("endTime").unwrap_or(i64::MAX - 1));
        if fault == Some(&Fault::Overlap) {
            (from, to) = (from - 3 * interval_ms, to + 2 * interval_ms);
        }
        let limit = number("limit").map_or(500, |limit| (limit as usize).min(BINANCE_PAGE));
        let kline = |(open_ms, bar): (&i64, &Bar)| {
            let mut kline = bar.as_kline(*interval_ms);
            if let Some(close_ms) = self.closes.get(&(value("symbol"), *open_ms)) {
                kline[6] = json!(close_ms);
            }
            kline
        };
        let mut page: Vec<Value> = bars.range(from..=to).take(limit).map(kline).collect();
        match fault {
            Some(Fault::Overlap) if !page.is_empty() => page.insert(1, page[0].clone()),
            Some(Fault::BrokenBar) if !page.is_empty() => page[0][2] = json!("-1"),
            _ => {}
        }
        Answer::ok(Value::from(page).to_string()).with_header("X-MBX-USED-WEIGHT-1M", &weight)
    }

    fn coinbase(&self, product: &str, received: &Received) -> Answer {
        let value = |name: &str| received.query_value(name).unwrap_or_default();
        let ms = |name: &str| DateTime::parse_from_rfc3339(&value(name)).map(|time| time.timestamp_millis());
        let Some((interval_ms, bars)) = self.markets.get(product) else {
            return Answer::new(404, r#"{"message":"NotFound"}"#);
        };
        let (Ok(from), Ok(to)) = (ms("start"), ms("end")) else {
            return Answer::new(400, r#"{"message":"invalid start or end"}"#);
        };
        if value("granularity") != (interval_ms / 1000).to_string() {
            return Answer::new(400, r#"{"message":"Unsupported granularity"}"#);
        }
        if (to - from) / interval_ms >= COINBASE_PAGE as i64 {
            return Answer::new(400, r#"{"message":"granularity too small for the requested time range"}"#);
        }
        // Only minutes in which something was traded.
        let traded = bars.range(from..=to).rev().filter(|(_, bar)| !bar.is_idle());
        let rows: Vec<String> = traded.map(|(_, bar)| bar.as_candle()).collect();
        Answer::ok(format!("[{}]", rows.join(",")))
    }
}

/// The exchange's name of a length of bars.
fn name(interval_ms: i64) -> &'static str {
    match interval_ms {
        60_000 => "1m",
        3_600_000 => "1h",
        86_400_000 => "1d",
        other => panic!("no name for bars of {other} ms"),
    }
}
