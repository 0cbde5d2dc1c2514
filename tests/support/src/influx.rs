//! A strict InfluxDB in memory, of each of its write APIs: it refuses what the documentation refuses, and what it leaves to
//! the server (a unit or a time that is not stated, a partial write that is not decided).

mod parse;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

pub use parse::{Field, Line, parse};
use serde_json::json;

use crate::http::{Answer, Handler, Received, Trouble};

/// Which API it has, by which name its database goes, and what a client has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    V1,
    V2,
    V3,
}

pub const DATABASE: &str = "market";
pub const ORG: &str = "tallow";
pub const TOKEN: &str = "a token";

/// Measurement and tags, and the time.
pub type PointKey = (String, BTreeMap<String, String>, i64);

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The write is carried out, and its answer is lost.
    Lost,
    /// The write is carried out, and the answer says that it was not.
    WrittenBut(Answer),
    /// Nothing is written.
    Answer(Answer),
}

#[derive(Debug, Default)]
struct State {
    points: BTreeMap<PointKey, BTreeMap<String, Field>>,
    faults: VecDeque<Fault>,
    writes: u64,
    /// Points older than this are beyond the retention policy, µs.
    keeps_from_us: Option<i64>,
    most_lines: Option<usize>,
}

/// Clones are one server.
#[derive(Clone, Debug)]
pub struct Influx {
    api: Api,
    state: Arc<Mutex<State>>,
}

impl Influx {
    pub fn new(api: Api) -> Self {
        Self { api, state: Arc::default() }
    }

    pub fn handler(&self) -> Handler {
        let server = self.clone();
        Arc::new(move |request| server.answer(request))
    }

    /// The next answers but for those of empty writes.
    pub fn then(&self, faults: impl IntoIterator<Item = Fault>) {
        self.with(|state| state.faults.extend(faults));
    }

    pub fn keeps_from(&self, time_us: i64) {
        self.with(|state| state.keeps_from_us = Some(time_us));
    }

    pub fn takes_lines(&self, most: usize) {
        self.with(|state| state.most_lines = Some(most));
    }

    pub fn points(&self) -> BTreeMap<PointKey, BTreeMap<String, Field>> {
        self.with(|state| state.points.clone())
    }

    /// Requests that had lines.
    pub fn writes(&self) -> u64 {
        self.with(|state| state.writes)
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, request: &Received) -> Answer {
        if let Some(refusal) = self.refuses(request) {
            return refusal;
        }
        self.with(|state| {
            if request.body.is_empty() {
                return if self.api == Api::V1 {
                    Answer::new(204, "")
                } else {
                    error(400, "nothing to write")
                };
            }
            state.writes += 1;
            match state.faults.pop_front() {
                None => self.write(state, request),
                Some(Fault::Answer(answer)) => answer,
                Some(Fault::Lost) => {
                    self.write(state, request);
                    Answer::new(204, "").with_trouble(Trouble::Silent)
                }
                Some(Fault::WrittenBut(answer)) => {
                    self.write(state, request);
                    answer
                }
            }
        })
    }

    /// Who asks, for what, and whether everything is stated.
    fn refuses(&self, request: &Received) -> Option<Answer> {
        let (path, precision, authorization) = match self.api {
            Api::V1 => ("/write", "u", "Basic cmVhZGVyOmEgdG9rZW4=".to_owned()),
            Api::V2 => ("/api/v2/write", "us", format!("Token {TOKEN}")),
            Api::V3 => ("/api/v3/write_lp", "microsecond", format!("Bearer {TOKEN}")),
        };
        let value = |name: &str| request.query_value(name);
        if request.method != "POST" || request.path != path {
            return Some(error(404, "no such path"));
        }
        if request.header("authorization") != Some(&authorization) {
            return Some(error(401, "unauthorized access"));
        }
        let named = match self.api {
            Api::V1 | Api::V3 => value("db").as_deref() == Some(DATABASE),
            Api::V2 => value("bucket").as_deref() == Some(DATABASE) && value("org").as_deref() == Some(ORG),
        };
        if !named {
            return Some(error(404, "database not found"));
        }
        if value("precision").as_deref() != Some(precision) {
            return Some(error(400, "the precision is not stated"));
        }
        if self.api == Api::V3 && value("accept_partial").as_deref() != Some("false") {
            return Some(error(400, "it is not stated whether a write may be partial"));
        }
        None
    }

    fn write(&self, state: &mut State, request: &Received) -> Answer {
        let Ok(text) = std::str::from_utf8(&request.body) else { return error(400, "not UTF-8") };
        let lines: Vec<&str> = text.lines().collect();
        if state.most_lines.is_some_and(|most| lines.len() > most) {
            return error(413, "the request is too large");
        }
        let (mut good, mut bad, mut old) = (Vec::new(), Vec::new(), 0);
        for (at, line) in lines.iter().enumerate() {
            match parse(line) {
                Ok(line) if state.keeps_from_us.is_some_and(|from| line.time < from) => old += 1,
                Ok(line) => good.push((at, line)),
                Err(why) => bad.push((at, why)),
            }
        }
        if let Some(field) = good.iter().find_map(|(_, line)| state.conflict(line)) {
            return error(
                400,
                &format!("partial write: field type conflict: input field \"{field}\" dropped=1"),
            );
        }
        let whole = bad.is_empty() && old == 0;
        if whole || self.api != Api::V3 {
            for (_, Line { measurement, tags, fields, time }) in good {
                // Field by field: one that is not sent stays as it is.
                state.points.entry((measurement, tags, time)).or_default().extend(fields);
            }
        }
        match (self.api, bad.first()) {
            _ if whole => Answer::new(204, ""),
            (Api::V1, Some((_, why))) => {
                error(400, &format!("partial write: unable to parse: {why} dropped={}", bad.len() + old))
            }
            (Api::V2, Some((at, why))) => {
                let body = json!({ "code": "invalid", "message": why, "line": at + 1 });
                Answer::new(400, body.to_string())
            }
            (Api::V3, Some((at, why))) => {
                let data =
                    json!([{ "line_number": at + 1, "error_message": why, "original_line": lines[*at] }]);
                let body = json!({ "error": "parsing failed for write_lp endpoint", "data": data });
                Answer::new(400, body.to_string())
            }
            (_, None) => error(400, &format!("partial write: points beyond retention policy dropped={old}")),
        }
    }
}

impl State {
    /// A field that has another type in its measurement.
    fn conflict(&self, line: &Line) -> Option<String> {
        let others = self.points.iter().filter(|((measurement, ..), _)| *measurement == line.measurement);
        let mut known = others.flat_map(|(_, fields)| fields);
        let other = known.find(|(name, field)| {
            line.fields
                .get(*name)
                .is_some_and(|new| std::mem::discriminant(new) != std::mem::discriminant(*field))
        });
        other.map(|(name, _)| name.clone())
    }
}

fn error(status: u16, why: &str) -> Answer {
    Answer::new(status, json!({ "error": why }).to_string())
}
