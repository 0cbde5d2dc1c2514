//! Coinbase Exchange's `matches`, with `heartbeat` beside them. The first message of a product is its `last_match`.
//! Coinbase says itself that messages can be dropped: a heartbeat each second tells the newest trade id, and what is
//! missing is asked for (`GET /products/<id>/trades`: newest first, 1,000 a page, `after` leads to older ones).

use feed::{
    Connection, Exchange, Names, Page, Plan, Reading, Refusal, Request, Said, Series, StreamPlan,
    Subscription, Want, excerpt, groups, refuse,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[cfg(target_arch = "wasm32")]
mod component {
    type Component = feed::adapter::Adapter<crate::Coinbase>;
    feed::adapter::export_feed!(Component with_types_in feed::adapter);
}

pub struct Coinbase;

const MATCHES: &str = "matches";
/// Most trades of an answer.
const PAGE: usize = 1000;
/// Products of one connection.
const PRODUCTS: usize = 50;

impl Exchange for Coinbase {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const WS_URL: &'static str = "wss://ws-feed.exchange.coinbase.com";
    const REST_URL: &'static str = "https://api.exchange.coinbase.com";

    fn plan(subscription: &Subscription) -> Result<Plan, Refusal> {
        if subscription.streams != [MATCHES] {
            refuse!("Coinbase has the stream `{MATCHES}`, and no other one");
        }
        if let Some(symbol) =
            subscription.symbols.iter().find(|it| !it.contains('-') || **it != it.to_uppercase())
        {
            refuse!("`{symbol}` is not a product of Coinbase, like BTC-USD");
        }
        let carried: Vec<Series> =
            (0..subscription.symbols.len() as u32).map(|symbol| Series { symbol, stream: 0 }).collect();
        let connection = |carries: &[Series]| Connection {
            path: "/".to_owned(),
            frames: vec![subscribe(subscription, carries)],
            carries: carries.to_vec(),
        };
        Ok(Plan {
            streams: vec![StreamPlan {
                law: feed::Law::Dense,
                refetch: true,
                // Of a heartbeat each second.
                quiet_us: 30 * feed::SECOND_US,
            }],
            connections: groups(&carried, PRODUCTS).map(connection).collect(),
            polls: Vec::new(),
            pace_us: feed::SECOND_US / 4,
            life_us: 23 * 60 * feed::MINUTE_US,
            silence_us: 20 * feed::SECOND_US,
            // 8 requests a second are allowed, and a subscription is one.
            attempts: 30,
            attempts_per_us: feed::MINUTE_US,
            // 10 a second, of which others use some.
            weight: 300,
        })
    }

    fn read(_: &Subscription, frame: &[u8], reading: &mut Reading<'_>) {
        let message: Message<'_> = match serde_json::from_slice(frame) {
            Ok(message) => message,
            Err(error) => return reading.unknown(&error.to_string(), frame),
        };
        let product = message.product_id.unwrap_or_default();
        match (message.kind, message.trade_id, message.last_trade_id) {
            ("match" | "last_match", Some(id), _) => {
                if let Some(series) = reading.series(product, MATCHES) {
                    reading.record(series, id, frame);
                }
            }
            ("heartbeat", _, newest) => {
                if let Some(series) = reading.series(product, MATCHES) {
                    // It was always 0 for a time.
                    reading.heard(series, newest.filter(|id| *id > 0));
                }
            }
            ("subscriptions", ..) => {}
            ("error", ..) => {
                let words = [message.message, message.reason].map(Option::unwrap_or_default);
                reading.notice(Said::Refused(words.join(" ").trim().to_owned()));
            }
            _ => reading.unknown("no message of `matches` or `heartbeat`", frame),
        }
    }

    fn ask(subscription: &Subscription, want: &Want) -> Result<Request, Refusal> {
        Ok(match want {
            Want::Ids(span) => older_than(subscription.symbol(span.series), span.last.saturating_add(1)),
            Want::Newest(series) => trades(subscription.symbol(*series), &[("limit", "1".to_owned())]),
            Want::Poll(_) => refuse!("nothing of Coinbase is polled"),
        })
    }

    fn page(
        subscription: &Subscription,
        want: &Want,
        _: &Request,
        body: &[u8],
        _: &Names<'_>,
    ) -> Result<Page, Refusal> {
        let (series, first) = match want {
            Want::Ids(span) => (span.series, span.first),
            Want::Newest(series) => (*series, i64::MAX),
            Want::Poll(_) => refuse!("nothing of Coinbase is polled"),
        };
        let trades: Vec<Trade<'_>> = serde_json::from_slice(body)
            .map_err(|error| format!("not a list of trades: {error}: {}", excerpt(body)))?;
        let product = subscription.symbol(series);
        let mut page = Page::default();
        for trade in &trades {
            page.records.push(series, trade.trade_id, &trade.as_match(product));
        }
        let oldest = trades.iter().map(|trade| trade.trade_id).min();
        page.next = oldest.filter(|oldest| *oldest > first).map(|oldest| older_than(product, oldest));
        Ok(page)
    }

    /// `{"message":"NotFound"}`
    fn said(body: &[u8]) -> Option<String> {
        let error: Value = serde_json::from_slice(body).ok()?;
        Some(error["message"].as_str()?.to_owned())
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    product_id: Option<&'a str>,
    trade_id: Option<i64>,
    last_trade_id: Option<i64>,
    #[serde(borrow)]
    message: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    reason: Option<std::borrow::Cow<'a, str>>,
}

/// A trade of the REST API.
#[derive(Deserialize)]
struct Trade<'a> {
    trade_id: i64,
    side: &'a str,
    size: &'a str,
    price: &'a str,
    time: &'a str,
}

impl Trade<'_> {
    /// As the socket would have sent it, without the orders' ids, which the API does not give.
    fn as_match(&self, product: &str) -> Vec<u8> {
        let Self { trade_id, side, size, price, time } = self;
        // Text without escapes: serde borrows no other.
        format!(
            r#"{{"type":"match","trade_id":{trade_id},"side":"{side}","size":"{size}","price":"{price}","product_id":"{product}","time":"{time}"}}"#
        )
        .into_bytes()
    }
}

fn subscribe(subscription: &Subscription, carries: &[Series]) -> String {
    let products: Vec<&str> = carries.iter().map(|series| subscription.symbol(*series)).collect();
    json!({ "type": "subscribe", "product_ids": products, "channels": [MATCHES, "heartbeat"] }).to_string()
}

fn older_than(product: &str, id: i64) -> Request {
    trades(product, &[("limit", PAGE.to_string()), ("after", id.to_string())])
}

fn trades(product: &str, query: &[(&str, String)]) -> Request {
    Request::get(format!("/products/{product}/trades"), query, 1)
}

#[cfg(test)]
mod tests {
    use feed::{Answer, Heard, Span, Verdict};

    use super::*;

    const SERIES: Series = Series { symbol: 0, stream: 0 };

    fn subscription(symbols: &[&str]) -> Subscription {
        let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        Subscription { symbols, streams: vec![MATCHES.to_owned()], settings: Vec::new() }
    }

    fn read(frames: &[&str]) -> feed::Arrived {
        feed::read::<Coinbase>(&subscription(&["BTC-USD"]), &frames.iter().collect()).unwrap()
    }

    #[test]
    fn a_heartbeat_tells_the_newest_trade_unless_it_is_zero() {
        let heartbeat = |id: i64| {
            format!(
                r#"{{"type":"heartbeat","sequence":90,"last_trade_id":{id},"product_id":"BTC-USD","time":"2024-01-01T00:00:00Z"}}"#
            )
        };
        let arrived = read(&[&heartbeat(20), &heartbeat(0)]);
        let heard = [Some(20), None].map(|newest| Heard { series: SERIES, newest });
        assert_eq!((arrived.records.ids.len(), arrived.heard), (0, heard.to_vec()));
    }

    #[test]
    fn ids_are_asked_for_downwards_until_the_first_is_there() {
        let subscription = subscription(&["BTC-USD"]);
        let want = Want::Ids(Span { series: SERIES, first: 10, last: 12 });
        let request = feed::ask::<Coinbase>(&subscription, &want).unwrap();
        assert_eq!(request.query[1], ("after".to_owned(), "13".to_owned()));
        let next = |ids: &[i64]| {
            let trade = |id: &i64| {
                format!(
                    r#"{{"time":"2024-01-01T00:00:00Z","trade_id":{id},"price":"1.50","size":"2","side":"buy"}}"#
                )
            };
            let body = format!("[{}]", ids.iter().map(trade).collect::<Vec<_>>().join(","));
            let answer = Answer { status: 200, headers: Vec::new(), body: body.into_bytes() };
            match feed::answer::<Coinbase>(&subscription, &want, &request, &answer).unwrap().verdict {
                Verdict::Page(page) => (page.records.ids, page.next.map(|next| next.query[1].1.clone())),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(next(&[12, 11]), (vec![12, 11], Some("11".to_owned())));
        assert_eq!(next(&[12, 11, 10, 9]), (vec![12, 11, 10, 9], None));
        assert_eq!(next(&[]), (vec![], None));
    }

    #[test]
    fn what_the_api_gives_is_read_as_what_the_socket_gives() {
        let trade =
            Trade { trade_id: 7, side: "sell", size: "0.1", price: "2", time: "2024-01-01T00:00:00.5Z" };
        let value = String::from_utf8(trade.as_match("BTC-USD")).unwrap();
        let arrived = read(&[&value]);
        assert_eq!((arrived.records.ids, arrived.notices.len()), (vec![7], 0));
    }

    #[test]
    fn refusals_and_what_is_unknown_are_told_apart() {
        let refused =
            r#"{"type":"error","message":"Failed to subscribe","reason":"XX-YY is not a valid product"}"#;
        let arrived = read(&[
            refused,
            r#"{"type":"ticker","product_id":"BTC-USD"}"#,
            "{",
            r#"{"type":"subscriptions"}"#,
        ]);
        let [first, others @ ..] = &arrived.notices[..] else { panic!("{arrived:?}") };
        assert_eq!(first.said, Said::Refused("Failed to subscribe XX-YY is not a valid product".to_owned()));
        assert_eq!(others.iter().map(|it| it.frame).collect::<Vec<_>>(), [1, 2]);
        assert!(others.iter().all(|it| matches!(it.said, Said::Unknown(_))), "{others:?}");
    }

    #[test]
    fn symbols_and_streams_that_coinbase_does_not_have_are_refused() {
        for symbol in ["BTCUSD", "btc-usd", "../x", "", "BTC-USD?a"] {
            assert!(feed::plan::<Coinbase>(&subscription(&[symbol])).is_err(), "{symbol}");
        }
        let other = Subscription { streams: vec!["trade".to_owned()], ..subscription(&["BTC-USD"]) };
        assert!(feed::plan::<Coinbase>(&other).unwrap_err().to_string().contains("`matches`"));
    }
}
