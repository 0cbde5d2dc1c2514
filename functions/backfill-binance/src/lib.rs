//! Klines of Binance's REST API (`GET /api/v3/klines`): 1,000 a page, oldest first, arrays of 12. A kline goes to the
//! parse function as it came. The allowance is counted by weight over a minute, and each answer says what was used.
//!
//! The setting `path` serves the futures' API (`/fapi/v1/klines`), whose answers look the same.

use backfill::{
    Answer, Bar, Exchange, Options, Pace, Raw, Refusal, Request, Span, array, excerpt, interval_us, refuse,
};

#[cfg(target_arch = "wasm32")]
mod component {
    type Component = backfill::adapter::Adapter<crate::Binance>;
    backfill::adapter::export_backfill!(Component with_types_in backfill::adapter);
}

pub struct Binance;

const PATH: &str = "/api/v3/klines";
/// What a request for klines takes of the allowance.
const WEIGHT: u32 = 2;
/// Items of a kline.
const FIELDS: usize = 12;
const SECOND_US: i64 = 1_000_000;

/// Klines that begin at whole multiples of their length since 1970; those of weeks and months do not.
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

impl Exchange for Binance {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const PAGE_BARS: u32 = 1000;
    const OLDEST_FIRST: bool = true;
    const SETTINGS: &'static [&'static str] = &["path"];

    fn check_interval(interval_us: i64) -> Result<(), Refusal> {
        interval(interval_us).map(drop)
    }

    fn request(options: &Options, page: Span) -> Result<Request, Refusal> {
        let path = options.settings.iter().find(|(name, _)| name == "path");
        let path = path.map_or(PATH, |(_, path)| path.as_str());
        if !path.starts_with('/') {
            refuse!("setting `path` begins with `/`, like {PATH}, not `{path}`");
        }
        let query = [
            ("symbol", options.listed_as.clone()),
            ("interval", interval(interval_us(options))?.to_owned()),
            ("startTime", (page.from_us / 1000).to_string()),
            // Inclusive.
            ("endTime", (page.to_us / 1000 - 1).to_string()),
            ("limit", Self::PAGE_BARS.to_string()),
        ];
        Ok(Request::get(path.to_owned(), &query, WEIGHT, page))
    }

    fn read(options: &Options, body: &[u8]) -> Result<Vec<Bar>, Refusal> {
        array(body)?.into_iter().map(|item| kline(options, item)).collect()
    }

    /// `{"code":-1121,"msg":"Invalid symbol."}`
    fn said(body: &[u8]) -> Option<String> {
        let error: serde_json::Value = serde_json::from_slice(body).ok()?;
        Some(format!("{} (code {})", error["msg"].as_str()?, error["code"]))
    }

    fn pace(answer: &Answer) -> Pace {
        let used = answer.header("x-mbx-used-weight-1m").or_else(|| answer.header("x-mbx-used-weight"));
        Pace {
            used_weight: used.and_then(|used| used.parse().ok()),
            wait_us: answer.retry_after_us(),
            banned: answer.status == 418,
        }
    }
}

fn interval(interval_us: i64) -> Result<&'static str, Refusal> {
    let found = INTERVALS.iter().find(|(_, seconds)| seconds * SECOND_US == interval_us);
    found.map(|(name, _)| *name).ok_or_else(|| {
        let names: Vec<&str> = INTERVALS.iter().map(|(name, _)| *name).collect();
        format!("Binance has no klines of {} s; it has {}", interval_us / SECOND_US, names.join(", ")).into()
    })
}

fn kline(options: &Options, item: Raw<'_>) -> Result<Bar, Refusal> {
    let wrong = || Refusal::from(format!("not a kline: {}", excerpt(item.text().as_bytes())));
    let fields = item.items().ok_or_else(wrong)?;
    if fields.len() != FIELDS || !fields.iter().all(|field| field.is_number()) {
        return Err(wrong());
    }
    let times = [fields[0], fields[6]].map(|field| field.integer().map(time_us));
    let [Some(open_us), Some(close_us)] = times else { return Err(wrong()) };
    let next_us = close_us - close_us.rem_euclid(1_000) + 1_000;
    let regular = open_us % interval_us(options) == 0 && next_us == open_us + interval_us(options);
    let record = match regular {
        true => item.text().as_bytes().to_vec(),
        false => cut_short(options, &fields, open_us),
    };
    Ok(Bar { open_us, record })
}

/// A kline that an outage cut short, or that began when the exchange was back: as a message that says how long it is, which
/// its times do not. Ids count its seconds, so that it differs from another within the same interval.
fn cut_short(options: &Options, fields: &[Raw<'_>], open_us: i64) -> Vec<u8> {
    let symbol = serde_json::Value::from(options.symbol.as_str());
    let number = |field: usize| format!("\"{}\"", fields[field].text().trim_matches('"'));
    let whole = |field: usize| fields[field].text().trim_matches('"');
    format!(
        r#"{{"e":"kline","E":{close},"s":{symbol},"k":{{"t":{open},"T":{close},"s":{symbol},"i":"1s","o":{},"h":{},"l":{},"c":{},"v":{},"q":{},"n":{},"V":{},"Q":{},"x":true}}}}"#,
        number(1),
        number(2),
        number(3),
        number(4),
        number(5),
        number(7),
        whole(8),
        number(9),
        number(10),
        open = open_us / 1_000,
        close = whole(6),
    )
    .into_bytes()
}

/// Milliseconds, or microseconds if the answer has them: 10^14 ms is the year 5138.
fn time_us(time: i64) -> i64 {
    if time.abs() < 100_000_000_000_000 { time * 1000 } else { time }
}

#[cfg(test)]
mod tests {
    use backfill::{Data, Verdict, decode, plan};

    use super::*;

    const M: i64 = 60_000_000;

    fn options() -> Options {
        Options { symbol: "AB".into(), listed_as: "AB".into(), interval_us: M as u64, settings: Vec::new() }
    }

    fn klines(minutes: impl IntoIterator<Item = i64>) -> Vec<u8> {
        let klines = minutes.into_iter().map(|minute| {
            let open = minute * 60_000;
            format!(r#"[{open},"1.0","2.0","0.5","1.5","10",{},"12",3,"1","1","0"]"#, open + 59_999)
        });
        format!("[{}]", klines.collect::<Vec<_>>().join(",")).into_bytes()
    }

    fn answered(page: (i64, i64), body: Vec<u8>) -> Verdict {
        let request = Binance::request(&options(), Span::new(page.0 * M, page.1 * M)).unwrap();
        let answer = Answer { status: 200, headers: Vec::new(), body };
        decode::<Binance>(&options(), &request, &answer).unwrap().verdict
    }

    fn data(page: (i64, i64), body: Vec<u8>) -> Data {
        match answered(page, body) {
            Verdict::Data(data) => data,
            other => panic!("{other:?}"),
        }
    }

    fn minutes(spans: &[Span]) -> Vec<(i64, i64)> {
        spans.iter().map(|span| (span.from_us / M, span.to_us / M)).collect()
    }

    #[test]
    fn klines_that_overlap_what_was_asked_or_come_twice_count_once() {
        let data = data((10, 15), klines([8, 9, 10, 11, 11, 12, 13, 14, 15, 16]));
        assert_eq!(data.records.len(), 5);
        assert_eq!((minutes(&data.proved), minutes(&data.no_data)), (vec![(10, 15)], vec![]));
    }

    #[test]
    fn what_a_page_that_is_not_full_lacks_is_not_there_at_all() {
        let holes = data((10, 20), klines([10, 11, 14]));
        assert_eq!(minutes(&holes.no_data), [(12, 14), (15, 20)]);
        assert_eq!(minutes(&data((10, 20), b"[]".to_vec()).no_data), [(10, 20)]);
    }

    #[test]
    fn of_a_full_page_what_follows_the_last_kline_is_asked_for_next() {
        let data = data((100, 1050), klines(90..1090).clone());
        assert_eq!(minutes(&data.proved), [(100, 1050)]);
        let data = self::data((100, 1100), klines(50..1050));
        assert_eq!((minutes(&data.proved), data.records.len()), (vec![(100, 1050)], 950));
        assert_eq!(minutes(&[data.next[0].covers]), [(1050, 1100)]);
        assert_eq!(data.next.len(), 1);
        let stale = answered((5000, 5010), klines(0..1000));
        assert!(matches!(stale, Verdict::Again(_)), "{stale:?}");
    }

    #[test]
    fn a_kline_that_is_none_spoils_its_answer() {
        for body in [
            &b""[..],
            b"{}",
            b"[[1,2,3]]",
            b"[[60000,\"1\",\"1\",\"1\",\"1\",\"1\",119999,\"1\",1,\"1\",\"1\"]]",
            b"[[60000,\"one\",\"1\",\"1\",\"1\",\"1\",119999,\"1\",1,\"1\",\"1\",\"0\"]]",
            b"<html>",
            b"\xff",
        ] {
            let verdict = answered((1, 2), body.to_vec());
            assert!(matches!(verdict, Verdict::Again(_)), "{} {verdict:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn klines_off_the_grid_and_cut_short_ones_are_bars_too() {
        let odd = br#"[[600000,"1.0","2.0","0.5","1.5","10",628999,"12",3,"1","2","0"],[641000,"1","1","1","1","5",719999,"5",1,"0","0","0"]]"#;
        let data = data((10, 13), odd.to_vec());
        let records: Vec<&str> =
            data.records.iter().map(|record| std::str::from_utf8(record).unwrap()).collect();
        let first = r#"{"e":"kline","E":628999,"s":"AB","k":{"t":600000,"T":628999,"s":"AB","i":"1s","o":"1.0","h":"2.0","l":"0.5","c":"1.5","v":"10","q":"12","n":3,"V":"1","Q":"2","x":true}}"#;
        assert_eq!(records[0], first);
        assert!(records[1].contains(r#""t":641000,"T":719999"#), "{}", records[1]);
        // From 11:41 nothing is there.
        assert_eq!(data.no_data, [Span::new(701_000_000, 13 * M)]);
    }

    #[test]
    fn bars_of_another_time_prove_nothing() {
        let data = data((10, 20), klines([30, 31]));
        assert_eq!((data.records.len(), data.proved, data.no_data, data.next), (0, vec![], vec![], vec![]));
    }

    #[test]
    fn intervals_and_settings_that_binance_does_not_have_are_refused() {
        let wanted = [Span::new(0, M)];
        let odd = Options { interval_us: 7 * M as u64, ..options() };
        assert!(plan::<Binance>(&odd, &wanted, &[]).unwrap_err().to_string().contains("no klines of 420 s"));
        let unknown = Options { settings: vec![("pth".into(), "/x".into())], ..options() };
        assert!(plan::<Binance>(&unknown, &wanted, &[]).unwrap_err().to_string().contains("it has path"));
        let relative = Options { settings: vec![("path".into(), "x".into())], ..options() };
        assert!(plan::<Binance>(&relative, &wanted, &[]).is_err());
    }
}
