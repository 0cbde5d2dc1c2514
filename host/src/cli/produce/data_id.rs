//! `--format data-id`: four messages a minute, those of the past at once.

use tallow_produce::{DataIds, Message, Pace, Summary};

use super::{Args, Run};
use crate::cli::Failure;

pub fn send(args: &Args, run: &mut Run<'_>) -> Result<Summary, Failure> {
    if args.rate.is_some() {
        return Err(Failure::usage("--format data-id has a pace: four messages a minute; leave --rate out"));
    }
    let most = usize::try_from(args.messages.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let now_us = run.clock.now_us();
    let messages = DataIds::from(now_us.saturating_sub(args.past.as_micros() as i64)).take(most);
    let (past, rest) = split(messages, now_us);
    let count = past.len();
    let sent = run.send(past.into_iter().map(Ok), Pace::Max)?;
    if sent.stopped || count >= most {
        return Ok(sent);
    }
    run.send(rest.map(Ok), Pace::ByTime { speed: 1.0 })
}

/// Those to send at once, and those to send in their time, of which the first goes now: times count from it.
fn split(
    mut messages: impl Iterator<Item = Message>,
    now_us: i64,
) -> (Vec<Message>, impl Iterator<Item = Message>) {
    let mut past = Vec::new();
    let mut next = messages.next();
    while let Some(message) = next.take_if(|message| message.due_us.is_some_and(|due| due <= now_us)) {
        past.push(message);
        next = messages.next();
    }
    // The last of the past goes now, and the next one when it is due.
    let anchor = match &next {
        Some(_) => past.pop().map(|last| Message { due_us: Some(now_us), ..last }),
        None => None,
    };
    (past, anchor.into_iter().chain(next).chain(messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_goes_at_once_and_the_rest_counts_from_now() {
        let now_us = 1_704_067_230_000_000;
        let (past, rest) = split(DataIds::from(now_us - 60_000_000).take(9), now_us);
        // The last message of a minute ago, this minute's first three; its last one goes now.
        assert_eq!(past.len(), 4);
        let due: Vec<i64> =
            rest.filter_map(|message| message.due_us).map(|due| (due - now_us) / 1_000_000).collect();
        assert_eq!(due, [0, 30, 31, 32, 33]);
        let (past, rest) = split(DataIds::from(now_us).take(1), now_us);
        assert_eq!((past.len(), rest.count()), (1, 0));
    }
}
