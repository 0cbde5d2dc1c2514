//! What differs from exchange to exchange, and what follows from it.

use tallow_contract::exchange::Trouble;
use tallow_contract::{Refusal, refuse};

use crate::page::pages;
use crate::{Answer, Bar, Decoded, Options, Pace, Request, Span, Verdict, bars};

/// How an exchange is asked, and how it answers.
pub trait Exchange: 'static {
    const NAME: &'static str;
    const VERSION: &'static str;
    /// Most bars of an answer.
    const PAGE_BARS: u32;
    /// Whether an answer that is cut off at that many bars is missing the newest of them rather than the oldest.
    const OLDEST_FIRST: bool;
    /// Names of the settings that it takes.
    const SETTINGS: &'static [&'static str] = &[];

    /// Checks that the exchange has bars of that length; the error says which it has.
    fn check_interval(interval_us: i64) -> Result<(), Refusal>;

    /// The request for the bars of a page.
    fn request(options: &Options, page: Span) -> Result<Request, Refusal>;

    /// The bars of an answer, in any order. An error says what is wrong with the answer.
    fn read(options: &Options, body: &[u8]) -> Result<Vec<Bar>, Refusal>;

    /// What the exchange says in words; `None` if its answer has none.
    fn said(body: &[u8]) -> Option<String>;

    fn pace(answer: &Answer) -> Pace {
        Pace { wait_us: answer.retry_after_us(), ..Pace::default() }
    }
}

/// The bars' length; what no clock counts is as long as any.
pub fn interval_us(options: &Options) -> i64 {
    i64::try_from(options.interval_us).unwrap_or(i64::MAX)
}

/// The requests for what is in `wanted` and not in `covered`.
pub fn plan<E: Exchange>(
    options: &Options,
    wanted: &[Span],
    covered: &[Span],
) -> Result<Vec<Request>, Refusal> {
    check::<E>(options)?;
    let pages = pages(wanted, covered, interval_us(options), E::PAGE_BARS);
    pages.into_iter().map(|page| E::request(options, page)).collect()
}

/// What the answer to a request means.
pub fn decode<E: Exchange>(
    options: &Options,
    request: &Request,
    answer: &Answer,
) -> Result<Decoded, Refusal> {
    check::<E>(options)?;
    let verdict = match answer.trouble(E::said) {
        Some(Trouble::Again(why)) => Verdict::Again(why),
        Some(Trouble::Never(why)) => Verdict::Never(why),
        None => {
            let read = E::read(options, &answer.body);
            match read.and_then(|bars| bars::data::<E>(options, request, bars)) {
                Ok(data) => Verdict::Data(data),
                Err(why) => Verdict::Again(why.into()),
            }
        }
    };
    Ok(Decoded { verdict, pace: E::pace(answer) })
}

fn check<E: Exchange>(options: &Options) -> Result<(), Refusal> {
    if let Some((name, _)) = options.settings.iter().find(|(name, _)| !E::SETTINGS.contains(&name.as_str())) {
        let known = if E::SETTINGS.is_empty() { "none".to_owned() } else { E::SETTINGS.join(", ") };
        refuse!("{} has no setting `{name}`; it has {known}", E::NAME);
    }
    if options.interval_us == 0 {
        refuse!("the interval must be longer than zero");
    }
    E::check_interval(interval_us(options))
}
