//! What an answer means. Facts in, decision out.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tallow_http::{HttpError, Response};

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All lines are written.
    Written,
    /// It may work later, `after` so long at the earliest if the server says so. The lines may be written or not.
    Later { why: String, after: Option<Duration> },
    /// The server takes no request of this size.
    TooLarge { why: String },
    /// Lines were refused, others may be written.
    Lines { why: String, which: Which },
    /// The same request will be refused again: a person has to look.
    Refused { why: String },
}

/// Which lines were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// These, from 0, each with why if the server says so. Not empty.
    Known(Vec<(usize, Option<String>)>),
    All,
    /// At least one.
    Unknown,
}

/// The most that is shown of what a server says.
const SHOWN: usize = 300;
/// What servers say if a field had another type before.
const OTHER_TYPE: [&str; 3] = ["field type conflict", "invalid column type", "schema conflict"];

/// `lines`: how many were sent. `now_us`: for a `Retry-After` that is a date.
pub fn judge(answer: &Result<Response, HttpError>, lines: usize, now_us: i64) -> Verdict {
    let response = match answer {
        Ok(response) => response,
        Err(error) if error.is_transient() => return Verdict::Later { why: error.to_string(), after: None },
        Err(HttpError::Redirects { to, .. }) => {
            return Verdict::Refused { why: format!("it redirects to {to}: write that address as `url`") };
        }
        Err(error) => return Verdict::Refused { why: error.to_string() },
    };
    let said = said(response);
    let why = format!("status {}: {said}", response.status);
    match response.status {
        204 => Verdict::Written,
        408 | 425 | 429 | 500..=599 => Verdict::Later { why, after: response.retry_after(now_us) },
        413 => Verdict::TooLarge { why },
        400 | 422 if OTHER_TYPE.iter().any(|words| said.contains(words)) => Verdict::Refused {
            why: format!(
                "{why}. A field of the measurement has another type already, which InfluxDB does not change: was it written by \
                 another program, or under another `decimals` or aggregate? Give `measurement` another name, or remove the old one"
            ),
        },
        400 | 422 => Verdict::Lines { which: which(response, &said, lines), why },
        401 | 403 => Verdict::Refused {
            why: format!(
                "{why}. It does not let us write: correct `token`, or `user` and `password`, or their permissions"
            ),
        },
        404 => Verdict::Refused {
            why: format!(
                "{why}. Create the database or bucket, or correct its name, or `version`: this server may have another write API"
            ),
        },
        200..=299 => Verdict::Refused {
            why: format!(
                "{why}. It answers a write with this status and not 204: is it InfluxDB, or a proxy before it?"
            ),
        },
        _ => Verdict::Refused { why },
    }
}

fn which(response: &Response, said: &str, lines: usize) -> Which {
    let known = numbered(response, lines);
    if !known.is_empty() {
        return Which::Known(known);
    }
    // Version 1 says how many points it dropped, and not which.
    let dropped = said.rsplit_once("dropped=").and_then(|(_, rest)| {
        rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse::<usize>().ok())
    });
    if dropped == Some(lines) { Which::All } else { Which::Unknown }
}

/// The lines that the server numbers: `{"line": 2}`, or `{"data": [{"line_number": 2, "error_message": "…"}]}`.
fn numbered(response: &Response, lines: usize) -> Vec<(usize, Option<String>)> {
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else { return Vec::new() };
    let numbers = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
    let own = numbers(&body["line"]).map(|number| (number, None));
    let data: Vec<&Value> = match &body["data"] {
        Value::Array(items) => items.iter().collect(),
        item => vec![item],
    };
    let of_data = data.into_iter().filter_map(|item| {
        let why = item["error_message"].as_str().map(shown);
        Some((numbers(&item["line_number"])?, why))
    });
    let mut seen = BTreeSet::new();
    let all = own.into_iter().chain(of_data).filter(|(number, _)| (1..=lines).contains(number));
    all.filter(|(number, _)| seen.insert(*number)).map(|(number, why)| (number - 1, why)).collect()
}

/// What the server says, on one line.
fn said(response: &Response) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let json: Option<Value> = serde_json::from_str(&text).ok();
    let named = json.as_ref().and_then(|json| json["message"].as_str().or(json["error"].as_str()));
    shown(named.unwrap_or(&text))
}

fn shown(text: &str) -> String {
    let plain: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match plain.char_indices().nth(SHOWN) {
        None if plain.is_empty() => "it says nothing".to_owned(),
        None => plain,
        Some((end, _)) => format!("{}…", &plain[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Verdict {
        judge(&Ok(Response { status, headers: Vec::new(), body: body.to_owned().into() }), 3, 0)
    }

    #[test]
    fn only_204_says_that_all_is_written() {
        assert_eq!(of(204, ""), Verdict::Written);
        for status in [200, 202, 301, 401, 403, 404, 405, 418] {
            assert!(matches!(of(status, "<html>"), Verdict::Refused { .. }), "{status}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_when_the_server_says() {
        for status in [408, 429, 500, 503] {
            assert!(matches!(of(status, ""), Verdict::Later { after: None, .. }), "{status}");
        }
        let headers = vec![("retry-after".to_owned(), "7".to_owned())];
        let verdict = judge(&Ok(Response { status: 429, headers, body: "".into() }), 3, 0);
        let Verdict::Later { after, .. } = verdict else { panic!("{verdict:?}") };
        assert_eq!(after, Some(Duration::from_secs(7)));
        let lost = HttpError::Broken { origin: "o".to_owned(), why: "cut".to_owned() };
        assert!(matches!(judge(&Err(lost), 3, 0), Verdict::Later { .. }));
        let refused = HttpError::Client { why: "no".to_owned() };
        assert!(matches!(judge(&Err(refused), 3, 0), Verdict::Refused { .. }));
    }

    #[test]
    fn refused_lines_are_those_that_the_server_names() {
        let which = |status, body: &str| match of(status, body) {
            Verdict::Lines { which, .. } => which,
            other => panic!("{other:?}"),
        };
        let v3 = r#"{"error":"parsing failed for write_lp endpoint","data":[{"original_line":"m","line_number":2,
                     "error_message":"no fields"},{"line_number":9}]}"#;
        assert_eq!(which(400, v3), Which::Known(vec![(1, Some("no fields".to_owned()))]));
        let v2 = r#"{"code":"invalid","message":"failure parsing line 3","line":3}"#;
        assert_eq!(which(400, v2), Which::Known(vec![(2, None)]));
        let v1 = |dropped| {
            format!(r#"{{"error":"partial write: points beyond retention policy dropped={dropped}"}}"#)
        };
        assert_eq!((which(400, &v1(3)), which(400, &v1(2))), (Which::All, Which::Unknown));
        assert_eq!(which(422, "nonsense"), Which::Unknown);
    }

    #[test]
    fn a_field_of_another_type_is_for_a_person() {
        let v1 = r#"{"error":"partial write: field type conflict: input field \"open\" … dropped=3"}"#;
        let Verdict::Refused { why } = of(400, v1) else { panic!("{:?}", of(400, v1)) };
        assert!(why.contains("another type already") && why.contains("`measurement`"), "{why}");
    }

    #[test]
    fn what_a_server_says_is_short_and_on_one_line() {
        let Verdict::Refused { why } = of(405, &format!("a\nb{}", "x".repeat(1000))) else { panic!() };
        assert!(why.starts_with("status 405: a bx") && why.len() < 400, "{why}");
    }
}
