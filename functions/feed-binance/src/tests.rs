use feed::{Answer, Arrived, Law, Said, Span, Verdict};

use super::*;

fn subscription(symbols: &[&str], streams: &[&str], settings: &[(&str, &str)]) -> Subscription {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Subscription { symbols: texts(symbols), streams: texts(streams), settings }
}

fn read(streams: &[&str], frames: &[&str]) -> Arrived {
    feed::read::<Binance>(&subscription(&["BTCUSDT"], streams, &[]), &frames.iter().collect()).unwrap()
}

#[test]
fn the_envelope_is_taken_off_and_letters_keep_their_case() {
    let trade = r#"{"e":"trade","E":2,"s":"BTCUSDT","t":7,"p":"1","q":"1","T":1,"m":true,"M":true}"#;
    let arrived = read(&["trade"], &[&format!(r#"{{"stream":"btcusdt@trade","data":{trade}}}"#), trade]);
    assert_eq!(arrived.records.ids, [7, 7]);
    assert!(arrived.records.values.iter().all(|value| value == trade.as_bytes()));
}

#[test]
fn a_kline_counts_once_it_is_final() {
    let kline = |open: i64, x: bool| {
        format!(
            r#"{{"e":"kline","E":1,"s":"BTCUSDT","k":{{"t":{open},"T":1,"s":"BTCUSDT","i":"1m","x":{x}}}}}"#
        )
    };
    let frames = [kline(60_000, false), kline(60_000, true), kline(120_000_000_000_060, true)];
    let arrived = read(&["kline_1m"], &frames.each_ref().map(String::as_str));
    // Times are milliseconds or microseconds.
    assert_eq!(arrived.records.ids, [1, 2_000_000]);
    assert_eq!(arrived.heard.len(), 1);
}

#[test]
fn a_server_that_shuts_down_is_left_and_a_refusal_is_quoted() {
    let arrived = read(
        &["trade"],
        &[
            r#"{"e":"serverShutdown","E":1}"#,
            r#"{"result":null,"id":1}"#,
            r#"{"code":2,"msg":"Invalid request: unknown variant"}"#,
            r#"{"error":{"code":3,"msg":"no"},"id":4}"#,
            r#"{"e":"depthUpdate","s":"BTCUSDT"}"#,
            r#"{"e":"trade","s":"ETHUSDT","t":1}"#,
            r#"{"e":"trade","s":"BTCUSDT"}"#,
        ],
    );
    let said: Vec<(u32, &Said)> = arrived.notices.iter().map(|it| (it.frame, &it.said)).collect();
    assert_eq!(said[0], (0, &Said::Leave("serverShutdown".to_owned())));
    assert_eq!(said[1], (2, &Said::Refused("Invalid request: unknown variant (code 2)".to_owned())));
    assert!(matches!(said[2], (3, Said::Refused(words)) if words.contains("\"no\"")), "{said:?}");
    assert_eq!(said[3..].iter().map(|it| it.0).collect::<Vec<_>>(), [4, 5, 6]);
    assert!(said[3..].iter().all(|it| matches!(it.1, Said::Unknown(_))), "{said:?}");
    assert!(arrived.records.ids.is_empty());
}

#[test]
fn connections_and_messages_keep_within_the_exchanges_limits() {
    let symbols: Vec<String> = (0..1500).map(|number| format!("S{number}USDT")).collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    let plan = feed::plan::<Binance>(&subscription(&symbols, &["trade"], &[("time-unit", "us")])).unwrap();
    assert_eq!(plan.connections.iter().map(|it| it.carries.len()).collect::<Vec<_>>(), [1000, 500]);
    let frames = &plan.connections[0].frames;
    assert_eq!((frames.len(), plan.connections[0].path.as_str()), (10, "/stream?timeUnit=MICROSECOND"));
    assert!(frames[9].ends_with(r#""s999usdt@trade"]}"#), "{}", frames[9]);
    assert_eq!(plan.streams[0].law, Law::Dense);
}

#[test]
fn futures_have_a_path_and_a_history_of_their_own() {
    let futures = subscription(&["BTCUSDT"], &["aggTrade"], &[("market", "usd-m")]);
    assert_eq!(feed::plan::<Binance>(&futures).unwrap().connections[0].path, "/market/stream");
    let want = Want::Ids(Span { series: Series { symbol: 0, stream: 0 }, first: 5, last: 6 });
    let request = feed::ask::<Binance>(&futures, &want).unwrap();
    assert_eq!((request.path.as_str(), request.weight), ("/fapi/v1/aggTrades", 20));
    let other = subscription(&["BTCUSDT"], &["trade"], &[("market", "usd-m")]);
    assert!(feed::plan::<Binance>(&other).unwrap_err().to_string().contains("aggTrade"));
}

fn page(streams: &[&str], want: Want, body: &str) -> (Vec<i64>, Vec<String>, Option<Request>) {
    let subscription = subscription(&["BTCUSDT"], streams, &[]);
    let request = feed::ask::<Binance>(&subscription, &want).unwrap();
    let answer = Answer { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    match feed::answer::<Binance>(&subscription, &want, &request, &answer).unwrap().verdict {
        Verdict::Page(page) => {
            let values = page.records.values.iter().map(|it| String::from_utf8_lossy(it).into_owned());
            (page.records.ids, values.collect(), page.next)
        }
        other => panic!("{other:?}"),
    }
}

const SERIES: Series = Series { symbol: 0, stream: 0 };

#[test]
fn what_the_api_gives_is_read_as_what_the_socket_gives() {
    let ids = |first, last| Want::Ids(Span { series: SERIES, first, last });
    let kline = r#"[60000,"1","3","0.5","2","10",119999,"15",3,"4","6","0"]"#;
    let ticker = r#"{"symbol":"BTCUSDT","priceChange":"-1","priceChangePercent":"-2","weightedAvgPrice":"3","prevClosePrice":"4","lastPrice":"5","lastQty":"6","bidPrice":"7","bidQty":"8","askPrice":"9","askQty":"10","openPrice":"11","highPrice":"12","lowPrice":"13","volume":"14","quoteVolume":"15","openTime":1499783499040,"closeTime":1499869899040,"firstId":18,"lastId":19,"count":20}"#;
    for (stream, want, item, id) in [
        (
            "trade",
            ids(7, 7),
            r#"{"id":7,"price":"1.50","qty":"2","quoteQty":"3","time":9,"isBuyerMaker":true,"isBestMatch":true}"#,
            7,
        ),
        ("aggTrade", ids(8, 8), r#"{"a":8,"p":"1","q":"2","f":10,"l":12,"T":9,"m":false,"M":true}"#, 8),
        ("kline_1m", ids(1, 1), kline, 1),
        ("ticker-rest", Want::Poll(0), ticker, 1_499_869_899_040_000),
    ] {
        let (found, values, next) = page(&[stream], want, &format!("[{item}]"));
        assert_eq!((&found[..], &next), (&[id][..], &None), "{stream}");
        let arrived = read(&[stream], &[&values[0]]);
        assert_eq!((&arrived.records.ids[..], arrived.notices.len()), (&[id][..], 0), "{stream}");
    }
}

#[test]
fn a_full_page_leads_to_the_next_and_a_part_ends_it() {
    let trades = |ids: std::ops::Range<i64>| {
        let trade = |id| {
            format!(r#"{{"id":{id},"price":"1","qty":"2","time":9,"isBuyerMaker":true,"isBestMatch":true}}"#)
        };
        format!("[{}]", ids.map(trade).collect::<Vec<_>>().join(","))
    };
    let want = Want::Ids(Span { series: SERIES, first: 1, last: 2500 });
    let (ids, _, next) = page(&["trade"], want, &trades(1..1001));
    assert_eq!((ids.len(), next.unwrap().query[1].1.as_str()), (1000, "1001"));
    assert_eq!(page(&["trade"], want, &trades(1..900)).2, None);
    // History begins later: what was asked for is not there.
    assert_eq!(page(&["trade"], want, &trades(5000..6000)).2, None);
}

#[test]
fn of_the_newest_klines_the_last_is_not_final() {
    let klines = r#"[[60000,"1","1","1","1","1",119999,"1",1,"1","1","0"],[120000,"1","1","1","1","1",179999,"1",1,"1","1","0"]]"#;
    assert_eq!(page(&["kline_1m"], Want::Newest(SERIES), klines).0, [1]);
    assert_eq!(page(&["kline_1m"], Want::Newest(SERIES), "[]").0, Vec::<i64>::new());
}

#[test]
fn polls_keep_to_half_of_the_allowance() {
    let period = |symbols: usize, settings: &[(&str, &str)]| {
        let symbols: Vec<String> = (0..symbols).map(|number| format!("S{number}USDT")).collect();
        let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
        feed::plan::<Binance>(&subscription(&symbols, &["ticker-rest"], settings))
            .map(|plan| plan.polls[0].period_us)
    };
    assert_eq!(period(2, &[]), Ok(1_000_000));
    assert_eq!(period(100, &[]), Ok(2_000_000));
    assert_eq!(period(101, &[]), Ok(3_000_000));
    assert_eq!(period(101, &[("poll", "10")]), Ok(10_000_000));
    assert!(period(101, &[("poll", "1")]).unwrap_err().to_string().contains("at least 3"));
}

#[test]
fn mistakes_in_a_subscription_are_named() {
    for (symbols, streams, settings, word) in [
        (&["btcusdt"][..], &["trade"][..], &[][..], "BTCUSDT"),
        (&["BTC/USDT"], &["trade"], &[], "not a symbol"),
        (&["A", "A"], &["trade"], &[], "twice"),
        (&["A"], &["trades"], &[], "no stream `trades`"),
        (&["A"], &["kline_2m"], &[], "kline_2m"),
        (&["A"], &["trade"], &[("market", "coin")], "spot or usd-m"),
        (&["A"], &["trade"], &[("time-unit", "s")], "ms or us"),
        (&["A"], &["trade"], &[("key", "x")], "no setting `key`"),
        (&[], &["trade"], &[], "at least one symbol"),
    ] {
        let error = feed::plan::<Binance>(&subscription(symbols, streams, settings)).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
