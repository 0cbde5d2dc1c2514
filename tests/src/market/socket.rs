//! One connection: what it is subscribed to, and what goes wrong with it.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tallow_env::{Clock, SystemClock, Ticks};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, accept};

use super::{Fault, Inner, Trade};

/// How long to look for what the client sends.
const LOOK: Duration = Duration::from_millis(2);

/// Serves a client until it leaves, or is left.
pub fn serve(inner: &Inner, stream: TcpStream) {
    let faults = inner.connections.fetch_add(1, Ordering::SeqCst);
    let faults = inner.faults.get(faults).cloned().unwrap_or_default();
    let Ok(socket) = accept(stream) else { return };
    // An error is a client that left.
    let _ = socket.get_ref().set_read_timeout(Some(LOOK));
    let clock = SystemClock::new();
    let beat = clock.ticks();
    let mut session = Session { inner, socket, faults, names: Vec::new(), next: 0, sent: 0, clock, beat };
    let _ = session.run();
}

struct Session<'a> {
    inner: &'a Inner,
    socket: WebSocket<TcpStream>,
    faults: Vec<Fault>,
    /// Symbols in small letters, or products.
    names: Vec<String>,
    /// The trade that comes next.
    next: usize,
    sent: usize,
    clock: SystemClock,
    beat: Ticks,
}

/// The connection is over.
struct Over;

impl From<Error> for Over {
    fn from(_: Error) -> Self {
        Over
    }
}

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Over
    }
}

impl Session<'_> {
    fn run(&mut self) -> Result<(), Over> {
        loop {
            if self.inner.over.load(Ordering::SeqCst) {
                return Err(Over);
            }
            self.hear()?;
            let to = self.inner.happened();
            if self.names.is_empty() || self.faults.contains(&Fault::AnswerOnly) {
                self.next = to;
                continue;
            }
            while self.next < to {
                let count = if self.faults.contains(&Fault::Swapped) && self.next + 2 <= to { 2 } else { 1 };
                let mut trades: Vec<Trade> = self.inner.trades[self.next..self.next + count].to_vec();
                self.next += count;
                trades.reverse();
                for trade in trades {
                    self.play(&trade)?;
                }
            }
            self.heartbeat()?;
        }
    }

    /// Takes a subscription, answers pings.
    fn hear(&mut self) -> Result<(), Over> {
        let text = match self.socket.read() {
            Ok(Message::Text(text)) => text,
            Ok(Message::Close(_)) => return Err(Over),
            Ok(_) => return Ok(()),
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(());
            }
            Err(_) => return Err(Over),
        };
        let request: Value = serde_json::from_str(&text).map_err(|_| Over)?;
        let list = |key: &str| -> Vec<String> {
            let names = request[key].as_array().into_iter().flatten();
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let answer = match request["method"].as_str() {
            Some(_) => {
                let params = list("params");
                self.names.extend(params.iter().filter_map(|it| Some(it.split_once('@')?.0.to_owned())));
                format!(r#"{{"result":null,"id":{}}}"#, request["id"])
            }
            None => {
                self.names.extend(list("product_ids"));
                r#"{"type":"subscriptions","channels":[]}"#.to_owned()
            }
        };
        self.next = self.inner.happened();
        self.socket.send(Message::text(answer))?;
        self.inner.begun.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn play(&mut self, trade: &Trade) -> Result<(), Over> {
        let is_coinbase = self.names.contains(&trade.symbol);
        let small = trade.symbol.to_lowercase();
        if !is_coinbase && !self.names.contains(&small) {
            return Ok(());
        }
        let text = match is_coinbase {
            true => trade.message.clone(),
            false => format!(r#"{{"stream":"{small}@trade","data":{}}}"#, trade.message),
        };
        self.sent += 1;
        for fault in self.faults.clone() {
            self.disturb(fault, &text)?;
        }
        let sent = self.sent;
        let is_dropped = |fault: &Fault| matches!(fault, Fault::Drop { after, count } if (*after + 1..=after + count).contains(&sent));
        if self.faults.iter().any(is_dropped) {
            return Ok(());
        }
        let times = if self.faults.contains(&Fault::Twice) { 2 } else { 1 };
        for _ in 0..times {
            self.socket.send(Message::text(text.clone()))?;
        }
        Ok(())
    }

    fn disturb(&mut self, fault: Fault, text: &str) -> Result<(), Over> {
        match fault {
            Fault::CutInMessage { after } if self.sent > after => {
                let half = &text.as_bytes()[..text.len() / 2];
                self.head(text.len())?;
                self.socket.get_mut().write_all(half)?;
                Err(Over)
            }
            Fault::Close { after, code } if self.sent > after => {
                let reason = "disconnected by the exchange".into();
                self.socket.close(Some(CloseFrame { code: code.into(), reason }))?;
                self.socket.flush()?;
                Err(Over)
            }
            Fault::Silent { after } if self.sent > after => {
                while !self.inner.over.load(Ordering::SeqCst) {
                    self.clock.sleep(Duration::from_millis(50));
                }
                Err(Over)
            }
            Fault::Shutdown { after } if self.sent == after + 1 => {
                Ok(self.socket.send(Message::text(r#"{"e":"serverShutdown","E":1}"#))?)
            }
            // A thousand messages are the notice.
            Fault::Shutdown { after } if self.sent > after + 1000 => Err(Over),
            Fault::Slow { after } if self.sent == after + 1 => {
                self.head(text.len())?;
                for piece in text.as_bytes().chunks(40) {
                    self.socket.get_mut().write_all(piece)?;
                    self.clock.sleep(Duration::from_millis(100));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The beginning of a text message of that length.
    fn head(&mut self, bytes: usize) -> Result<(), Over> {
        self.socket.flush()?;
        let length = u16::try_from(bytes).map_err(|_| Over)?.to_be_bytes();
        Ok(self.socket.get_mut().write_all(&[0x81, 126, length[0], length[1]])?)
    }

    /// Coinbase's, each second.
    fn heartbeat(&mut self) -> Result<(), Over> {
        let now = self.clock.ticks();
        if now.since(self.beat) < Duration::from_secs(1) {
            return Ok(());
        }
        self.beat = now;
        let products: Vec<String> = self.names.iter().filter(|name| name.contains('-')).cloned().collect();
        for product in products {
            let trades = &self.inner.trades[..self.next];
            let newest =
                trades.iter().rev().find(|trade| trade.symbol == product).map_or(0, |trade| trade.id);
            let text = format!(
                r#"{{"type":"heartbeat","sequence":1,"last_trade_id":{newest},"product_id":"{product}","time":"2024-01-01T00:00:00Z"}}"#
            );
            self.socket.send(Message::text(text))?;
        }
        Ok(())
    }
}
