//! Taking a shard over: read, check, and create the next record, which shuts every earlier owner out.

use std::time::Duration;

use bytes::Bytes;
use tallow_env::{Backoff, Clock, Random};

use super::{corrupt, create_record, highest_boundary, lost_to};
use crate::LogError;
use crate::name::BlobName;
use crate::record::{Content, Kind, Record, Writer};
use crate::resolve::{self, Broken, Outcome, Publication};
use tallow_lake::Folder;
use tallow_lake::job::seq_of;
use tallow_store::{Digest, Store};

/// Others may be starting, too: each try loses only to one that won.
const TRIES: u32 = 10;
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));

pub(super) struct Fenced<C: Content> {
    pub fence: Record<C>,
    /// Of the fence's bytes.
    pub digest: Digest,
    /// The records before it that are kept, oldest first.
    pub before: Vec<Record<C>>,
    pub to_publish: Vec<Publication>,
}

pub(super) fn fence<C: Content>(
    store: &Store,
    folder: &Folder,
    shard: u32,
    writer: &Writer,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<Fenced<C>, LogError> {
    let (mut broken_before, mut pauses) = (None, PAUSES);
    for _ in 0..TRIES {
        let (before, parent): Read<C> = match read(store, folder)? {
            Ok(read) => read,
            // A clean-up may have run between listing and reading: what is broken twice in one way is broken.
            Err(broken) if broken_before.as_ref() != Some(&broken) => {
                broken_before = Some(broken);
                continue;
            }
            Err(broken) => return Err(corrupt(store, &folder.record(broken.seq()), broken.why())),
        };
        let to_publish = resolve::unpublished(&before);
        if let Some(newest) = before.last() {
            check_blobs(store, folder, newest, &to_publish)?;
        }
        let fence = compose(before.last(), parent, shard, writer, clock, random);
        let object = folder.record(fence.seq);
        let bytes: Bytes = fence.encode().map_err(|why| LogError::Format { object, why })?.into();
        match create_record(store, folder, &fence, &bytes)? {
            Outcome::Committed => {
                return Ok(Fenced { digest: Digest::of(&bytes), fence, before, to_publish });
            }
            Outcome::Fenced { .. } | Outcome::Overtaken { .. } => {
                clock.sleep(pauses.jittered(random));
            }
            unreadable @ Outcome::Unreadable(_) => return Err(lost_to(store, folder, unreadable, &fence)),
        }
    }
    Err(LogError::Contended { folder: store.at(folder.path()), tries: TRIES })
}

type Read<C> = (Vec<Record<C>>, Option<Digest>);

/// The retained records, checked, with the digest of the newest one's bytes. Records are listed before the
/// boundary is: the other way round, a clean-up in between would look like a hole.
fn read<C: Content>(store: &Store, folder: &Folder) -> Result<Result<Read<C>, Broken>, LogError> {
    let listed: Vec<u64> = store.list(&folder.log())?.iter().filter_map(|(path, _)| seq_of(path)).collect();
    let boundary = highest_boundary(store, folder)?;
    let retained = match resolve::retained(&listed, boundary) {
        Ok(retained) => retained,
        Err(broken) => return Ok(Err(broken)),
    };
    let paths: Vec<String> = retained.iter().map(|&seq| folder.record(seq)).collect();
    let mut records = Vec::with_capacity(retained.len());
    for (seq, bytes) in retained.into_iter().zip(store.get_all(&paths)?) {
        match bytes {
            Some(bytes) => records.push((seq, bytes)),
            None => return Ok(Err(Broken::Missing { seq })),
        }
    }
    let newest = records.last().map(|(_, bytes)| Digest::of(bytes));
    Ok(resolve::chain(&records).map(|records| (records, newest)))
}

fn check_blobs<C: Content>(
    store: &Store,
    folder: &Folder,
    newest: &Record<C>,
    to_publish: &[Publication],
) -> Result<(), LogError> {
    let stored = store
        .list(&folder.blobs())?
        .into_iter()
        .filter_map(|(path, size)| Some((BlobName::of_path(&path)?.to_string(), size)))
        .collect();
    match resolve::lost_blob(newest, to_publish, &stored) {
        Some((blob, why)) => Err(corrupt(store, &folder.blob(&blob.name), why)),
        None => Ok(()),
    }
}

fn compose<C: Content>(
    newest: Option<&Record<C>>,
    parent: Option<Digest>,
    shard: u32,
    writer: &Writer,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Record<C> {
    let state = newest.map_or_else(C::State::default, |newest| newest.state.clone());
    Record {
        seq: newest.map_or(1, |newest| newest.seq + 1),
        kind: Kind::Fence,
        parent,
        chain: newest.map_or_else(|| format!("{:016x}", random.next_u64()), |newest| newest.chain.clone()),
        shard,
        term: newest.map_or(1, |newest| newest.term + 1),
        writer: writer.clone(),
        at_us: clock.now_us(),
        epoch: C::fence(&state),
        state,
        published_through: newest.map(|newest| newest.published_through.clone()).unwrap_or_default(),
        voided: None,
    }
}
