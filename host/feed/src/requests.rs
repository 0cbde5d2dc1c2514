//! Requests to the exchange's REST API, in a thread beside the sockets.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use tallow_engine::feed::{Answer, Decoded, Subscription, Verdict, Want};
use tallow_engine::{CallError, FeedFunction};
use tallow_env::{Clock, Random};
use tallow_http::{Http, HttpError, Method, Request, Response};

use crate::asks::{Asks, Done};
use crate::counts::Progress;

pub struct Requests {
    pub asks: Asks,
    base_url: String,
    jobs: Sender<Request>,
    answers: Receiver<Result<Response, HttpError>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    progress: Arc<Progress>,
}

impl Requests {
    pub fn new(
        asks: Asks,
        base_url: String,
        http: Arc<dyn Http>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        progress: Arc<Progress>,
    ) -> std::io::Result<Self> {
        let (jobs, taken) = bounded::<Request>(1);
        let (given, answers) = bounded(1);
        // It ends after the request that it is at, once nobody has another one.
        std::thread::Builder::new().name("feed-requests".to_owned()).spawn(move || {
            for request in taken {
                if given.send(http.send(&request)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { asks, base_url, jobs, answers, clock, random, progress })
    }

    /// Wants something, unless it is wanted already.
    ///
    /// # Errors
    /// The function has no request for it.
    pub fn want(
        &mut self,
        function: &mut FeedFunction,
        subscription: &Subscription,
        want: Want,
    ) -> Result<(), CallError> {
        if !self.asks.has(want) {
            let request = function.ask(subscription, want)?;
            self.asks.push(want, request, self.clock.ticks());
        }
        Ok(())
    }

    /// Sends what may be sent, and takes an answer. Gives what is done with.
    pub fn turn(&mut self, function: &mut FeedFunction, subscription: &Subscription) -> Vec<Done> {
        let now = self.clock.ticks();
        let mut done: Vec<Done> = std::iter::from_fn(|| self.asks.given_up(now)).collect();
        if let Ok(answer) = self.answers.try_recv() {
            done.extend(self.answered(function, subscription, answer));
        }
        if let Some(ask) = self.asks.next(now) {
            let asked = Request::at(Method::Get, &self.base_url, &ask.request.path, &ask.request.query);
            let request = Request { headers: ask.request.headers.clone(), ..asked };
            self.progress.change(|counts| counts.requests += 1);
            // One is on its way at most, so there is room; the thread ends after this sender.
            let _ = self.jobs.send(request);
        }
        done
    }

    fn answered(
        &mut self,
        function: &mut FeedFunction,
        subscription: &Subscription,
        answer: Result<Response, HttpError>,
    ) -> Option<Done> {
        let now = self.clock.ticks();
        let response = match answer {
            Ok(response) => response,
            Err(error) if error.is_transient() => return self.again(&error.to_string()),
            Err(error) => return self.asks.never(error.to_string()),
        };
        let ask = self.asks.out()?;
        let answer = Answer {
            status: response.status,
            headers: response.headers_in_seconds(self.clock.now_us()),
            body: response.body.to_vec(),
        };
        let Decoded { verdict, pace } = match function.answer(subscription, ask.want, &ask.request, &answer) {
            Ok(decoded) => decoded,
            Err(error) => return self.again(&format!("the function cannot read the answer: {error}")),
        };
        if pace.banned {
            tracing::error!(base_url = self.base_url, "the exchange has shut us out for asking too much");
        }
        self.asks.used(pace.used_weight, pace.wait_us.map(Duration::from_micros), now);
        match verdict {
            Verdict::Page(page) => self.asks.page(page, now),
            Verdict::Again(why) => self.again(&why),
            Verdict::Never(why) => self.asks.never(why),
        }
    }

    fn again(&mut self, why: &str) -> Option<Done> {
        let path = self.asks.out().map(|ask| ask.request.path.clone()).unwrap_or_default();
        tracing::warn!(path, why, "{}: asking again", self.base_url);
        self.progress.change(|counts| counts.retries += 1);
        self.asks.again(why, self.clock.ticks(), &*self.random)
    }
}
