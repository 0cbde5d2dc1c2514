//! Candles of Coinbase Exchange (`GET /products/<id>/candles`): 300 a page, newest first, arrays of
//! `[time, low, high, open, close, volume]`, none for a minute without a trade. A candle goes to the parse function as
//! a final kline message, its numbers as they were written.

use std::fmt::Write;

use backfill::{Bar, Exchange, Options, Raw, Refusal, Request, Span, array, excerpt, interval_us, refuse};
use chrono::{DateTime, SecondsFormat};

#[cfg(target_arch = "wasm32")]
mod component {
    type Component = backfill::adapter::Adapter<crate::Coinbase>;
    backfill::adapter::export_backfill!(Component with_types_in backfill::adapter);
}

pub struct Coinbase;

const SECOND_US: i64 = 1_000_000;

/// Lengths of candles, in seconds, with their names in messages.
const GRANULARITIES: [(&str, i64); 6] =
    [("1m", 60), ("5m", 300), ("15m", 900), ("1h", 3_600), ("6h", 21_600), ("1d", 86_400)];

impl Exchange for Coinbase {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const PAGE_BARS: u32 = 300;
    const OLDEST_FIRST: bool = false;

    fn check_interval(interval_us: i64) -> Result<(), Refusal> {
        interval(interval_us).map(drop)
    }

    fn request(options: &Options, page: Span) -> Result<Request, Refusal> {
        let id = &options.listed_as;
        // It is part of the path: nothing may lead out of it.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            refuse!("`{}` is not a product of Coinbase, like BTC-USD", excerpt(id.as_bytes()));
        }
        let query = [
            ("granularity", (interval_us(options) / SECOND_US).to_string()),
            ("start", time(page.from_us)?),
            // Inclusive.
            ("end", time(page.to_us - interval_us(options))?),
        ];
        Ok(Request::get(format!("/products/{id}/candles"), &query, 1, page))
    }

    fn read(options: &Options, body: &[u8]) -> Result<Vec<Bar>, Refusal> {
        let name = interval(interval_us(options))?;
        array(body)?.into_iter().map(|item| candle(options, name, item)).collect()
    }

    /// `{"message":"NotFound"}`
    fn said(body: &[u8]) -> Option<String> {
        let error: serde_json::Value = serde_json::from_slice(body).ok()?;
        Some(error["message"].as_str()?.to_owned())
    }
}

fn interval(interval_us: i64) -> Result<&'static str, Refusal> {
    let found = GRANULARITIES.iter().find(|(_, seconds)| seconds * SECOND_US == interval_us);
    found.map(|(name, _)| *name).ok_or_else(|| {
        let names: Vec<&str> = GRANULARITIES.iter().map(|(name, _)| *name).collect();
        format!("Coinbase has no candles of {} s; it has {}", interval_us / SECOND_US, names.join(", "))
            .into()
    })
}

fn time(time_us: i64) -> Result<String, Refusal> {
    let time = DateTime::from_timestamp_micros(time_us).ok_or("a time beyond the calendar")?;
    Ok(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn candle(options: &Options, interval: &str, item: Raw<'_>) -> Result<Bar, Refusal> {
    let wrong = || Refusal::from(format!("not a candle: {}", excerpt(item.text().as_bytes())));
    let fields = item.items().ok_or_else(wrong)?;
    let [time, low, high, open, close, volume] = fields[..] else { return Err(wrong()) };
    if !fields.iter().all(|field| field.is_number()) {
        return Err(wrong());
    }
    let open_us = time.integer().and_then(|seconds| seconds.checked_mul(SECOND_US)).ok_or_else(wrong)?;
    let open_ms = open_us / 1000;
    let close_ms = open_ms + interval_us(options) / 1000 - 1;
    let symbol = serde_json::Value::from(options.symbol.as_str());
    let number = |field: Raw<'_>| format!("\"{}\"", field.text().trim_matches('"'));
    let mut record = String::with_capacity(256);
    // Memory can always be written to.
    let _ = write!(
        record,
        r#"{{"e":"kline","E":{close_ms},"s":{symbol},"k":{{"t":{open_ms},"T":{close_ms},"s":{symbol},"i":"{interval}","o":{},"c":{},"h":{},"l":{},"v":{},"x":true}}}}"#,
        number(open),
        number(close),
        number(high),
        number(low),
        number(volume),
    );
    Ok(Bar { open_us, record: record.into_bytes() })
}

#[cfg(test)]
mod tests {
    use backfill::{Answer, Data, Verdict, decode, plan};

    use super::*;

    const M: i64 = 60_000_000;

    fn options(listed_as: &str) -> Options {
        Options {
            symbol: "BTCUSD".into(),
            listed_as: listed_as.into(),
            interval_us: M as u64,
            settings: Vec::new(),
        }
    }

    fn data(page: (i64, i64), body: String) -> Data {
        let options = options("BTC-USD");
        let request = Coinbase::request(&options, Span::new(page.0 * M, page.1 * M)).unwrap();
        let answer = Answer { status: 200, headers: Vec::new(), body: body.into_bytes() };
        match decode::<Coinbase>(&options, &request, &answer).unwrap().verdict {
            Verdict::Data(data) => data,
            other => panic!("{other:?}"),
        }
    }

    fn candles(minutes: impl IntoIterator<Item = i64>) -> String {
        let candles = minutes.into_iter().map(|minute| format!("[{},1,3,2,2.5,4e-7]", minute * 60));
        format!("[{}]", candles.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn a_candle_becomes_a_kline_whose_numbers_stand_where_they_belong() {
        let data = data((1, 2), "[[60,14.5,16.25,15,16,4e-7]]".to_owned());
        let record = String::from_utf8(data.records.get(0).unwrap().to_vec()).unwrap();
        let wanted = r#"{"e":"kline","E":119999,"s":"BTCUSD","k":{"t":60000,"T":119999,"s":"BTCUSD","i":"1m","o":"15","c":"16","h":"16.25","l":"14.5","v":"4e-7","x":true}}"#;
        assert_eq!(record, wanted);
    }

    #[test]
    fn newest_first_is_put_in_order_and_a_cut_off_page_lacks_the_oldest() {
        let data = data((0, 300), candles((20..320).rev()));
        assert_eq!(data.records.len(), 280);
        assert!(data.records.get(0).unwrap().starts_with(br#"{"e":"kline","E":1259999"#));
        assert_eq!(data.proved, [Span::new(20 * M, 300 * M)]);
        assert_eq!(data.next[0].covers, Span::new(0, 20 * M));
    }

    #[test]
    fn minutes_without_a_trade_are_told_as_such() {
        let data = data((0, 6), candles([5, 1, 0]));
        assert_eq!(data.no_data, [Span::new(2 * M, 5 * M)]);
    }

    #[test]
    fn products_that_would_leave_the_path_are_refused() {
        for id in ["", "../../x", "BTC/USD", "BTC-USD?x", "a%2e"] {
            assert!(plan::<Coinbase>(&options(id), &[Span::new(0, M)], &[]).is_err(), "{id}");
        }
    }
}
