//! An exchange's sockets and REST API on this machine: it plays trades as Binance or Coinbase would, and misbehaves on
//! demand. Nothing happens before the first subscription, so that a feed sees all of it.

mod socket;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tallow_env::{Clock, SystemClock};
use tallow_test_support::http::local::Server;
use tallow_test_support::http::{Answer, Received};

use crate::wait::wait_until;

/// What is wrong with a connection, after so many messages of trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends in the middle of a message.
    CutInMessage { after: usize },
    /// It is closed with a code.
    Close { after: usize, code: u16 },
    /// It stays open, and nothing comes any more.
    Silent { after: usize },
    /// `serverShutdown`, and a second later the end.
    Shutdown { after: usize },
    /// So many messages do not come.
    Drop { after: usize, count: usize },
    /// Each message comes twice.
    Twice,
    /// Two neighbours change places.
    Swapped,
    /// A message comes slowly, in pieces.
    Slow { after: usize },
    /// The subscription is answered, and nothing follows.
    AnswerOnly,
}

/// A trade, as the market has it.
#[derive(Clone, Debug)]
pub struct Trade {
    pub symbol: String,
    pub id: i64,
    /// The socket's message, without an envelope.
    pub message: String,
}

struct Inner {
    trades: Vec<Trade>,
    /// How many have happened.
    happened: AtomicUsize,
    begun: AtomicBool,
    over: AtomicBool,
    connections: AtomicUsize,
    /// Of each connection in turn; those beyond are good.
    faults: Vec<Vec<Fault>>,
    /// Statuses of the first answers, each with a `Retry-After`.
    refusals: Mutex<VecDeque<(u16, u32)>>,
    /// What the API does not have.
    gone: BTreeSet<(String, i64)>,
    /// No more trades happen than these.
    until: AtomicUsize,
    /// Paths and queries that were asked for.
    asked: Mutex<Vec<String>>,
}

/// Runs until it is dropped.
pub struct Market {
    inner: Arc<Inner>,
    sockets: SocketAddr,
    api: Server,
}

/// A market that is not open yet.
#[derive(Default)]
pub struct Plan {
    pub trades: Vec<Trade>,
    pub per_second: u64,
    pub faults: Vec<Vec<Fault>>,
    pub refusals: Vec<(u16, u32)>,
    pub gone: BTreeSet<(String, i64)>,
    /// The market stands still after this many trades, until [`Market::trade_until`] lets it go on.
    pub until: Option<usize>,
}

impl Market {
    pub fn open(plan: Plan) -> Self {
        let inner = Arc::new(Inner {
            trades: plan.trades,
            happened: AtomicUsize::new(0),
            begun: AtomicBool::new(false),
            over: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            faults: plan.faults,
            refusals: Mutex::new(plan.refusals.into()),
            gone: plan.gone,
            until: AtomicUsize::new(plan.until.unwrap_or(usize::MAX)),
            asked: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let sockets = listener.local_addr().expect("a bound port");
        let accepting = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.over.load(Ordering::SeqCst) {
                    return;
                }
                let inner = accepting.clone();
                std::thread::spawn(move || socket::serve(&inner, stream));
            }
        });
        let playing = inner.clone();
        std::thread::spawn(move || playing.play(plan.per_second));
        let answering = inner.clone();
        let api =
            Server::start(Arc::new(move |received| answering.answer(received))).expect("a loopback port");
        Self { inner, sockets, api }
    }

    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.sockets)
    }

    pub fn rest_url(&self) -> String {
        self.api.url()
    }

    /// Begins without a subscription.
    pub fn begin(&self) {
        self.inner.begun.store(true, Ordering::SeqCst);
    }

    /// Lets trades happen until there are `count`.
    pub fn trade_until(&self, count: usize) {
        self.inner.until.store(count, Ordering::SeqCst);
    }

    /// Trades that have happened.
    pub fn happened(&self) -> usize {
        self.inner.happened()
    }

    /// Waits until `count` trades have happened; someone must have subscribed before.
    pub fn wait_for(&self, count: usize) {
        wait_until(&format!("{count} trades have happened"), || self.happened() >= count);
    }

    /// Waits until more connections were opened than `before`.
    pub fn wait_for_connection(&self, before: usize) {
        wait_until("another connection is opened", || self.connections() > before);
    }

    /// Connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// Whether all trades have happened.
    pub fn is_over(&self) -> bool {
        self.happened() == self.inner.trades.len()
    }

    /// Paths and queries that were asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ids by symbol, in their order.
    pub fn ids(&self) -> BTreeMap<String, Vec<i64>> {
        let mut ids: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for trade in &self.inner.trades {
            ids.entry(trade.symbol.clone()).or_default().push(trade.id);
        }
        ids
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        self.inner.over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = std::net::TcpStream::connect(self.sockets);
    }
}

impl Inner {
    fn play(&self, per_second: u64) {
        const STEP: Duration = Duration::from_millis(5);
        let clock = SystemClock::new();
        while !self.begun.load(Ordering::SeqCst) && !self.over.load(Ordering::SeqCst) {
            clock.sleep(STEP);
        }
        // A market that stands still does not make up for it: what it trades per second is what it traded before.
        let (mut seen, mut traded_us) = (clock.ticks(), 0);
        loop {
            let now = clock.ticks();
            let happened = self.happened();
            if happened >= self.trades.len() || self.over.load(Ordering::SeqCst) {
                return;
            }
            if happened < self.until.load(Ordering::SeqCst) {
                traded_us += now.since(seen).as_micros() as u64;
                let reached = usize::try_from(traded_us * per_second / 1_000_000).unwrap_or(usize::MAX);
                let until = self.until.load(Ordering::SeqCst).min(self.trades.len());
                self.happened.store(reached.min(until), Ordering::SeqCst);
            }
            seen = now;
            clock.sleep(STEP);
        }
    }

    fn happened(&self) -> usize {
        self.happened.load(Ordering::SeqCst)
    }

    /// Trades of a symbol that have happened and that the API has.
    fn known<'a>(&'a self, symbol: &'a str) -> impl DoubleEndedIterator<Item = &'a Trade> {
        let known = self.trades[..self.happened()].iter().filter(move |trade| trade.symbol == symbol);
        known.filter(|trade| !self.gone.contains(&(trade.symbol.clone(), trade.id)))
    }

    fn answer(&self, received: &Received) -> Answer {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(format!("{}?{}", received.path, received.query));
        drop(asked);
        let refusal = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some((status, wait)) = refusal {
            return Answer::new(status, r#"{"code":-1003,"msg":"Too many requests."}"#)
                .with_header("Retry-After", &wait.to_string());
        }
        let value = |name: &str| received.query_value(name).unwrap_or_default();
        let number = |name: &str| value(name).parse::<i64>().unwrap_or(i64::MAX);
        let limit = usize::try_from(number("limit")).unwrap_or(500).min(1000);
        let symbol = value("symbol");
        let listed = |symbol: &str| self.trades.iter().any(|trade| trade.symbol == symbol);
        let items: Vec<Value> = match received.path.as_str() {
            "/api/v3/historicalTrades" | "/api/v3/trades" if !listed(&symbol) => {
                return Answer::new(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#);
            }
            "/api/v3/historicalTrades" => {
                let from = number("fromId");
                self.known(&symbol).filter(|trade| trade.id >= from).take(limit).map(binance).collect()
            }
            "/api/v3/trades" => self.known(&symbol).next_back().map(binance).into_iter().collect(),
            "/api/v3/ticker/24hr" => self.tickers(&value("symbols")),
            path => match path.strip_prefix("/products/").and_then(|rest| rest.strip_suffix("/trades")) {
                Some(product) => {
                    let after = number("after");
                    self.known(product)
                        .rev()
                        .filter(|trade| trade.id < after)
                        .take(limit)
                        .map(coinbase)
                        .collect()
                }
                None => return Answer::new(404, r#"{"message":"NotFound"}"#),
            },
        };
        Answer::ok(Value::from(items).to_string())
    }

    fn tickers(&self, symbols: &str) -> Vec<Value> {
        let symbols: Vec<String> = serde_json::from_str(symbols).unwrap_or_default();
        let ticker = |symbol: String| {
            let last = self.known(&symbol).next_back()?;
            let message: Value = serde_json::from_str(&last.message).ok()?;
            let mut ticker = json!({
                "symbol": symbol, "openTime": 1, "closeTime": message["T"], "firstId": 1, "lastId": last.id,
                "count": 1,
            });
            for key in [
                "priceChange",
                "priceChangePercent",
                "weightedAvgPrice",
                "prevClosePrice",
                "lastPrice",
                "lastQty",
                "bidPrice",
                "bidQty",
                "askPrice",
                "askQty",
                "openPrice",
                "highPrice",
                "lowPrice",
                "volume",
                "quoteVolume",
            ] {
                ticker[key] = message["p"].clone();
            }
            Some(ticker)
        };
        symbols.into_iter().filter_map(ticker).collect()
    }
}

/// A trade as `historicalTrades` gives it.
fn binance(trade: &Trade) -> Value {
    let it: Value = serde_json::from_str(&trade.message).expect("a message is JSON");
    json!({
        "id": it["t"], "price": it["p"], "qty": it["q"], "quoteQty": "0", "time": it["T"], "isBuyerMaker": it["m"],
        "isBestMatch": true,
    })
}

/// A trade as `/products/<id>/trades` gives it.
fn coinbase(trade: &Trade) -> Value {
    let it: Value = serde_json::from_str(&trade.message).expect("a message is JSON");
    json!({
        "time": it["time"], "trade_id": it["trade_id"], "price": it["price"], "size": it["size"], "side": it["side"],
    })
}
