//! A feed from its start to its end: what Kafka holds, the sockets, the requests, and what flows from them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tallow_engine::feed::{Arrived, Plan, Said, Series, Span, Want};
use tallow_engine::{ByteColumn, FeedFunction};
use tallow_env::{Clock, Ticks};
use tallow_produce::{Progress as Sent, Sender, Summary};

use crate::asks::{Asks, Done};
use crate::counts::Counts;
use crate::dial::SocketError;
use crate::error::FeedError;
use crate::flow::Flow;
use crate::requests::Requests;
use crate::series::Need;
use crate::services::Services;
use crate::slot::Id;
use crate::socket::Event;
use crate::sockets::Sockets;
use crate::start;
use crate::tail::{self, TailError};

/// How long to wait for events at once.
const SLICE: Duration = Duration::from_millis(20);
/// How long the last records may take to be acknowledged.
const LAST_ANSWERS: Duration = Duration::from_secs(8);
/// How often frames that are not known are shown.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Runs until `watch`, which is called a few times a second, says stop.
///
/// # Errors
/// Mistakes in what is asked for, Kafka does not take a record, the function breaks its contract at the start. An
/// exchange that is away or talks nonsense is none.
pub fn run(
    mut services: Services,
    watch: &mut dyn FnMut(Sent, &Counts) -> ControlFlow<()>,
) -> Result<Summary, FeedError> {
    let plan = start::planned(&mut services)?;
    let sink = start::lossless(&services.sink);
    let progress = services.progress.clone();
    let mut told = |sent: Sent| {
        let counts = progress.change(|counts| {
            counts.records = sent.records;
            counts.clone()
        });
        watch(sent, &counts)
    };
    let clock = services.clock.clone();
    let sender = Sender::new(&sink, None, None, &*clock, &mut told)?;
    let found = tail::find(&sink, &*clock, &mut services.function, &services.subscription, &plan);
    let found = found.map_err(|error| match error {
        TailError::Produce(error) => error.into(),
        TailError::Function(error) => services.wrong("read", error),
    })?;
    let flow = Flow {
        trackers: start::trackers(&services, &plan, &found),
        subscription: &services.subscription,
        sender,
        progress: services.progress.clone(),
        clock: clock.clone(),
        stopped: false,
    };
    let machine = |error: std::io::Error| FeedError::Machine {
        feed: services.name.clone(),
        why: format!("cannot start a thread: {error}"),
    };
    let random = services.random.clone();
    let sockets = Sockets::new(
        &plan,
        services.ws_url.clone(),
        services.dial.clone(),
        clock.clone(),
        random.clone(),
        services.progress.clone(),
    )
    .map_err(machine)?;
    let requests = Requests::new(
        Asks::new(plan.weight, services.limits.patience),
        services.rest_url.clone(),
        services.http.clone(),
        clock.clone(),
        random,
        services.progress.clone(),
    )
    .map_err(machine)?;
    let polls = vec![Ticks(0); plan.polls.len()];
    let mut feed = Feed {
        name: services.name.clone(),
        function: &mut services.function,
        plan,
        flow,
        sockets,
        requests,
        polls,
        told: None,
        clock: services.clock.clone(),
    };
    while feed.turn()?.is_continue() {}
    let Feed { flow, sockets, .. } = feed;
    drop(sockets);
    flow.tally();
    Ok(flow.sender.finish_within(LAST_ANSWERS)?)
}

struct Feed<'a> {
    name: String,
    function: &'a mut FeedFunction,
    plan: Plan,
    flow: Flow<'a>,
    sockets: Sockets,
    requests: Requests,
    /// When each poll is due.
    polls: Vec<Ticks>,
    /// When a frame that is not known was last shown.
    told: Option<Ticks>,
    clock: Arc<dyn Clock>,
}

impl Feed<'_> {
    /// Takes what has come, and does what is due.
    fn turn(&mut self) -> Result<ControlFlow<()>, FeedError> {
        let events = self.sockets.events(SLICE);
        if self.take(events)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let subscription = self.flow.subscription;
        for done in self.requests.turn(self.function, subscription) {
            if self.done(done)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let sockets = &self.sockets;
        for (series, need) in self.flow.due(|series| sockets.is_connected(series))? {
            self.need(series, need)?;
        }
        self.poll();
        self.sockets.due(self.clock.ticks());
        self.flow.tally();
        Ok(self.flow.sender.serve()?)
    }

    fn take(&mut self, events: Vec<(Id, Event)>) -> Result<ControlFlow<()>, FeedError> {
        let mut frames: BTreeMap<Id, ByteColumn> = BTreeMap::new();
        let mut closed = Vec::new();
        let now = self.clock.ticks();
        // The bytes stay reserved until they are sent on.
        let mut permits = Vec::new();
        for (id, event) in events {
            match event {
                Event::Opened => self.sockets.opened(id, now),
                Event::Frame(bytes, permit) => {
                    frames.entry(id).or_default().push(Some(&bytes));
                    permits.push(permit);
                }
                Event::Closed(why) => closed.push((id, why)),
            }
        }
        for (id, frames) in frames {
            for arrived in self.read(&frames) {
                if self.arrived(id, arrived)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        for (id, why) in closed {
            if let SocketError::Guard(error) = &why
                && why.is_forbidden()
            {
                return Err(FeedError::Http { feed: self.name.clone(), error: error.clone() });
            }
            self.sockets.closed(id, &why, now);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A frame on which the function breaks is set aside: whatever was in it is missing, and is requested.
    fn read(&mut self, frames: &ByteColumn) -> Vec<Arrived> {
        let subscription = self.flow.subscription;
        if let Ok(arrived) = self.function.read(subscription, frames) {
            return vec![arrived];
        }
        let mut all = Vec::new();
        for frame in frames.iter() {
            match self.function.read(subscription, &ByteColumn::from_iter([frame])) {
                Ok(arrived) => all.push(arrived),
                Err(error) => self.unknown(&format!("the function cannot read a frame: {error}")),
            }
        }
        all
    }

    fn arrived(&mut self, id: Id, arrived: Arrived) -> Result<ControlFlow<()>, FeedError> {
        let now = self.clock.ticks();
        if !arrived.records.ids.is_empty() || !arrived.heard.is_empty() {
            self.sockets.data(id);
        }
        let flowing = self.flow.take(arrived.records.iter())?;
        for heard in &arrived.heard {
            if let Some(tracker) = self.flow.trackers.get_mut(&heard.series) {
                tracker.alive(heard.newest, now);
            }
        }
        for notice in arrived.notices {
            match notice.said {
                Said::Reply(text) => {
                    if !self.sockets.reply(id, text) {
                        tracing::warn!("the exchange takes no replies: one is dropped");
                    }
                }
                Said::Leave(why) => {
                    tracing::info!(why, "the exchange asks to leave the connection");
                    self.sockets.leave_socket(id);
                }
                Said::Refused(why) => {
                    self.flow.progress.change(|counts| counts.refusals += 1);
                    let step = "the exchange refuses what it was asked for";
                    self.sockets.closed(id, &SocketError::Failed { step, why }, now);
                }
                Said::Unknown(why) => self.unknown(&why),
            }
        }
        Ok(flowing)
    }

    fn unknown(&mut self, why: &str) {
        self.flow.progress.change(|counts| counts.unknown += 1);
        let now = self.clock.ticks();
        if self.told.is_none_or(|told| now.since(told) >= TELL_EVERY) {
            self.told = Some(now);
            tracing::warn!(why, "a frame is set aside; it is shown once a minute, and all are counted");
        }
    }

    fn need(&mut self, series: Series, need: Need) -> Result<(), FeedError> {
        let (symbol, stream) = (self.flow.subscription.symbol(series), self.flow.subscription.stream(series));
        let want = match need {
            Need::Ids { first, last, behind } => {
                if behind {
                    tracing::warn!(
                        symbol,
                        stream,
                        "the connection is silent about ids that the exchange has"
                    );
                    self.sockets.leave(series);
                }
                Want::Ids(Span { series, first, last })
            }
            Need::Newest => Want::Newest(series),
            Need::Reconnect => {
                tracing::warn!(symbol, stream, "nothing was heard for too long: connecting again");
                self.sockets.leave(series);
                return Ok(());
            }
        };
        if let Err(error) = self.requests.want(self.function, self.flow.subscription, want) {
            let done = Done { want, records: Vec::new(), trouble: Some(error.to_string()) };
            // A stop is seen in the next turn.
            let _ = self.done(done)?;
        }
        Ok(())
    }

    fn done(&mut self, done: Done) -> Result<ControlFlow<()>, FeedError> {
        let Done { want, records, trouble } = done;
        if let Some(why) = &trouble {
            tracing::error!(why, "{} cannot be requested", self.shown(want));
        }
        match want {
            Want::Ids(Span { series, first, last }) => {
                let of_series = records.into_iter().filter(|record| record.0 == series);
                let records = of_series.map(|(_, id, value)| (id, value)).collect();
                let why = trouble.as_deref().unwrap_or("the exchange does not have them");
                Ok(self.flow.filled(series, (first, last), records, why)?)
            }
            Want::Newest(series) => {
                let newest = records.iter().filter(|record| record.0 == series).map(|record| record.1).max();
                if let Some(tracker) = self.flow.trackers.get_mut(&series) {
                    tracker.newest(newest, self.clock.ticks());
                }
                Ok(ControlFlow::Continue(()))
            }
            Want::Poll(_) => {
                let records = records.iter().map(|(series, id, value)| (*series, *id, value.as_slice()));
                Ok(self.flow.take(records)?)
            }
        }
    }

    fn shown(&self, want: Want) -> String {
        let of = |series| {
            format!("{} of {}", self.flow.subscription.stream(series), self.flow.subscription.symbol(series))
        };
        match want {
            Want::Ids(span) => format!("ids {} to {}, {}", span.first, span.last, of(span.series)),
            Want::Newest(series) => format!("the newest id, {},", of(series)),
            Want::Poll(_) => "what is polled".to_owned(),
        }
    }

    fn poll(&mut self) {
        let now = self.clock.ticks();
        for poll in 0..self.polls.len() {
            if now < self.polls[poll] {
                continue;
            }
            self.polls[poll] = Ticks(now.0.saturating_add(self.plan.polls[poll].period_us));
            let want = Want::Poll(poll as u32);
            if let Err(error) = self.requests.want(self.function, self.flow.subscription, want) {
                tracing::error!(%error, "what is polled cannot be requested");
            }
        }
    }
}
