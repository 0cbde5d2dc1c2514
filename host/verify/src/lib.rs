//! Proves commits: computes them again from the log, and looks at what the lake holds of them.
//!
//! In the order in which it happens: [`range`] (which commits), `chain` (is the log what was written), `publication_state`
//! (should a commit's files be there), `files` and `topics` (are they, as they were committed), `succession` (does a record follow from the
//! one before), `records` (what the commit took, from the archive or the topics), `replay` (the recorded functions on
//! it), `compare` (is it the same), [`report`]. `proof` puts them together.
//! Nothing is written, and nothing is asked of a running pipeline.

mod chain;
mod compare;
mod files;
mod proof;
mod publication_state;
pub mod range;
mod records;
mod replay;
pub mod report;
mod succession;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tallow_env::{Clock, Random};
use tallow_lake::{Folder, tables};
use tallow_log::record::{BlobRef, SeqRange};
use tallow_log::{LogError, Record, read_blob, status};
use tallow_sink::Sink;
use tallow_source::Source;
use tallow_store::Store;

use self::proof::Proof;
use self::range::{Ask, Asked};
use self::report::{Part, Report, Unprovable};
use tallow_pipeline::PipelineError;
use tallow_worker::library::Library;
use tallow_worker::plan::Plan;

const SHARD: u32 = 0;

/// Opens the topics; whether the records' headers are wanted.
pub type OpenSource = dyn Fn(bool) -> Result<Arc<dyn Source>, PipelineError> + Send + Sync;

/// Opens a topic that results were sent to.
pub type OpenResults = dyn Fn(&str) -> Result<Arc<dyn Source>, PipelineError> + Send + Sync;

/// Everything that a proof reads.
pub struct Verifier {
    pub plan: Arc<Plan>,
    pub library: Library,
    pub store: Store,
    pub folder: Folder,
    /// For what they make of an epoch's output; nothing is published.
    pub sinks: Vec<Arc<dyn Sink>>,
    pub source: Box<OpenSource>,
    pub results: Box<OpenResults>,
    /// For messages.
    pub brokers: String,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Blobs of the state that was looked at last: the next state shares most of them.
    pub blobs: Mutex<BTreeMap<String, Bytes>>,
}

/// How far a proof has come.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub commit: u64,
    pub done: u64,
    pub of: u64,
    pub records: u64,
}

/// What was asked makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("pipeline `{pipeline}`: {why}")]
    Asked { pipeline: String, why: String },
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl From<LogError> for VerifyError {
    fn from(error: LogError) -> Self {
        Self::Pipeline(error.into())
    }
}

impl Verifier {
    pub fn read_blob(&self, blob: &BlobRef) -> Result<Bytes, LogError> {
        let name = blob.name.to_string();
        if let Some(bytes) = self.blobs().get(&name) {
            return Ok(bytes.clone());
        }
        let bytes = read_blob(&self.store, &self.folder, blob)?;
        self.blobs().insert(name, bytes.clone());
        Ok(bytes)
    }

    /// Forgets the blobs that the state of `record` does not share.
    fn keep_blobs_of(&self, record: &Record) {
        let kept: BTreeSet<String> =
            record.state.parts.iter().map(|part| part.blob.name.to_string()).collect();
        self.blobs().retain(|name, _| kept.contains(name));
    }

    fn blobs(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Proves what is asked for, as far as it can be.
///
/// # Errors
/// The store cannot be read, or what is asked is not there. Whatever else is wrong is in the report.
pub fn verify(verifier: &Verifier, ask: Ask, seen: &mut dyn FnMut(Step)) -> Result<Report, VerifyError> {
    let pipeline = verifier.plan.name().to_owned();
    let refused = |why: String| VerifyError::Asked { pipeline: pipeline.clone(), why };
    // Files first: what is listed was committed before, so its record is in the log that is read afterwards.
    let listed = files::list(verifier)?;
    let Some((oldest, newest)) = status::extent(&verifier.store, &pipeline, SHARD)? else {
        return Err(refused(format!("there is no checkpoint in {}", verifier.store.url())));
    };
    let Asked { kept, gone, open_start } =
        range::asked(ask, oldest, newest).map_err(|error| refused(error.to_string()))?;
    let mut report = Report { pipeline: pipeline.clone(), open_start, ..Report::default() };
    if let Some(gone) = gone {
        report.commits = Some(gone);
        cleaned_up(verifier, gone, oldest, &listed, newest, &mut report)?;
    }
    if let Some(asked) = kept {
        report.commits = Some(SeqRange { from: gone.map_or(asked.from, |gone| gone.from), ..asked });
        let first = (asked.from - 1).max(oldest);
        let objects = status::record_bytes(&verifier.store, &pipeline, SHARD, first, newest)?;
        let mut proof = Proof::new(verifier, chain::links(&objects), asked, report)?;
        drop(objects);
        proof.extra(&listed);
        proof.commits(oldest, &listed, seen)?;
        report = proof.report;
    }
    match status::extent(&verifier.store, &pipeline, SHARD)? {
        Some((now, _)) if now > oldest => report.forget_below(now),
        _ => {}
    }
    Ok(report)
}

/// Commits whose records a clean-up has removed: nothing is left to hold anything against.
fn cleaned_up(
    verifier: &Verifier,
    gone: SeqRange,
    oldest: u64,
    listed: &BTreeSet<String>,
    newest: u64,
    report: &mut Report,
) -> Result<(), PipelineError> {
    let newest = status::record(&verifier.store, verifier.plan.name(), SHARD, newest)?;
    let named = newest.as_ref().map_or(0, |newest| {
        let seqs = listed.iter().filter_map(|path| tables::seq_of(path, &newest.chain, newest.shard));
        seqs.filter(|seq| gone.contains(*seq)).count()
    });
    let why = format!(
        "the log keeps its records from {oldest} on (`verify-retention`): neither the {named} files in the lake that bear \
         their names nor what they were made of can be checked"
    );
    report.cannot(Unprovable { commits: gone, ..Unprovable::of(gone.from, Part::Log, why) });
    Ok(())
}
