//! A backfill function: what an exchange is to be asked, and what its answers mean.

use wasmtime::Store;

use crate::bindings::{BackfillWorld, backfill_contract as wit, types};
use crate::instance::{self, Sandbox};
use crate::validate;
use crate::{BackfillData, BackfillOptions, BackfillRequest, CallError, Component, Limits, Span};

/// What the answer to a request means.
#[derive(Clone, Debug)]
pub enum Verdict {
    Data(BackfillData),
    /// The same request may work later.
    Again(String),
    /// The same request will never work.
    Never(String),
}

pub use wit::Pace;

/// An instance. After an error other than [`CallError::Refused`] the next call makes a new one.
pub struct BackfillFunction {
    component: Component,
    limits: Limits,
    live: Option<(Store<Sandbox>, BackfillWorld)>,
}

impl BackfillFunction {
    pub fn new(component: &Component, limits: Limits) -> Result<Self, CallError> {
        let live = instantiate(component, limits)?;
        Ok(Self { component: component.clone(), limits, live: Some(live) })
    }

    /// What the component says of itself.
    pub fn describe(&mut self) -> Result<wit::Description, CallError> {
        self.call(|guest, store| guest.call_describe(store).map(Ok))
    }

    /// The requests that bring what is in `wanted` and not in `covered`.
    pub fn plan(
        &mut self,
        options: &BackfillOptions,
        wanted: &[Span],
        covered: &[Span],
    ) -> Result<Vec<BackfillRequest>, CallError> {
        let requests = self.call(|guest, store| guest.call_plan(store, options, wanted, covered))?;
        requests.iter().try_for_each(check_request).map_err(CallError::Contract)?;
        Ok(requests)
    }

    /// What the answer to a request means, and what it says about the pace.
    pub fn decode(
        &mut self,
        options: &BackfillOptions,
        request: &BackfillRequest,
        answer: &wit::Answer,
    ) -> Result<(Verdict, Pace), CallError> {
        let decoded = self.call(|guest, store| guest.call_decode(store, options, request, answer))?;
        let verdict = match decoded.verdict {
            wit::Verdict::Data(data) => {
                check_data(&data, request.covers).map_err(CallError::Contract)?;
                Verdict::Data(data)
            }
            wit::Verdict::Again(why) => Verdict::Again(why),
            wit::Verdict::Never(why) => Verdict::Never(why),
        };
        Ok((verdict, decoded.pace))
    }

    fn call<T>(
        &mut self,
        f: impl FnOnce(&wit::Guest, &mut Store<Sandbox>) -> wasmtime::Result<Result<T, String>>,
    ) -> Result<T, CallError> {
        let (mut store, world) = match self.live.take() {
            Some(live) => live,
            None => instantiate(&self.component, self.limits)?,
        };
        instance::arm(&mut store);
        let answer = f(world.tallow_backfill_backfill(), &mut store);
        let answer = answer.map_err(|error| instance::call_error(&store, error))?;
        self.live = Some((store, world));
        answer.map_err(CallError::Refused)
    }
}

fn instantiate(component: &Component, limits: Limits) -> Result<(Store<Sandbox>, BackfillWorld), CallError> {
    let component = component.local()?;
    let mut store = instance::sandbox(component, limits);
    match BackfillWorld::instantiate(&mut store, &component.code, &component.linker) {
        Ok(world) => Ok((store, world)),
        Err(error) => Err(instance::call_error(&store, error)),
    }
}

/// The host puts the manifest's host before the path: nothing may lead to another one.
fn check_request(request: &BackfillRequest) -> Result<(), String> {
    let path = &request.path;
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\'));
    if !path.starts_with('/') || path.starts_with("//") || !plain {
        return Err(format!("a request for `{}`, which is no path", path.escape_default()));
    }
    if request.covers.from_us >= request.covers.to_us {
        return Err("a request that covers nothing".to_owned());
    }
    Ok(())
}

fn check_data(data: &BackfillData, covers: Span) -> Result<(), String> {
    validate::byte_column("records", &data.records)?;
    for span in data.proved.iter().chain(&data.no_data) {
        if span.from_us >= span.to_us || span.from_us < covers.from_us || span.to_us > covers.to_us {
            return Err(format!(
                "an answer that says something of {} to {} µs, which was not asked",
                span.from_us, span.to_us
            ));
        }
    }
    let inside = |inner: &Span| {
        data.proved.iter().any(|outer| outer.from_us <= inner.from_us && inner.to_us <= outer.to_us)
    };
    if !data.no_data.iter().all(inside) {
        return Err("an answer without data for a span that it does not prove".to_owned());
    }
    data.next.iter().try_for_each(check_request)?;
    // Every answer must bring the end nearer, or asking would never end.
    let smaller =
        |next: &BackfillRequest| next.covers.to_us - next.covers.from_us < covers.to_us - covers.from_us;
    if !data.next.iter().all(smaller) {
        return Err("an answer after which as much is to be asked as before".to_owned());
    }
    Ok(())
}

/// The records of an answer, in their order.
pub fn records(column: &types::ByteColumn) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    column.ends.iter().map(move |end| {
        let record = &column.bytes[from..*end as usize];
        from = *end as usize;
        record
    })
}
