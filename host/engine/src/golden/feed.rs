//! Vectors of feed functions: `subscription`, and `steps`, each a plan, frames, a request or an answer with what must
//! come of it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{GoldenError, difference};
use crate::feed::{Answer, Decoded, Records, Subscription, Verdict, Want};
use crate::{ByteColumn, CallError, Component, FeedFunction, Limits};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// What the vector shows, for its readers.
    #[serde(rename = "about")]
    _about: Option<String>,
    subscription: Subscription,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Subscribe {
        /// The plan, or `{"refused": …}`.
        expect: Value,
    },
    Read {
        frames: Vec<String>,
        expect: Value,
    },
    Ask {
        want: Want,
        expect: Value,
    },
    /// An answer to the first request for what is wanted.
    Decode {
        want: Want,
        status: u16,
        #[serde(default)]
        headers: Vec<(String, String)>,
        body: String,
        expect: Value,
    },
}

/// Takes the vector's steps and compares what each gives with what the vector expects.
pub fn run_feed(component: &Component, limits: Limits, vector: &str) -> Result<(), GoldenError> {
    let Vector { subscription, steps, .. } = serde_json::from_str(vector)?;
    let failed = |at: &str, error| GoldenError::Call { step: at.to_owned(), error };
    let mut function = FeedFunction::new(component, limits).map_err(|error| failed("start", error))?;
    for (index, step) in steps.into_iter().enumerate() {
        let (at, expect, found) = match step {
            Step::Subscribe { expect } => (
                format!("step {index}, subscribe"),
                expect,
                function.plan(&subscription).map(|plan| json!(plan)),
            ),
            Step::Read { frames, expect } => {
                let frames: ByteColumn = frames.into_iter().collect();
                let arrived = function.read(&subscription, &frames).map(|arrived| {
                    json!({
                        "records": shown(&arrived.records),
                        "heard": arrived.heard,
                        "notices": arrived.notices,
                    })
                });
                (format!("step {index}, read"), expect, arrived)
            }
            Step::Ask { want, expect } => {
                let request = function.ask(&subscription, want).map(|request| json!(request));
                (format!("step {index}, ask"), expect, request)
            }
            Step::Decode { want, status, headers, body, expect } => {
                let at = format!("step {index}, decode");
                let request = function.ask(&subscription, want).map_err(|error| failed(&at, error))?;
                let answer = Answer { status, headers, body: body.into_bytes() };
                let decoded = function.answer(&subscription, want, &request, &answer);
                (at, expect, decoded.map(|decoded| shown_decoded(&decoded)))
            }
        };
        let found = match found {
            Ok(found) => found,
            Err(CallError::Refused(why)) => json!({ "refused": why }),
            Err(error) => return Err(failed(&at, error)),
        };
        difference::same(&at, &expect, &found)?;
    }
    Ok(())
}

/// Records as `[symbol, stream, id, value]`.
fn shown(records: &Records) -> Value {
    records
        .iter()
        .map(|(series, id, value)| json!([series.symbol, series.stream, id, String::from_utf8_lossy(value)]))
        .collect()
}

fn shown_decoded(decoded: &Decoded) -> Value {
    let verdict = match &decoded.verdict {
        Verdict::Again(why) => json!({ "again": why }),
        Verdict::Never(why) => json!({ "never": why }),
        Verdict::Page(page) => json!({ "records": shown(&page.records), "next": page.next }),
    };
    let pace = decoded.pace;
    let pace = json!({ "used_weight": pace.used_weight, "wait_us": pace.wait_us, "banned": pace.banned });
    json!({ "verdict": verdict, "pace": pace })
}
