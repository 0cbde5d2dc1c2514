//! A store that breaks on demand: around any object store, for tests and simulations. Faults are scripted one
//! by one, or drawn from a seed, or all requests fail until a moment.

mod upload;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tallow_env::{Clock, ManualClock, Random, SeededRandom};
use tallow_store::Store;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Create,
    Overwrite,
    Get,
    List,
    Delete,
    Copy,
    /// A copy to where there is no object.
    CopyNew,
    /// The begin of an upload in parts.
    Begin,
    Part,
    /// The end of an upload: only then is the object there.
    Complete,
    Abort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Carried out; a time-out or a 500 is the answer.
    AnswerLost,
    /// Not carried out; a time-out is the answer.
    RequestLost,
    /// Not carried out: 503.
    Unavailable,
    /// Not carried out, and the answer is that the object exists: S3's 409 for requests that race.
    Conflict,
    /// Not carried out: 403.
    Denied,
    /// Not carried out: the store knows no such request.
    Unsupported,
    /// Carried out after a pause on the clock.
    Slow(Duration),
}

struct Scripted {
    op: Op,
    /// Hits paths that contain this.
    path: String,
    /// Requests to let pass before.
    spared: usize,
    fault: Fault,
}

struct Drawn {
    random: Arc<dyn Random>,
    one_in: u64,
}

#[derive(Default)]
struct State {
    script: VecDeque<Scripted>,
    drawn: Option<Drawn>,
    down_until_us: Option<i64>,
    overwrites: bool,
    requests: Vec<(Op, String)>,
}

/// A store in memory that breaks on demand, with the clock and the randomness that it uses.
pub struct FaultyStore {
    pub faulty: Arc<Faulty>,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub random: Arc<SeededRandom>,
}

impl FaultyStore {
    /// `folder`: where the store's objects are; `now_us`: µs since 1970-01-01 UTC.
    pub fn new(folder: &str, now_us: i64, seed: u64) -> Self {
        let (clock, random) = (Arc::new(ManualClock::at(now_us)), Arc::new(SeededRandom::new(seed)));
        let faulty = Arc::new(Faulty::new(Arc::new(InMemory::new()), clock.clone()));
        let store = Store::from_object_store(faulty.clone(), folder, clock.clone(), random.clone())
            .unwrap_or_else(|error| panic!("a store in memory: {error}"));
        Self { faulty, store, clock, random }
    }
}

pub struct Faulty {
    inner: Arc<dyn ObjectStore>,
    faults: Arc<Faults>,
}

/// What is to go wrong, known to uploads too.
struct Faults {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Faulty {
    /// Without faults until some are asked for. Slow answers and outages go by `clock`.
    pub fn new(inner: Arc<dyn ObjectStore>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, faults: Arc::new(Faults { clock, state: Mutex::default() }) }
    }

    /// The next request of that kind to a path that contains `path` meets the fault. Scripted faults are met
    /// in the order in which they were scripted, once each.
    pub fn script(&self, op: Op, path: &str, fault: Fault) {
        self.script_after(0, op, path, fault);
    }

    /// The same for the request after `spared` such requests.
    pub fn script_after(&self, spared: usize, op: Op, path: &str, fault: Fault) {
        self.state().script.push_back(Scripted { op, path: path.to_owned(), spared, fault });
    }

    /// From now on one request in `one_in` meets a fault that passes; 0: none.
    pub fn draw(&self, random: Arc<dyn Random>, one_in: u64) {
        self.state().drawn = (one_in > 0).then_some(Drawn { random, one_in });
    }

    /// Every request is answered with 503 until the clock shows `until_us`.
    pub fn down_until(&self, until_us: i64) {
        self.state().down_until_us = Some(until_us);
    }

    /// From now on creates overwrite in silence, as some gateways do.
    pub fn overwrite(&self) {
        self.state().overwrites = true;
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<(Op, String)> {
        self.state().requests.clone()
    }

    /// How many scripted faults have not been met.
    pub fn unmet(&self) -> usize {
        self.state().script.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.faults.state()
    }

    /// Answers a request as its fault says; `work` carries it out.
    async fn answer<T>(&self, op: Op, path: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.faults.answer(op, path, work).await
    }
}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn next_fault(&self, op: Op, path: &str) -> Option<Fault> {
        let mut state = self.state();
        state.requests.push((op, path.to_owned()));
        if state.down_until_us.is_some_and(|until| self.clock.now_us() < until) {
            return Some(Fault::Unavailable);
        }
        let hit = state.script.iter().position(|it| it.op == op && path.contains(&it.path));
        if let Some(index) = hit {
            if state.script[index].spared == 0 {
                return state.script.remove(index).map(|scripted| scripted.fault);
            }
            state.script[index].spared -= 1;
        }
        let drawn = state.drawn.as_ref()?;
        let hit = drawn.random.below(drawn.one_in) == 0;
        hit.then(|| match drawn.random.below(if matches!(op, Op::Create | Op::CopyNew) { 5 } else { 4 }) {
            0 => Fault::AnswerLost,
            1 => Fault::RequestLost,
            2 => Fault::Unavailable,
            3 => Fault::Slow(Duration::from_millis(drawn.random.below(30_000))),
            _ => Fault::Conflict,
        })
    }

    async fn answer<T>(&self, op: Op, path: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.next_fault(op, path) {
            None => work.await,
            Some(Fault::Slow(pause)) => {
                self.clock.sleep(pause);
                work.await
            }
            Some(Fault::AnswerLost) => work.await.and(Err(generic("the answer was lost"))),
            Some(Fault::RequestLost) => Err(generic("the request was lost")),
            Some(Fault::Unavailable) => Err(generic("503 Service Unavailable")),
            Some(Fault::Conflict) => Err(Error::AlreadyExists {
                path: path.to_owned(),
                source: "409 ConditionalRequestConflict".into(),
            }),
            Some(Fault::Denied) => Err(denied(path)),
            Some(Fault::Unsupported) => Err(unsupported()),
        }
    }
}

fn generic(why: &str) -> Error {
    Error::Generic { store: "faulty", source: why.into() }
}

fn denied(path: &str) -> Error {
    Error::PermissionDenied { path: path.to_owned(), source: "403 AccessDenied".into() }
}

fn unsupported() -> Error {
    Error::NotSupported { source: "501 NotImplemented".into() }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        let op = if options.mode == PutMode::Create { Op::Create } else { Op::Overwrite };
        if self.state().overwrites {
            options.mode = PutMode::Overwrite;
        }
        self.answer(op, location.as_ref(), self.inner.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let begun = self
            .answer(Op::Begin, location.as_ref(), self.inner.put_multipart_opts(location, options))
            .await?;
        Ok(Box::new(upload::Upload::new(begun, location, self.faults.clone())))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.answer(Op::Get, location.as_ref(), self.inner.get_opts(location, options)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        // Judged as a whole: the store above deletes one object a call.
        match self.faults.next_fault(Op::Delete, "") {
            None | Some(Fault::Slow(_) | Fault::Conflict) => self.inner.delete_stream(locations),
            Some(Fault::AnswerLost) => {
                self.inner.delete_stream(locations).map(|_| Err(generic("the answer was lost"))).boxed()
            }
            Some(Fault::Denied) => locations.map(|_| Err(denied(""))).boxed(),
            Some(Fault::Unsupported) => locations.map(|_| Err(unsupported())).boxed(),
            Some(Fault::RequestLost | Fault::Unavailable) => {
                locations.map(|_| Err(generic("503 Service Unavailable"))).boxed()
            }
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let path = prefix.map(ToString::to_string).unwrap_or_default();
        let listed = self.inner.list(prefix);
        // Answering needs no waiting but what the clock does, so that the stream need not borrow the store.
        match self.answer(Op::List, &path, async { Ok(()) }).now_or_never() {
            Some(Ok(())) => listed,
            Some(Err(error)) => stream::once(async { Err(error) }).boxed(),
            None => stream::once(async { Err(generic("no answer")) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let path = prefix.map(ToString::to_string).unwrap_or_default();
        self.answer(Op::List, &path, self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let op = if options.mode == CopyMode::Create { Op::CopyNew } else { Op::Copy };
        self.answer(op, to.as_ref(), self.inner.copy_opts(from, to, options)).await
    }
}
