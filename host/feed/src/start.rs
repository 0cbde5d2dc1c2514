//! What a feed decides once, before anything flows: its plan, its producer, and where each series continues.

use std::collections::BTreeMap;
use std::time::Duration;

use tallow_engine::feed::{Law, Plan, Series};
use tallow_produce::SinkConfig;

use crate::error::FeedError;
use crate::series::Tracker;
use crate::services::Services;
use crate::tail::Found;

/// The plan, with what the settings say instead.
pub fn planned(services: &mut Services) -> Result<Plan, FeedError> {
    let mut plan = match services.function.plan(&services.subscription) {
        Ok(plan) => plan,
        Err(error) => return Err(services.wrong("subscribe", error)),
    };
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let limits = &services.limits;
    plan.weight = limits.weight.unwrap_or(plan.weight);
    plan.life_us = limits.life.map_or(plan.life_us, us);
    if let Some(quiet) = limits.quiet {
        plan.streams.iter_mut().for_each(|stream| stream.quiet_us = us(quiet));
    }
    if let Some(poll) = plan.polls.iter().find(|poll| poll.request.weight > plan.weight) {
        let why = format!("a poll weighs {}, and {} a minute are allowed", poll.request.weight, plan.weight);
        return Err(FeedError::Settings { feed: services.name.clone(), why });
    }
    Ok(plan)
}

/// A record that is given up after some minutes, while later ones go, would be a hole: they wait without an end.
pub fn lossless(sink: &SinkConfig) -> SinkConfig {
    let mut sink = sink.clone();
    if !["message.timeout.ms", "delivery.timeout.ms"].iter().any(|key| sink.client.contains_key(*key)) {
        sink.client.insert("message.timeout.ms".to_owned(), "0".to_owned());
    }
    sink
}

pub fn trackers(services: &Services, plan: &Plan, found: &Found) -> BTreeMap<Series, Tracker> {
    let now = services.clock.ticks();
    let mut trackers = BTreeMap::new();
    for (stream, stream_plan) in (0..).zip(&plan.streams) {
        for symbol in 0..services.subscription.symbols.len() as u32 {
            let series = Series { symbol, stream };
            let last = found.last(series).filter(|_| stream_plan.law != Law::None);
            if stream_plan.law == Law::Dense {
                tell_begin(services, series, found, last);
            }
            trackers.insert(series, Tracker::new(*stream_plan, services.limits.most_ids, last, now));
        }
    }
    trackers
}

fn tell_begin(services: &Services, series: Series, found: &Found, last: Option<i64>) {
    let (symbol, stream) = (services.subscription.symbol(series), services.subscription.stream(series));
    match (last, found.looked) {
        (Some(last), _) => {
            tracing::info!(symbol, stream, "continues after id {last}, the last one in the topic")
        }
        (None, None) => tracing::info!(symbol, stream, "begins with the first id that comes"),
        (None, Some(looked)) => tracing::warn!(
            symbol,
            stream,
            "begins with the first id that comes: it is not among the last {looked} records of each partition"
        ),
    }
    let lacking = found.lacking(series);
    let ids: u64 = lacking.iter().map(|(first, last)| last.abs_diff(*first) + 1).sum();
    if let Some((first, last)) = lacking.first() {
        tracing::warn!(
            symbol,
            stream,
            "the topic lacks {ids} ids before its last one, first {first} to {last}: the feed adds nothing there, and the \
             windows count them as missing; `tallow backfill` fetches candles"
        );
        services.progress.change(|counts| counts.lacking_ids += ids);
    }
}
