//! A shard's log, owned: open it (which fences every earlier owner), put blobs, commit, publish, say so.

mod blobs;
mod fence;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tallow_env::{Clock, Random};
use tallow_lake::Folder;
use tallow_lake::job::seq_of;

use crate::record::{Content, Outgoing, Pipeline, Record, Writer};
use crate::resolve::{self, Kept, Outcome, Publication};
use crate::{Draft, LogError};
use tallow_store::{Digest, Store};

pub use blobs::read_blob;

/// One owner of one shard. At most one commit is under way.
///
/// ```
/// use std::sync::Arc;
/// use tallow_env::{SystemClock, SystemRandom};
/// use tallow_log::record::{Epoch, State};
/// use tallow_log::{Draft, Log, LogError, status};
/// use tallow_store::Store;
///
/// let store = Store::memory()?;
/// let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
/// let open = |owner| <Log>::open(&store, "candles", 0, owner, clock.clone(), random.clone());
///
/// let mut first = open("host 1")?.log;
/// first.commit(Draft::commit(Epoch::default(), State::default()))?;
///
/// // A second owner fences the first one, and continues from its commit.
/// let second = open("host 2")?.log;
/// assert_eq!(second.newest().seq, 3);
/// let late = first.commit(Draft::commit(Epoch::default(), State::default()));
/// assert!(late.is_err_and(|error| error.is_fenced()));
/// assert_eq!(status::last_records(&store, "candles", 0, 10)?.len(), 3);
/// # Ok::<(), LogError>(())
/// ```
pub struct Log<C: Content = Pipeline> {
    pub(crate) store: Store,
    pub(crate) folder: Folder,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    writer: Writer,
    newest: Record<C>,
    newest_digest: Digest,
    /// The records that a clean-up has left, oldest first; the last is the newest.
    pub(crate) kept: Vec<Kept>,
    pub(crate) published: BTreeMap<String, u64>,
    unsettled: Option<Unsettled<C>>,
}

/// A record whose create has no known outcome yet.
struct Unsettled<C: Content> {
    record: Record<C>,
    bytes: Bytes,
}

/// A shard that was just taken over.
pub struct Opened<C: Content = Pipeline> {
    pub log: Log<C>,
    /// Whether the shard had no log before: there is no state to restore.
    pub first: bool,
    /// What may not have been published, by sink, in order. Publish it before anything new.
    pub to_publish: Vec<Publication>,
    /// What waits for its release, by sink, in order.
    pub held: Vec<Publication>,
}

impl<C: Content> Log<C> {
    /// Takes shard `shard` of `pipeline` over: reads the newest record, checks it, its chain and its blobs,
    /// and fences every earlier owner. [`Log::newest`] is then the fence, which carries the state to continue
    /// from. `owner` is for people: host and process.
    ///
    /// Damage is an error that names the object, and leaves the log as it was.
    pub fn open(
        store: &Store,
        pipeline: &str,
        shard: u32,
        owner: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Opened<C>, LogError> {
        let folder = Folder::new(pipeline, shard)?;
        let writer = Writer { id: format!("{:016x}", random.next_u64()), name: owner.to_owned() };
        let fenced = fence::fence(store, &folder, shard, &writer, &*clock, &*random)?;
        if let Err(error) = store.sweep_staged(folder.path()) {
            tracing::warn!(folder = folder.path(), %error, "what a killed upload left stays for now");
        }
        let mut kept: Vec<Kept> = fenced.before.iter().map(Kept::of).collect();
        kept.push(Kept::of(&fenced.fence));
        let published = fenced.fence.published_through.clone();
        let log = Log {
            store: store.clone(),
            folder,
            clock,
            random,
            writer,
            newest: fenced.fence,
            newest_digest: fenced.digest,
            kept,
            published,
            unsettled: None,
        };
        Ok(Opened {
            log,
            first: fenced.before.is_empty(),
            to_publish: fenced.to_publish,
            held: resolve::held(&fenced.before),
        })
    }

    /// The newest record: the fence, or the last commit.
    pub fn newest(&self) -> &Record<C> {
        &self.newest
    }

    /// The store that the shard is in.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What names published by the next commit begin with: `<chain>-<shard>-<seq>`.
    pub fn next_commit_id(&self) -> String {
        tallow_lake::tables::commit_name(&self.newest.chain, self.newest.shard, self.next_seq())
    }

    pub fn next_seq(&self) -> u64 {
        self.newest.seq + 1
    }

    /// Commits: the create of the record is the one moment at which the epoch has happened.
    ///
    /// After an error that [passes](LogError::is_transient) the outcome may be open: [`settle`](Log::settle) until
    /// it is known. After [`LogError::is_fenced`] publish nothing, and leave.
    pub fn commit(&mut self, draft: Draft<C>) -> Result<&Record<C>, LogError> {
        let object = self.folder.record(self.next_seq());
        if self.unsettled.is_some() {
            return Err(LogError::Unsettled { object });
        }
        draft.check(&self.newest).map_err(|why| LogError::Contradiction { object: object.clone(), why })?;
        let record = Record {
            seq: self.next_seq(),
            kind: draft.kind,
            parent: Some(self.newest_digest),
            chain: self.newest.chain.clone(),
            shard: self.newest.shard,
            term: self.newest.term,
            writer: self.writer.clone(),
            at_us: self.clock.now_us(),
            epoch: draft.epoch,
            state: draft.state,
            published_through: self.published.clone(),
            voided: draft.voided,
        };
        let bytes = record.encode().map_err(|why| LogError::Format { object, why })?.into();
        self.unsettled = Some(Unsettled { record, bytes });
        self.settle().map(|_| &self.newest)
    }

    /// Finds out what became of a commit whose outcome is open, and makes it happen if it did not. True: a
    /// commit was open and has now happened.
    pub fn settle(&mut self) -> Result<bool, LogError> {
        let Some(open) = self.unsettled.take() else { return Ok(false) };
        let created =
            create_record(&self.store, &self.folder, &open.record, &open.bytes).and_then(|outcome| {
                if outcome == Outcome::Committed {
                    self.check_there()?;
                }
                Ok(outcome)
            });
        match created {
            Ok(Outcome::Committed) => {
                self.newest_digest = Digest::of(&open.bytes);
                self.kept.push(Kept::of(&open.record));
                self.newest = open.record;
                Ok(true)
            }
            Ok(lost) => Err(lost_to(&self.store, &self.folder, lost, &open.record)),
            Err(error) => {
                if error.is_transient() {
                    self.unsettled = Some(open);
                } else if matches!(error, LogError::Gone { .. }) {
                    // What was just written to the place where the log was is no log.
                    let _ = self.store.delete(&self.folder.record(open.record.seq));
                }
                Err(error)
            }
        }
    }

    /// Whether the oldest record is there that a clean-up has left: without it the log is one that nobody can read. Newer
    /// ones may have been written while someone deleted the lake.
    fn check_there(&self) -> Result<(), LogError> {
        let seq = self.kept.first().map_or(self.newest.seq, |oldest| oldest.seq);
        let path = self.folder.record(seq);
        if self.store.head(&path)?.is_some() {
            return Ok(());
        }
        let object = self.store.at(&path);
        match highest_boundary(&self.store, &self.folder)? {
            Some(boundary) if boundary > seq => {
                Err(LogError::Overtaken { object, boundary, our_term: self.newest.term })
            }
            _ => Err(LogError::Gone { object }),
        }
    }

    /// Whether this owner still has the shard at this moment. For publishers that overwrite: one that slept must not
    /// put what is old by now over what is new.
    pub fn check_owner(&self) -> Result<(), LogError> {
        let seq = self.next_seq();
        let path = self.folder.record(seq);
        let object = self.store.at(&path);
        let our_term = self.newest.term;
        if let Some(bytes) = self.store.get(&path)? {
            let theirs = Record::<C>::decode(&bytes)
                .map_err(|why| LogError::Format { object: object.clone(), why })?;
            if theirs.writer.id != self.writer.id {
                return Err(LogError::Fenced {
                    object,
                    by: theirs.writer,
                    their_term: theirs.term,
                    our_term,
                });
            }
        }
        match highest_boundary(&self.store, &self.folder)? {
            Some(boundary) if boundary > seq => Err(LogError::Overtaken { object, boundary, our_term }),
            _ => self.check_there(),
        }
    }

    /// Whether a commit's outcome is open.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled.is_some()
    }

    /// Notes that a sink has published everything up to `seq`. The next commit writes it down; until then a
    /// restart publishes it again.
    pub fn published(&mut self, sink: &str, seq: u64) {
        let through = self.published.entry(sink.to_owned()).or_default();
        *through = seq.max(*through);
    }

    /// What a sink has to publish of the newest record.
    pub fn publication(&self, sink: &str) -> Publication {
        let outbox = self.newest.outbox().iter().filter(|outgoing| outgoing.sink == sink).cloned().collect();
        Publication { sink: sink.to_owned(), seq: self.newest.seq, outbox }
    }

    /// Stores a finished object, for a commit to name.
    pub fn put_outgoing(
        &self,
        sink: &str,
        name: &str,
        (rows, rows_digest): (u64, Digest),
        bytes: Bytes,
    ) -> Result<Outgoing, LogError> {
        let (sink, name) = (sink.to_owned(), name.to_owned());
        let (digest, blob) = (Digest::of(&bytes), self.put_blob(bytes)?);
        Ok(Outgoing { sink, name, rows, rows_digest, digest, blob })
    }

    /// Publishes what was committed and may not have been published. Publishing twice does no harm.
    pub fn publish<E: From<LogError>>(
        &mut self,
        publications: Vec<Publication>,
        publish: impl Fn(&Self, &Outgoing, Bytes) -> Result<(), E>,
    ) -> Result<(), E> {
        for Publication { sink, seq, outbox } in publications {
            for outgoing in outbox {
                publish(self, &outgoing, self.read_blob(&outgoing.blob)?)?;
            }
            self.published(&sink, seq);
        }
        Ok(())
    }
}

pub(crate) fn corrupt(store: &Store, path: &str, why: String) -> LogError {
    LogError::Corrupt { object: store.at(path), why }
}

/// The highest clean-up boundary: records below it count for nothing.
pub(crate) fn highest_boundary(store: &Store, folder: &Folder) -> Result<Option<u64>, LogError> {
    Ok(store.list(&folder.boundaries())?.iter().filter_map(|(path, _)| seq_of(path)).max())
}

fn create_record<C: Content>(
    store: &Store,
    folder: &Folder,
    record: &Record<C>,
    bytes: &Bytes,
) -> Result<Outcome, LogError> {
    let answer = store.create(&folder.record(record.seq), bytes.clone())?;
    let boundary = highest_boundary(store, folder)?;
    Ok(resolve::outcome::<C>(&answer, &record.writer.id, record.seq, boundary))
}

/// The error for an outcome that is not [`Outcome::Committed`].
fn lost_to<C: Content>(store: &Store, folder: &Folder, outcome: Outcome, ours: &Record<C>) -> LogError {
    let (object, our_term) = (store.at(&folder.record(ours.seq)), ours.term);
    match outcome {
        Outcome::Fenced { by, term } => LogError::Fenced { object, by, their_term: term, our_term },
        Outcome::Overtaken { boundary } => LogError::Overtaken { object, boundary, our_term },
        Outcome::Unreadable(why) => LogError::Format { object, why },
        Outcome::Committed => LogError::Unsettled { object },
    }
}
