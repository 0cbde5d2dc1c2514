//! The contract `tallow:feed` around [`crate::exchange`]. It need not be changed.

wit_bindgen::generate!({
    path: ["wit/types", "wit/feed"],
    world: "tallow:feed/feed-function",
    generate_all,
});

use exports::tallow::feed::feed as contract;
use tallow::types::types::ByteColumn;

use crate::exchange::{self, Frame};

struct Component;

export!(Component);

const SECOND_US: u64 = 1_000_000;

impl contract::Guest for Component {
    fn describe() -> contract::Description {
        contract::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ws_url: exchange::WS_URL.to_owned(),
            rest_url: exchange::REST_URL.to_owned(),
        }
    }

    fn subscribe(subscription: contract::Subscription) -> Result<contract::Plan, String> {
        check(&subscription)?;
        let symbols: Vec<&str> = subscription.symbols.iter().map(String::as_str).collect();
        let connections = (0..).zip(symbols.chunks(exchange::SYMBOLS)).map(|(index, symbols)| {
            let first = index * exchange::SYMBOLS as u32;
            contract::Connection {
                path: exchange::PATH.to_owned(),
                frames: vec![exchange::subscribe(symbols)],
                carries: (0..symbols.len() as u32)
                    .map(|symbol| contract::Series { symbol: first + symbol, stream: 0 })
                    .collect(),
            }
        });
        Ok(contract::Plan {
            streams: vec![contract::StreamPlan {
                law: contract::Law::Dense,
                refetch: true,
                quiet_us: exchange::QUIET_US,
            }],
            connections: connections.collect(),
            polls: Vec::new(),
            pace_us: SECOND_US / 4,
            life_us: 23 * 3600 * SECOND_US,
            silence_us: 60 * SECOND_US,
            attempts: 30,
            attempts_per_us: 60 * SECOND_US,
            weight: exchange::ALLOWANCE,
        })
    }

    fn read(subscription: contract::Subscription, frames: ByteColumn) -> Result<contract::Arrived, String> {
        check(&subscription)?;
        let mut arrived =
            contract::Arrived { records: no_records(), heard: Vec::new(), notices: Vec::new() };
        let mut from = 0;
        for (frame, end) in (0..).zip(&frames.ends) {
            let bytes = &frames.bytes[from..*end as usize];
            from = *end as usize;
            let said = match exchange::read(bytes) {
                Frame::Answer => continue,
                Frame::Refused(why) => contract::Said::Refused(why),
                Frame::Unknown(why) => contract::Said::Unknown(why),
                Frame::Trade { symbol, id } => match series(&subscription, &symbol) {
                    Some(series) => {
                        push(&mut arrived.records, series, id, bytes);
                        continue;
                    }
                    None => contract::Said::Unknown(format!("{symbol} was not subscribed to")),
                },
                Frame::Alive { symbol, newest } => match series(&subscription, &symbol) {
                    Some(series) => {
                        arrived.heard.push(contract::Heard { series, newest });
                        continue;
                    }
                    None => contract::Said::Unknown(format!("{symbol} was not subscribed to")),
                },
            };
            arrived.notices.push(contract::Notice { frame, said });
        }
        Ok(arrived)
    }

    fn ask(subscription: contract::Subscription, want: contract::Want) -> Result<contract::Request, String> {
        let symbol = |series: contract::Series| {
            let symbol = subscription.symbols.get(series.symbol as usize);
            symbol.cloned().ok_or_else(|| "there is no such symbol".to_owned())
        };
        match want {
            contract::Want::Ids(span) => {
                Ok(request(exchange::ids(&symbol(span.series)?, span.first, span.last)))
            }
            contract::Want::Newest(series) => Ok(request(exchange::newest(&symbol(series)?))),
            contract::Want::Poll(_) => Err("nothing is polled".to_owned()),
        }
    }

    fn decode(
        subscription: contract::Subscription,
        want: contract::Want,
        _: contract::Request,
        answer: contract::Answer,
    ) -> Result<contract::Decoded, String> {
        let verdict = match answer.status {
            200 => page(&subscription, want, &answer.body),
            400 | 401 | 404 | 410 | 451 => contract::Verdict::Never(format!("status {}", answer.status)),
            status => contract::Verdict::Again(format!("status {status}")),
        };
        let wait = answer.headers.iter().find(|(name, _)| name == "retry-after");
        let wait = wait.and_then(|(_, seconds)| seconds.trim().parse::<u64>().ok());
        let wait_us = wait.map(|seconds| seconds.saturating_mul(SECOND_US));
        let pace = contract::Pace { used_weight: None, wait_us, banned: answer.status == 418 };
        Ok(contract::Decoded { verdict, pace })
    }
}

fn check(subscription: &contract::Subscription) -> Result<(), String> {
    if let Some((name, _)) = subscription.settings.first() {
        return Err(format!("there is no setting `{name}`"));
    }
    if subscription.streams != [exchange::STREAM] {
        return Err(format!("there is the stream `{}`, and no other one", exchange::STREAM));
    }
    match subscription.symbols.iter().find(|symbol| !exchange::is_symbol(symbol)) {
        Some(symbol) => Err(format!("`{symbol}` is not a symbol of this exchange")),
        None if subscription.symbols.is_empty() => Err("name at least one symbol".to_owned()),
        None => Ok(()),
    }
}

fn series(subscription: &contract::Subscription, symbol: &str) -> Option<contract::Series> {
    let symbol = subscription.symbols.iter().position(|known| known == symbol)?;
    Some(contract::Series { symbol: symbol as u32, stream: 0 })
}

fn request((path, query): exchange::Asked) -> contract::Request {
    contract::Request { path, query, headers: Vec::new(), weight: exchange::WEIGHT }
}

/// The page of an answer; a full one leads to the next, up to the last id that is wanted.
fn page(subscription: &contract::Subscription, want: contract::Want, body: &[u8]) -> contract::Verdict {
    let (series, last) = match want {
        contract::Want::Ids(span) => (span.series, Some(span.last)),
        contract::Want::Newest(series) => (series, None),
        contract::Want::Poll(_) => return contract::Verdict::Never("nothing is polled".to_owned()),
    };
    let trades = match exchange::trades(body) {
        Ok(trades) => trades,
        Err(why) => return contract::Verdict::Again(why),
    };
    let mut records = no_records();
    trades.iter().for_each(|(id, value)| push(&mut records, series, *id, value));
    let symbol = subscription.symbols.get(series.symbol as usize).cloned().unwrap_or_default();
    let newest = records.ids.iter().max().copied();
    let next = match (newest, last) {
        (Some(newest), Some(last)) if trades.len() as i64 >= exchange::PAGE && newest < last => {
            Some(request(exchange::ids(&symbol, newest + 1, last)))
        }
        _ => None,
    };
    contract::Verdict::Page(contract::Page { records, next })
}

fn no_records() -> contract::Records {
    let values = ByteColumn { bytes: Vec::new(), ends: Vec::new(), nulls: Vec::new() };
    contract::Records { values, series: Vec::new(), ids: Vec::new() }
}

fn push(records: &mut contract::Records, series: contract::Series, id: i64, value: &[u8]) {
    records.values.bytes.extend_from_slice(value);
    records.values.ends.push(records.values.bytes.len() as u32);
    records.series.push(series);
    records.ids.push(id);
}
