//! What a frame is.

use std::borrow::Cow;

use feed::{RawValue, Reading, Said, integer};
use serde::Deserialize;

use crate::streams::{POLLED_TICKER, interval_ms};

/// A message, or the envelope of one. Letters mean other things in other messages, so that most are left as they are.
#[derive(Deserialize)]
struct Message<'a> {
    /// In an envelope alone.
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    e: Option<Cow<'a, str>>,
    #[serde(rename = "E", borrow)]
    event_time: Option<&'a RawValue>,
    #[serde(borrow)]
    s: Option<Cow<'a, str>>,
    #[serde(borrow)]
    t: Option<&'a RawValue>,
    #[serde(borrow)]
    a: Option<&'a RawValue>,
    #[serde(borrow)]
    k: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Kline<'a> {
    #[serde(borrow)]
    t: &'a RawValue,
    #[serde(borrow)]
    i: Cow<'a, str>,
    x: bool,
}

/// Takes a frame apart.
pub fn read(frame: &[u8], reading: &mut Reading<'_>) {
    let message: Message<'_> = match serde_json::from_slice(frame) {
        Ok(message) => message,
        Err(error) => return reading.unknown(&error.to_string(), frame),
    };
    match message.data {
        None => take(&message, frame, reading),
        Some(data) => match serde_json::from_str(data.get()) {
            Ok(message) => take(&message, data.get().as_bytes(), reading),
            Err(error) => reading.unknown(&error.to_string(), frame),
        },
    }
}

fn take(message: &Message<'_>, value: &[u8], reading: &mut Reading<'_>) {
    let Some(event) = message.e.as_deref() else { return without_event(message, value, reading) };
    let number = |raw: Option<&RawValue>| raw.and_then(integer);
    let (stream, id) = match event {
        "trade" => ("trade", number(message.t)),
        "aggTrade" => ("aggTrade", number(message.a)),
        "24hrTicker" if reading.has_stream("ticker") => ("ticker", number(message.event_time).map(us)),
        "24hrTicker" => (POLLED_TICKER, number(message.event_time).map(us)),
        "24hrMiniTicker" => ("miniTicker", number(message.event_time).map(us)),
        "kline" => return kline(message, value, reading),
        "serverShutdown" => return reading.notice(Said::Leave("serverShutdown".to_owned())),
        _ => return reading.unknown("no message of a stream that this function has", value),
    };
    match (message.s.as_deref(), id) {
        (Some(symbol), Some(id)) => {
            if let Some(series) = reading.series(symbol, stream) {
                reading.record(series, id, value);
            }
        }
        _ => reading.unknown("no symbol or no id", value),
    }
}

/// Only a final kline is a record; the others show that the stream is alive.
fn kline(message: &Message<'_>, value: &[u8], reading: &mut Reading<'_>) {
    let kline: Option<Kline<'_>> = message.k.and_then(|kline| serde_json::from_str(kline.get()).ok());
    let (Some(symbol), Some(kline)) = (message.s.as_deref(), kline) else {
        return reading.unknown("no kline", value);
    };
    let (Some(open), Some(length_ms)) = (integer(kline.t), interval_ms(&kline.i)) else {
        return reading.unknown("no kline of a length that this function has", value);
    };
    let Some(series) = reading.series(symbol, &format!("kline_{}", kline.i)) else { return };
    match kline.x {
        true => reading.record(series, us(open) / 1000 / length_ms, value),
        false => reading.heard(series, None),
    }
}

/// Answers to subscriptions, and refusals.
fn without_event(message: &Message<'_>, value: &[u8], reading: &mut Reading<'_>) {
    if let Some(words) = &message.msg {
        let code = message.code.map_or("none", RawValue::get);
        return reading.notice(Said::Refused(format!("{words} (code {code})")));
    }
    if let Some(error) = message.error {
        return reading.notice(Said::Refused(feed::excerpt(error.get().as_bytes())));
    }
    // A `result` of null is none to serde.
    if message.id.is_none() && message.result.is_none() {
        reading.unknown("neither a message of a stream nor an answer", value);
    }
}

/// In microseconds, whether it was in these or in milliseconds: 10^14 ms is the year 5138.
fn us(time: i64) -> i64 {
    if time.unsigned_abs() < 100_000_000_000_000 { time * 1000 } else { time }
}
