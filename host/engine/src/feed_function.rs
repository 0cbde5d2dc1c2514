//! A feed function: what to subscribe to at an exchange, what its frames are, and how it is asked for what is missing.

use wasmtime::Store;
use wasmtime::component::{Component as Code, Linker};

use crate::bindings::{FeedWorld, feed_contract as wit};
use crate::renewed::Renewed;
use crate::sandbox::Sandbox;
use crate::validate;
use crate::{ByteColumn, CallError, Component, Limits, feed as ours};

/// An instance. After an error other than [`CallError::Refused`] the next call makes a new one.
pub struct FeedFunction {
    instance: Renewed<FeedWorld>,
}

impl FeedFunction {
    pub fn new(component: &Component, limits: Limits) -> Result<Self, CallError> {
        let instantiate = |store: &mut Store<Sandbox>, code: &Code, linker: &Linker<Sandbox>| {
            FeedWorld::instantiate(store, code, linker)
        };
        Ok(Self { instance: Renewed::new(component, limits, instantiate)? })
    }

    /// What the component says about itself.
    pub fn describe(&mut self) -> Result<ours::Description, CallError> {
        self.call(|guest, store| guest.call_describe(store).map(Ok)).map(Into::into)
    }

    /// What a subscription takes.
    pub fn plan(&mut self, subscription: &ours::Subscription) -> Result<ours::Plan, CallError> {
        let wanted = subscription.clone().into();
        let plan: ours::Plan = self.call(|guest, store| guest.call_subscribe(store, &wanted))?.into();
        check_plan(&plan, subscription).map_err(CallError::Contract)?;
        Ok(plan)
    }

    /// What frames hold.
    pub fn read(
        &mut self,
        subscription: &ours::Subscription,
        frames: &ByteColumn,
    ) -> Result<ours::Arrived, CallError> {
        let wanted = subscription.clone().into();
        let arrived: ours::Arrived =
            self.call(|guest, store| guest.call_read(store, &wanted, frames))?.into();
        check_arrived(&arrived, frames.len(), subscription).map_err(CallError::Contract)?;
        Ok(arrived)
    }

    /// The first request for what is wanted.
    pub fn ask(
        &mut self,
        subscription: &ours::Subscription,
        want: ours::Want,
    ) -> Result<ours::Request, CallError> {
        let wanted = subscription.clone().into();
        let request: ours::Request =
            self.call(|guest, store| guest.call_ask(store, &wanted, want.into()))?.into();
        check_request(&request).map_err(CallError::Contract)?;
        Ok(request)
    }

    /// What the answer to a request means, and what it says about the pace.
    pub fn answer(
        &mut self,
        subscription: &ours::Subscription,
        want: ours::Want,
        request: &ours::Request,
        answer: &ours::Answer,
    ) -> Result<ours::Decoded, CallError> {
        let (wanted, asked, got) =
            (subscription.clone().into(), request.clone().into(), answer.clone().into());
        let decoded: ours::Decoded =
            self.call(|guest, store| guest.call_decode(store, &wanted, want.into(), &asked, &got))?.into();
        if let ours::Verdict::Page(page) = &decoded.verdict {
            check_records(&page.records, subscription).map_err(CallError::Contract)?;
            page.next.iter().try_for_each(check_request).map_err(CallError::Contract)?;
        }
        Ok(decoded)
    }

    fn call<T>(
        &mut self,
        f: impl FnOnce(&wit::Guest, &mut Store<Sandbox>) -> wasmtime::Result<Result<T, String>>,
    ) -> Result<T, CallError> {
        self.instance.call(|world, store| f(world.tallow_feed_feed(), store))
    }
}

fn check_plan(plan: &ours::Plan, subscription: &ours::Subscription) -> Result<(), String> {
    let (streams, wanted) = (plan.streams.len(), subscription.streams.len());
    if streams != wanted {
        return Err(format!("a plan of {streams} streams for {wanted}"));
    }
    for connection in &plan.connections {
        validate::path(connection.path.split('?').next().unwrap_or_default())?;
        connection.carries.iter().try_for_each(|series| check_series(*series, subscription))?;
    }
    for poll in &plan.polls {
        check_request(&poll.request)?;
        if poll.period_us < 100_000 {
            return Err(format!("a poll each {} µs: at least 100,000 are between two", poll.period_us));
        }
    }
    if plan.connections.is_empty() && plan.polls.is_empty() {
        return Err("a plan without a connection and without a poll".to_owned());
    }
    if plan.life_us == 0 || plan.silence_us == 0 || plan.attempts == 0 || plan.weight == 0 {
        return Err("a plan with a life, silence, attempts or weight of 0".to_owned());
    }
    Ok(())
}

fn check_request(request: &ours::Request) -> Result<(), String> {
    validate::path(&request.path)
}

fn check_series(series: ours::Series, subscription: &ours::Subscription) -> Result<(), String> {
    let known = (series.symbol as usize) < subscription.symbols.len()
        && (series.stream as usize) < subscription.streams.len();
    if known { Ok(()) } else { Err(format!("{series:?} is not one of the subscription")) }
}

fn check_records(records: &ours::Records, subscription: &ours::Subscription) -> Result<(), String> {
    validate::byte_column("values", &records.values)?;
    let values = records.values.len();
    if records.series.len() != values || records.ids.len() != values || !records.values.nulls.is_empty() {
        let (series, ids) = (records.series.len(), records.ids.len());
        return Err(format!("{values} values with {series} series and {ids} ids, or a null among them"));
    }
    records.series.iter().try_for_each(|series| check_series(*series, subscription))
}

fn check_arrived(
    arrived: &ours::Arrived,
    frames: usize,
    subscription: &ours::Subscription,
) -> Result<(), String> {
    check_records(&arrived.records, subscription)?;
    arrived.heard.iter().try_for_each(|heard| check_series(heard.series, subscription))?;
    match arrived.notices.iter().find(|notice| notice.frame as usize >= frames) {
        Some(notice) => Err(format!("a notice of frame {} of {frames}", notice.frame)),
        None => Ok(()),
    }
}
