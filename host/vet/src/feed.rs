//! The contract of a feed function, tried on frames and answers that no exchange should send.

use tallow_engine::feed::{Answer, Plan, Series, Span, Subscription, Want};
use tallow_engine::{ByteColumn, CallError, Component, FeedFunction};

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

/// Names that exchanges have for symbols and for streams of trades.
const SYMBOLS: [&str; 3] = ["BTCUSDT", "BTC-USD", "XBTUSD"];
const STREAMS: [&str; 4] = ["trade", "trades", "matches", "market_trades"];

const STATUSES: [u16; 10] = [0, 200, 204, 301, 400, 404, 418, 429, 500, 999];

/// As frames and as bodies of answers.
const TEXTS: [&[u8]; 18] = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"[",
    b"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
    b"{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":9223372036854775807,\"E\":0}}",
    b"{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":-9223372036854775808,\"E\":-9223372036854775808}",
    b"{\"e\":\"kline\",\"s\":\"BTCUSDT\",\"k\":{\"t\":9223372036854775807,\"i\":\"1s\",\"x\":true}}",
    b"{\"e\":\"24hrTicker\",\"s\":\"BTCUSDT\",\"E\":9223372036854775807}",
    b"{\"type\":\"match\",\"product_id\":\"BTC-USD\",\"trade_id\":9223372036854775807}",
    b"{\"type\":\"heartbeat\",\"product_id\":\"BTC-USD\",\"last_trade_id\":-1}",
    b"{\"result\":null,\"id\":1}",
    b"{\"error\":{\"code\":1e400,\"msg\":\"\\ud800\"}}",
    b"[{\"id\":9223372036854775807,\"price\":\"1\",\"qty\":\"1\",\"time\":1,\"isBuyerMaker\":true,\"isBestMatch\":true}]",
    b"[{\"trade_id\":1,\"side\":\"buy\",\"size\":\"1\",\"price\":\"1\",\"time\":\"2024-01-01T00:00:00Z\"}]",
    b"<html>503</html>",
    b"\xff\xfe\x00",
];

/// Tries the contract: whatever an exchange sends is answered, and the same each time.
pub fn check(component: &Component, candidate: &Candidate<'_>, trial: &mut Trial<'_>) -> Result<(), Refusal> {
    trial.begin(Rule::Contract);
    let mut function = FeedFunction::new(component, candidate.limits)
        .map_err(|error| trial.failed(&error, "starting it"))?;
    let mut tried = 0;
    for symbol in SYMBOLS {
        for stream in STREAMS {
            let names = |name: &str| vec![name.to_owned()];
            let subscription =
                Subscription { symbols: names(symbol), streams: names(stream), settings: Vec::new() };
            let plan = match function.plan(&subscription) {
                Ok(plan) => plan,
                Err(CallError::Refused(_)) => continue,
                Err(error) => return Err(trial.failed(&error, "subscribe")),
            };
            tried += try_frames(&mut function, &subscription, trial)?;
            tried += try_answers(&mut function, &subscription, &plan, trial)?;
        }
    }
    let on = match tried {
        0 => "its description: it has none of the symbols and streams that are tried".to_owned(),
        tried => format!("{tried} frames and answers made for it"),
    };
    [Rule::Trap, Rule::Contract, Rule::Pure].into_iter().for_each(|rule| trial.pass(rule, on.clone()));
    Ok(())
}

/// Each text alone, and all of them in one call.
fn try_frames(
    function: &mut FeedFunction,
    subscription: &Subscription,
    trial: &Trial<'_>,
) -> Result<usize, Refusal> {
    let alone = TEXTS.iter().map(|text| ByteColumn::from_iter([text]));
    for frames in alone.chain([ByteColumn::from_iter(TEXTS)]) {
        let during = format!("read of `{}`", String::from_utf8_lossy(&frames.bytes));
        let mut read = || {
            function
                .read(subscription, &frames)
                .map(|arrived| format!("{arrived:?}"))
                .map_err(|error| trial.failed(&error, &during))
        };
        same(trial, &during, read()?, read()?)?;
    }
    Ok(TEXTS.len() + 1)
}

fn try_answers(
    function: &mut FeedFunction,
    subscription: &Subscription,
    plan: &Plan,
    trial: &Trial<'_>,
) -> Result<usize, Refusal> {
    let series = Series { symbol: 0, stream: 0 };
    let refetch = plan.streams.iter().any(|stream| stream.refetch);
    let of_ids = [
        Want::Newest(series),
        Want::Ids(Span { series, first: 1, last: 10 }),
        Want::Ids(Span { series, first: i64::MAX, last: i64::MAX }),
    ];
    let wants = of_ids.into_iter().filter(|_| refetch);
    let mut tried = 0;
    for want in wants.chain((0..plan.polls.len()).map(|poll| Want::Poll(poll as u32))) {
        let request = function.ask(subscription, want).map_err(|error| trial.failed(&error, "ask"))?;
        for status in STATUSES {
            for body in TEXTS {
                let headers = vec![("retry-after".to_owned(), "99999999999999999999".to_owned())];
                let answer = Answer { status, headers, body: body.to_vec() };
                let during =
                    format!("decode of status {status} with `{}`", String::from_utf8_lossy(&answer.body));
                let mut decode = || {
                    function
                        .answer(subscription, want, &request, &answer)
                        .map(|decoded| format!("{decoded:?}"))
                        .map_err(|error| trial.failed(&error, &during))
                };
                same(trial, &during, decode()?, decode()?)?;
                tried += 1;
            }
        }
    }
    Ok(tried)
}

fn same(trial: &Trial<'_>, during: &str, first: String, second: String) -> Result<(), Refusal> {
    if first == second {
        return Ok(());
    }
    Err(trial.refuse_as(
        Rule::Pure,
        format!("{during} gave {first}, and then {second}"),
        "let the answer depend on the arguments alone",
    ))
}
