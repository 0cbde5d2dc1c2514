//! Why a request about functions is refused, for the client.

use tallow_engine::CallError;
use tallow_pipeline::PipelineError;
use tallow_pipeline::state_handover::HandoverError;
use tallow_store::Digest;
use tallow_worker::LibraryError;

#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    #[error("pipeline `{pipeline}` has no function `{name}`; it has {parse} (parse) and {window} (window)")]
    NoFunction { pipeline: String, name: String, parse: String, window: String },
    #[error("`bytes` is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Vetting says which rule is broken and what to do.
    #[error("{0}")]
    Vet(String),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    #[error("pipeline `{0}` has not started yet")]
    NotStarted(String),
    #[error("sha256 {0} is what runs already")]
    Running(Digest),
    #[error("a function is on probation: one swap at a time. Wait for its end, or roll it back")]
    OnProbation,
    #[error(
        "records that went out under another key cannot be taken back: a pipeline with `rekey` swaps in mode `hold`"
    )]
    Rekeyed,
    #[error("no function is on probation: swap to the one that is wanted")]
    NotOnProbation,
    #[error("another swap is waiting for the epoch's end")]
    Waiting,
    #[error("nothing has been shadowed: `tallow functions shadow` comes first")]
    NothingShadowed,
    #[error(
        "the topic keeps records for {kept_s} s, and a rollback after {epochs} epochs of probation may need those of the \
         last {needed_s} s: raise the topic's retention, ask for a shorter probation, or swap in mode `publish`"
    )]
    Retention { kept_s: u64, epochs: u32, needed_s: u64 },
    #[error(
        "pipeline `{pipeline}` has not ended an epoch in {after_s} s: it may wait for a service (see its log)"
    )]
    NoEpoch { pipeline: String, after_s: u64 },
    #[error("pipeline `{0}` stopped, or started again from its last commit; nothing was swapped")]
    RunEnded(String),
    #[error("the pipeline has not answered; see its log")]
    NoAnswer,
    #[error("the client is gone")]
    AskerGone,
    #[error("the pipeline has ended")]
    Over,

    #[error("it does not start: {0}")]
    Start(CallError),
    #[error(
        "it wants the records' headers, which this run does not read, since looking for them costs time: name it in the \
         manifest and start again"
    )]
    WantsHeaders,
    #[error("it does not take the pipeline's columns and settings: {0}")]
    Options(CallError),
    #[error(
        "it reads state of version {reads:?}, and the running function writes version {writes}: a candidate has to read \
         the state of its predecessor"
    )]
    StateVersion { reads: Vec<u32>, writes: u32 },
    #[error(transparent)]
    Handover(#[from] HandoverError),
    #[error(
        "its own state, restored and saved again, has other bytes: a restart would not continue where it stopped"
    )]
    Unstable,
    #[error("its own state, restored, holds another number of rows")]
    LosesRows,
}
