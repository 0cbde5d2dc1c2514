//! A backfill function: what an exchange is to be asked, and what its answers mean.

use wasmtime::Store;
use wasmtime::component::{Component as Code, Linker};

use crate::bindings::{BackfillWorld, backfill_contract as wit};
use crate::renewed::Renewed;
use crate::sandbox::Sandbox;
use crate::validate;
use crate::{
    BackfillAnswer, BackfillData, BackfillDescription, BackfillOptions, BackfillRequest, CallError,
    Component, Limits, Pace, Span, Verdict,
};

/// An instance. After an error other than [`CallError::Refused`] the next call makes a new one.
pub struct BackfillFunction {
    instance: Renewed<BackfillWorld>,
}

impl BackfillFunction {
    pub fn new(component: &Component, limits: Limits) -> Result<Self, CallError> {
        let instantiate = |store: &mut Store<Sandbox>, code: &Code, linker: &Linker<Sandbox>| {
            BackfillWorld::instantiate(store, code, linker)
        };
        Ok(Self { instance: Renewed::new(component, limits, instantiate)? })
    }

    /// What the component says about itself.
    pub fn describe(&mut self) -> Result<BackfillDescription, CallError> {
        self.call(|guest, store| guest.call_describe(store).map(Ok)).map(Into::into)
    }

    /// The requests that bring what is in `wanted` and not in `covered`.
    pub fn plan(
        &mut self,
        options: &BackfillOptions,
        wanted: &[Span],
        covered: &[Span],
    ) -> Result<Vec<BackfillRequest>, CallError> {
        let (options, wanted, covered) = (options.clone().into(), spans(wanted), spans(covered));
        let requests = self.call(|guest, store| guest.call_plan(store, &options, &wanted, &covered))?;
        let requests: Vec<BackfillRequest> = requests.into_iter().map(Into::into).collect();
        requests.iter().try_for_each(check_request).map_err(CallError::Contract)?;
        Ok(requests)
    }

    /// What the answer to a request means, and what it says about the pace.
    pub fn decode(
        &mut self,
        options: &BackfillOptions,
        request: &BackfillRequest,
        answer: &BackfillAnswer,
    ) -> Result<(Verdict, Pace), CallError> {
        let covers = request.covers;
        let (options, request, answer) =
            (options.clone().into(), request.clone().into(), answer.clone().into());
        let decoded = self.call(|guest, store| guest.call_decode(store, &options, &request, &answer))?;
        let (verdict, pace) = (decoded.verdict.into(), decoded.pace.into());
        if let Verdict::Data(data) = &verdict {
            check_data(data, covers).map_err(CallError::Contract)?;
        }
        Ok((verdict, pace))
    }

    fn call<T>(
        &mut self,
        f: impl FnOnce(&wit::Guest, &mut Store<Sandbox>) -> wasmtime::Result<Result<T, String>>,
    ) -> Result<T, CallError> {
        self.instance.call(|world, store| f(world.tallow_backfill_backfill(), store))
    }
}

fn spans(spans: &[Span]) -> Vec<wit::Span> {
    spans.iter().copied().map(Into::into).collect()
}

fn check_request(request: &BackfillRequest) -> Result<(), String> {
    validate::path(&request.path)?;
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
