//! The REST API: what to ask for ids, and its answers as the socket's messages.

use feed::{
    Names, Page, RawValue, Refusal, Request, Series, Span, Subscription, Want, excerpt, integer, refuse,
};
use serde::Deserialize;
use serde_json::json;

use crate::microseconds;
use crate::streams::{Kind, Market, POLLED_TICKER};

/// Most trades or klines of an answer.
const PAGE: usize = 1000;

/// The first request for ids of a series, or for its newest one.
pub fn ask(subscription: &Subscription, want: &Want) -> Result<Request, Refusal> {
    match want {
        Want::Ids(span) => ids(subscription, *span, span.first),
        Want::Newest(series) => newest(subscription, *series),
        Want::Poll(_) => Ok(tickers(subscription)),
    }
}

fn kind(subscription: &Subscription, series: Series) -> Result<Kind, Refusal> {
    Kind::of(subscription.stream(series), Market::of(subscription)?)
}

/// Ids from `from` to the span's last one.
fn ids(subscription: &Subscription, span: Span, from: i64) -> Result<Request, Refusal> {
    let (left, symbol) = (span.last.saturating_sub(from).saturating_add(1), subscription.symbol(span.series));
    let limit = left.clamp(1, PAGE as i64).to_string();
    let symbol = ("symbol", symbol.to_owned());
    let request = match kind(subscription, span.series)? {
        Kind::Trade => {
            let query = [symbol, ("fromId", from.to_string()), ("limit", limit)];
            Request::get("/api/v3/historicalTrades", &query, 25)
        }
        Kind::AggTrade => {
            let query = [symbol, ("fromId", from.to_string()), ("limit", limit)];
            agg_trades(subscription, &query)?
        }
        Kind::Kline { interval_ms } => {
            let at = |id: i64| id.saturating_mul(interval_ms).to_string();
            let query = [
                symbol,
                ("interval", interval_name(subscription, span.series)),
                ("startTime", at(from)),
                // Inclusive: the last one opens then.
                ("endTime", at(span.last)),
                ("limit", limit),
            ];
            Request::get("/api/v3/klines", &query, 2)
        }
        _ => refuse!("{} cannot be requested by ids", subscription.stream(span.series)),
    };
    in_unit(subscription, request)
}

fn newest(subscription: &Subscription, series: Series) -> Result<Request, Refusal> {
    let symbol = ("symbol", subscription.symbol(series).to_owned());
    let limit = |most: u32| ("limit", most.to_string());
    let request = match kind(subscription, series)? {
        Kind::Trade => Request::get("/api/v3/trades", &[symbol, limit(1)], 25),
        Kind::AggTrade => agg_trades(subscription, &[symbol, limit(1)])?,
        // The last one is not final.
        Kind::Kline { .. } => {
            let query = [symbol, ("interval", interval_name(subscription, series)), limit(2)];
            Request::get("/api/v3/klines", &query, 2)
        }
        _ => refuse!("{} has no ids", subscription.stream(series)),
    };
    in_unit(subscription, request)
}

fn agg_trades(subscription: &Subscription, query: &[(&str, String)]) -> Result<Request, Refusal> {
    Ok(match Market::of(subscription)? {
        Market::Spot => Request::get("/api/v3/aggTrades", query, 4),
        Market::UsdM => Request::get("/fapi/v1/aggTrades", query, 20),
    })
}

fn interval_name(subscription: &Subscription, series: Series) -> String {
    subscription.stream(series).trim_start_matches("kline_").to_owned()
}

fn in_unit(subscription: &Subscription, mut request: Request) -> Result<Request, Refusal> {
    if microseconds(subscription)? {
        request.headers.push(("X-MBX-TIME-UNIT".to_owned(), "MICROSECOND".to_owned()));
    }
    Ok(request)
}

/// The tickers of all symbols.
pub fn tickers(subscription: &Subscription) -> Request {
    let weight = match subscription.symbols.len() {
        0..=20 => 2,
        21..=100 => 40,
        _ => 80,
    };
    Request::get("/api/v3/ticker/24hr", &[("symbols", json!(subscription.symbols).to_string())], weight)
}

/// The records of an answer.
pub fn page(
    subscription: &Subscription,
    want: &Want,
    request: &Request,
    body: &[u8],
    names: &Names<'_>,
) -> Result<Page, Refusal> {
    let items: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| format!("not a list: {error}: {}", excerpt(body)))?;
    let mut page = Page::default();
    let (series, last) = match want {
        Want::Poll(_) => {
            for item in &items {
                ticker(item, names, &mut page)?;
            }
            return Ok(page);
        }
        Want::Ids(span) => (span.series, Some(*span)),
        Want::Newest(series) => (*series, None),
    };
    let (symbol, kind) = (subscription.symbol(series), kind(subscription, series)?);
    // Of the newest klines the last one is not final.
    let whole = if last.is_none() && matches!(kind, Kind::Kline { .. }) {
        items.len().max(1) - 1
    } else {
        items.len()
    };
    for item in &items[..whole] {
        let (id, value) = match kind {
            Kind::Trade => trade(symbol, item)?,
            Kind::AggTrade => agg_trade(symbol, item)?,
            Kind::Kline { interval_ms } => {
                kline(symbol, &interval_name(subscription, series), interval_ms, item)?
            }
            _ => refuse!("{} has no ids", subscription.stream(series)),
        };
        page.records.push(series, id, value.as_bytes());
    }
    let asked: Option<usize> =
        request.query.iter().find(|(name, _)| name == "limit").and_then(|(_, it)| it.parse().ok());
    if let (Some(span), Some(newest)) = (last, page.records.ids.iter().max())
        && asked.is_some_and(|asked| items.len() >= asked)
        && *newest < span.last
    {
        page.next = Some(ids(subscription, span, newest + 1)?);
    }
    Ok(page)
}

fn wrong(what: &str, item: &RawValue) -> Refusal {
    format!("not {what}: {}", excerpt(item.get().as_bytes())).into()
}

fn read<'a, T: Deserialize<'a>>(what: &str, item: &'a RawValue) -> Result<T, Refusal> {
    serde_json::from_str(item.get()).map_err(|_| wrong(what, item))
}

fn trade(symbol: &str, item: &RawValue) -> Result<(i64, String), Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Trade<'a> {
        id: i64,
        price: &'a str,
        qty: &'a str,
        time: i64,
        is_buyer_maker: bool,
        is_best_match: bool,
    }
    let Trade { id, price, qty, time, is_buyer_maker, is_best_match } = read("a trade", item)?;
    let value = format!(
        r#"{{"e":"trade","E":{time},"s":"{symbol}","t":{id},"p":"{price}","q":"{qty}","T":{time},"m":{is_buyer_maker},"M":{is_best_match}}}"#
    );
    Ok((id, value))
}

fn agg_trade(symbol: &str, item: &RawValue) -> Result<(i64, String), Refusal> {
    #[derive(Deserialize)]
    struct AggTrade<'a> {
        a: i64,
        p: &'a str,
        q: &'a str,
        f: i64,
        l: i64,
        #[serde(rename = "T")]
        time: i64,
        m: bool,
        /// Spot's alone.
        #[serde(rename = "M")]
        best: Option<bool>,
    }
    let AggTrade { a, p, q, f, l, time, m, best } = read("an aggregate trade", item)?;
    let best = best.map_or(String::new(), |best| format!(r#","M":{best}"#));
    let value = format!(
        r#"{{"e":"aggTrade","E":{time},"s":"{symbol}","a":{a},"p":"{p}","q":"{q}","f":{f},"l":{l},"T":{time},"m":{m}{best}}}"#
    );
    Ok((a, value))
}

fn kline(symbol: &str, interval: &str, interval_ms: i64, item: &RawValue) -> Result<(i64, String), Refusal> {
    let fields: Vec<&RawValue> = read("a kline", item)?;
    let [open, o, h, l, c, v, close, q, n, buy_v, buy_q, ..] = &fields[..] else {
        return Err(wrong("a kline", item));
    };
    let is_number =
        |field: &&RawValue| field.get().trim_matches('"').parse::<f64>().is_ok_and(f64::is_finite);
    if ![o, h, l, c, v, q, n, buy_v, buy_q].into_iter().all(is_number) {
        return Err(wrong("a kline", item));
    }
    let (Some(open), Some(close)) = (integer(open), integer(close)) else {
        return Err(wrong("a kline", item));
    };
    let open_ms = if open.unsigned_abs() < 100_000_000_000_000 { open } else { open / 1000 };
    let value = format!(
        r#"{{"e":"kline","E":{close},"s":"{symbol}","k":{{"t":{open},"T":{close},"s":"{symbol}","i":"{interval}","o":{o},"c":{c},"h":{h},"l":{l},"v":{v},"n":{n},"x":true,"q":{q},"V":{buy_v},"Q":{buy_q}}}}}"#
    );
    Ok((open_ms.div_euclid(interval_ms), value))
}

/// A ticker as the socket's `24hrTicker`.
fn ticker(item: &RawValue, names: &Names<'_>, page: &mut Page) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Ticker<'a> {
        symbol: &'a str,
        price_change: &'a str,
        price_change_percent: &'a str,
        weighted_avg_price: &'a str,
        prev_close_price: &'a str,
        last_price: &'a str,
        last_qty: &'a str,
        bid_price: &'a str,
        bid_qty: Option<&'a str>,
        ask_price: &'a str,
        ask_qty: Option<&'a str>,
        open_price: &'a str,
        high_price: &'a str,
        low_price: &'a str,
        volume: &'a str,
        quote_volume: &'a str,
        open_time: i64,
        close_time: i64,
        first_id: i64,
        last_id: i64,
        count: i64,
    }
    let it: Ticker<'_> = read("a ticker", item)?;
    let Some(series) = names.series(it.symbol, POLLED_TICKER) else { return Ok(()) };
    let quantity = |value: Option<&str>| value.unwrap_or("0").to_owned();
    let value = json!({
        "e": "24hrTicker", "E": it.close_time, "s": it.symbol, "p": it.price_change,
        "P": it.price_change_percent, "w": it.weighted_avg_price, "x": it.prev_close_price,
        "c": it.last_price, "Q": it.last_qty, "b": it.bid_price, "B": quantity(it.bid_qty),
        "a": it.ask_price, "A": quantity(it.ask_qty), "o": it.open_price, "h": it.high_price,
        "l": it.low_price, "v": it.volume, "q": it.quote_volume, "O": it.open_time,
        "C": it.close_time, "F": it.first_id, "L": it.last_id, "n": it.count,
    });
    page.records.push(series, it.close_time.saturating_mul(1000), value.to_string().as_bytes());
    Ok(())
}
