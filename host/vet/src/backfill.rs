//! The contract of a backfill function, tried on answers that no exchange should give.

use tallow_engine::{
    BackfillAnswer, BackfillFunction, BackfillOptions, BackfillRequest, CallError, Component, Span,
};

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

/// 2025-01-01, and a day of minutes from there.
const FROM_US: i64 = 1_735_689_600_000_000;
const DAY_US: i64 = 86_400_000_000;
const MINUTE_US: u64 = 60_000_000;

/// Names that exchanges have for symbols.
const LISTED: [&str; 3] = ["BTCUSDT", "BTC-USD", "XBTUSD"];

const STATUSES: [u16; 12] = [0, 100, 200, 204, 301, 400, 404, 418, 429, 451, 500, 999];

const BODIES: [&[u8]; 14] = [
    b"",
    b"[]",
    b"{}",
    b"null",
    b"[",
    b"[[]]",
    b"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
    b"[[1735689600000,\"1\",\"1\",\"1\",\"1\",\"1\",1735689659999,\"1\",1,\"1\",\"1\",\"0\"]]",
    b"[[-9223372036854775808,\"1\",\"1\",\"1\",\"1\",\"1\",9223372036854775807,\"1\",1,\"1\",\"1\",\"0\"]]",
    b"[[9223372036854775807,1,1,1,1,1],[-9223372036854775808,1,1,1,1,1]]",
    b"[[1e308,1e308,1e308,1e308,1e308,1e308]]",
    b"<html>503</html>",
    b"\xff\xfe\x00",
    b"{\"code\":1e400,\"msg\":\"\\ud800\"}",
];

/// Tries the contract: whatever an exchange sends is a verdict, and the same each time.
pub fn check(component: &Component, candidate: &Candidate<'_>, trial: &mut Trial<'_>) -> Result<(), Refusal> {
    trial.begin(Rule::Contract);
    let mut function = BackfillFunction::new(component, candidate.limits)
        .map_err(|error| trial.failed(&error, "starting it"))?;
    let mut tried = 0;
    for listed_as in LISTED {
        let options = BackfillOptions {
            symbol: listed_as.to_owned(),
            listed_as: listed_as.to_owned(),
            interval_us: MINUTE_US,
            settings: Vec::new(),
        };
        let Some(request) = plan(&mut function, &options, trial)? else { continue };
        for status in STATUSES {
            for body in BODIES {
                let headers = vec![("retry-after".to_owned(), "99999999999999999999".to_owned())];
                let answer = BackfillAnswer { status, headers, body: body.to_vec() };
                answer_twice(&mut function, &options, &request, &answer, trial)?;
                tried += 1;
            }
        }
    }
    let on = format!("{tried} answers made for it");
    [Rule::Trap, Rule::Contract, Rule::Pure].into_iter().for_each(|rule| trial.pass(rule, on.clone()));
    Ok(())
}

/// The first request for a day; `None` if the function does not know the symbol or the interval.
fn plan(
    function: &mut BackfillFunction,
    options: &BackfillOptions,
    trial: &Trial<'_>,
) -> Result<Option<BackfillRequest>, Refusal> {
    let wanted = [Span { from_us: FROM_US, to_us: FROM_US + DAY_US }];
    let planned = match function.plan(options, &wanted, &[]) {
        Ok(planned) => planned,
        Err(CallError::Refused(_)) => return Ok(None),
        Err(error) => return Err(trial.failed(&error, "plan")),
    };
    let covered: Vec<(i64, i64)> =
        planned.iter().map(|request| (request.covers.from_us, request.covers.to_us)).collect();
    let whole = covered.first().is_some_and(|first| first.0 <= FROM_US)
        && covered.last().is_some_and(|last| last.1 >= FROM_US + DAY_US)
        && covered.windows(2).all(|pair| pair[0].1 >= pair[1].0);
    if !whole {
        let seen = format!("for a day it plans requests that cover {covered:?} µs");
        return Err(trial.refuse(seen, "plan requests, in order, that cover all that is wanted"));
    }
    let again = function.plan(options, &wanted, &wanted).map_err(|error| trial.failed(&error, "plan"))?;
    if !again.is_empty() {
        let seen = format!("it plans {} requests for what is covered", again.len());
        return Err(trial.refuse(seen, "plan nothing for what is covered"));
    }
    Ok(planned.into_iter().next())
}

fn answer_twice(
    function: &mut BackfillFunction,
    options: &BackfillOptions,
    request: &BackfillRequest,
    answer: &BackfillAnswer,
    trial: &Trial<'_>,
) -> Result<(), Refusal> {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let during = format!("decode of status {} with `{body}`", answer.status);
    let mut decode = || {
        function
            .decode(options, request, answer)
            .map(|(verdict, pace)| format!("{verdict:?} {pace:?}"))
            .map_err(|error| trial.failed(&error, &during))
    };
    let (first, second) = (decode()?, decode()?);
    if first == second {
        return Ok(());
    }
    Err(trial.refuse_as(
        Rule::Pure,
        format!("{during} gave {first}, and then {second}"),
        "let the verdict depend on the request and the answer alone",
    ))
}
