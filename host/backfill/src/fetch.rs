//! Asking an exchange: within its allowance, again where that helps, and no longer than it makes sense.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use tallow_engine::{
    BackfillAnswer, BackfillData, BackfillFunction, BackfillMethod, BackfillOptions, BackfillRequest,
    CallError, Pace, Span, Verdict,
};
use tallow_env::{Backoff, Clock, Random};
use tallow_http::{Budget, Http, HttpError, Method, Request};

use super::Spans;
use super::progress::Progress;

const PAUSES: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
/// An exchange that asks for a longer wait than that has shut its door: better to come again another time.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Why there is no answer.
#[derive(Debug)]
pub enum FetchError {
    /// This symbol cannot be had from this exchange.
    Never(String),
    /// The exchange does not answer, or not usefully. May pass.
    Away(String),
    /// What was asked for is wrong, or leads where it must not.
    Http(HttpError),
    Function(CallError),
    Stopped,
}

/// What the exchange gave for some spans.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Messages for the parse function, each with what its request covers.
    pub records: Vec<(Vec<u8>, (i64, i64))>,
    pub proved: Spans,
    pub no_data: Spans,
    /// The answers as they came, with what was asked.
    pub answers: Vec<(String, Bytes)>,
}

pub struct Fetcher {
    pub http: Arc<dyn Http>,
    pub function: BackfillFunction,
    pub base_url: String,
    pub budget: Budget,
    pub attempts: u32,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub stop: Arc<AtomicBool>,
    pub progress: Arc<Progress>,
}

impl Fetcher {
    /// The requests that bring the spans, and what they weigh.
    pub fn plan(
        &mut self,
        options: &BackfillOptions,
        spans: &Spans,
    ) -> Result<Vec<BackfillRequest>, FetchError> {
        let Some((from_us, to_us)) = spans.hull() else { return Ok(Vec::new()) };
        let wanted = Spans::one(from_us, to_us);
        let covered = wanted.without(spans);
        self.function.plan(options, &in_words(&wanted), &in_words(&covered)).map_err(FetchError::Function)
    }

    /// Fetches everything that the spans hold.
    pub fn fetch(&mut self, options: &BackfillOptions, spans: &Spans) -> Result<Fetched, FetchError> {
        let mut left: VecDeque<BackfillRequest> = self.plan(options, spans)?.into();
        let mut fetched = Fetched::default();
        while let Some(request) = left.pop_front() {
            let (data, body) = self.ask(options, &request)?;
            let covers = (request.covers.from_us, request.covers.to_us);
            let rows: Vec<Vec<u8>> = data.records.iter().map(<[u8]>::to_vec).collect();
            self.progress.answered(rows.len() as u64);
            fetched.records.extend(rows.into_iter().map(|record| (record, covers)));
            fetched.proved = fetched.proved.union(&of_words(&data.proved));
            fetched.no_data = fetched.no_data.union(&of_words(&data.no_data));
            fetched.answers.push((shown(&request), body));
            data.next.into_iter().rev().for_each(|next| left.push_front(next));
        }
        Ok(fetched)
    }

    /// Asks until there is an answer with data in it.
    fn ask(
        &mut self,
        options: &BackfillOptions,
        request: &BackfillRequest,
    ) -> Result<(BackfillData, Bytes), FetchError> {
        let asked = self.in_http(request);
        let (mut pauses, mut why) = (PAUSES, String::new());
        for attempt in 0..self.attempts {
            if attempt > 0 {
                tracing::warn!(request = shown(request), why, attempt, "asking again");
                self.wait(pauses.jittered(&*self.random))?;
            }
            self.wait_for_allowance(request.weight)?;
            self.progress.asked(attempt > 0);
            let response = match self.http.send(&asked) {
                Ok(response) => response,
                Err(error) if error.is_transient() => {
                    why = error.to_string();
                    continue;
                }
                Err(error @ HttpError::TooLarge { .. }) => return Err(FetchError::Away(error.to_string())),
                Err(error) => return Err(FetchError::Http(error)),
            };
            let answer = BackfillAnswer {
                status: response.status,
                headers: response.headers_in_seconds(self.clock.now_us()),
                body: response.body.to_vec(),
            };
            let (verdict, pace) =
                self.function.decode(options, request, &answer).map_err(FetchError::Function)?;
            self.keep_pace(pace)?;
            match verdict {
                Verdict::Data(data) => return Ok((data, response.body)),
                Verdict::Again(reason) => why = reason,
                Verdict::Never(reason) => return Err(FetchError::Never(reason)),
            }
        }
        Err(FetchError::Away(format!(
            "{} tries of {} failed, the last: {why}",
            self.attempts,
            shown(request)
        )))
    }

    fn in_http(&self, request: &BackfillRequest) -> Request {
        let method = match request.method {
            BackfillMethod::Get => Method::Get,
            BackfillMethod::Post => Method::Post,
        };
        let asked = Request::at(method, &self.base_url, &request.path, &request.query);
        Request { headers: request.headers.clone(), body: request.body.clone().into(), ..asked }
    }

    fn wait_for_allowance(&mut self, weight: u32) -> Result<(), FetchError> {
        loop {
            let wait = self.budget.take(weight, self.clock.ticks());
            if wait.is_zero() {
                return Ok(());
            }
            self.wait(wait)?;
        }
    }

    fn keep_pace(&mut self, pace: Pace) -> Result<(), FetchError> {
        let now = self.clock.ticks();
        if let Some(weight) = pace.used_weight {
            self.budget.used(weight, now);
        }
        if pace.banned {
            tracing::error!(base_url = self.base_url, "the exchange has shut us out for asking too much");
        }
        if let Some(us) = pace.wait_us {
            let wait = Duration::from_micros(us);
            if wait > LONGEST_WAIT {
                let wait = wait.as_secs();
                return Err(FetchError::Away(format!(
                    "it asks to be left alone for {wait} s: run again after that"
                )));
            }
            self.budget.shut(wait, now);
        }
        Ok(())
    }

    fn wait(&self, whole: Duration) -> Result<(), FetchError> {
        if self.clock.sleep_unless(&self.stop, whole) { Ok(()) } else { Err(FetchError::Stopped) }
    }
}

/// A request for people and logs.
fn shown(request: &BackfillRequest) -> String {
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}", request.path, query.join("&"))
}

fn in_words(spans: &Spans) -> Vec<Span> {
    spans.iter().map(|(from_us, to_us)| Span { from_us, to_us }).collect()
}

fn of_words(spans: &[Span]) -> Spans {
    spans.iter().map(|span| (span.from_us, span.to_us)).collect()
}
