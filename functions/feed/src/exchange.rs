//! What differs from exchange to exchange, and what follows from it.

use tallow_contract::exchange::Trouble;

use crate::names::{Names, check};
use crate::{
    Answer, Arrived, ByteColumn, Decoded, Heard, Notice, Pace, Page, Plan, Refusal, Request, Said, Series,
    Subscription, Verdict, Want, excerpt, refuse,
};

/// An exchange: what is subscribed to, what its frames are, how it is asked, and how it answers.
pub trait Exchange: 'static {
    const NAME: &'static str;
    const VERSION: &'static str;
    const WS_URL: &'static str;
    const REST_URL: &'static str;
    /// Names of the settings that it takes.
    const SETTINGS: &'static [&'static str] = &[];

    /// The plan of a subscription whose names are sound. An error is a mistake in it.
    fn plan(subscription: &Subscription) -> Result<Plan, Refusal>;

    /// What a frame is.
    fn read(subscription: &Subscription, frame: &[u8], reading: &mut Reading<'_>);

    /// The first request for what is wanted; never a poll.
    fn ask(subscription: &Subscription, want: &Want) -> Result<Request, Refusal>;

    /// The records of an answer. An error says what is wrong with it.
    fn page(
        subscription: &Subscription,
        want: &Want,
        request: &Request,
        body: &[u8],
        names: &Names<'_>,
    ) -> Result<Page, Refusal>;

    /// What the exchange says in words; `None` if its answer has none.
    fn said(body: &[u8]) -> Option<String>;

    fn pace(answer: &Answer) -> Pace {
        Pace { wait_us: answer.retry_after_us(), ..Pace::default() }
    }
}

/// Where a frame's content goes.
pub struct Reading<'a> {
    names: &'a Names<'a>,
    frame: u32,
    arrived: &'a mut Arrived,
}

impl Reading<'_> {
    /// The series of a symbol and a stream; `None`, with a notice, if it is not subscribed to.
    pub fn series(&mut self, symbol: &str, stream: &str) -> Option<Series> {
        let series = self.names.series(symbol, stream);
        if series.is_none() {
            let what = format!("{stream} of {symbol}, which was not subscribed to");
            self.notice(Said::Unknown(excerpt(what.as_bytes())));
        }
        series
    }

    pub fn has_stream(&self, stream: &str) -> bool {
        self.names.has_stream(stream)
    }

    pub fn record(&mut self, series: Series, id: i64, value: &[u8]) {
        self.arrived.records.push(series, id, value);
    }

    pub fn heard(&mut self, series: Series, newest: Option<i64>) {
        self.arrived.heard.push(Heard { series, newest });
    }

    pub fn notice(&mut self, said: Said) {
        self.arrived.notices.push(Notice { frame: self.frame, said });
    }

    pub fn unknown(&mut self, why: &str, frame: &[u8]) {
        self.notice(Said::Unknown(format!("{why}: {}", excerpt(frame))));
    }
}

/// What a subscription takes.
pub fn plan<E: Exchange>(subscription: &Subscription) -> Result<Plan, Refusal> {
    check(subscription, E::SETTINGS)?;
    E::plan(subscription)
}

/// What frames hold.
pub fn read<E: Exchange>(subscription: &Subscription, frames: &ByteColumn) -> Result<Arrived, Refusal> {
    check(subscription, E::SETTINGS)?;
    let names = Names::new(subscription);
    let mut arrived = Arrived::default();
    for (frame, bytes) in (0..).zip(frames.iter()) {
        E::read(subscription, bytes, &mut Reading { names: &names, frame, arrived: &mut arrived });
    }
    Ok(arrived)
}

/// The first request for what is wanted.
pub fn ask<E: Exchange>(subscription: &Subscription, want: &Want) -> Result<Request, Refusal> {
    let plan = plan::<E>(subscription)?;
    let series = match want {
        Want::Poll(poll) => {
            let poll = plan.polls.into_iter().nth(*poll as usize);
            return poll.map(|poll| poll.request).ok_or_else(|| "there is no such poll".into());
        }
        Want::Newest(series) => *series,
        Want::Ids(span) if span.first > span.last => refuse!("no ids are wanted"),
        Want::Ids(span) => span.series,
    };
    let known = (series.symbol as usize) < subscription.symbols.len();
    match plan.streams.get(series.stream as usize) {
        Some(stream) if known && stream.refetch => E::ask(subscription, want),
        Some(_) if known => refuse!("{} cannot be requested", subscription.stream(series)),
        _ => refuse!("there is no such series"),
    }
}

/// What the answer to a request means.
pub fn answer<E: Exchange>(
    subscription: &Subscription,
    want: &Want,
    request: &Request,
    answer: &Answer,
) -> Result<Decoded, Refusal> {
    check(subscription, E::SETTINGS)?;
    let names = Names::new(subscription);
    let verdict = match answer.trouble(E::said) {
        Some(Trouble::Again(why)) => Verdict::Again(why),
        Some(Trouble::Never(why)) => Verdict::Never(why),
        None => match E::page(subscription, want, request, &answer.body, &names) {
            Ok(page) => Verdict::Page(page),
            Err(why) => Verdict::Again(why.into()),
        },
    };
    Ok(Decoded { verdict, pace: E::pace(answer) })
}
