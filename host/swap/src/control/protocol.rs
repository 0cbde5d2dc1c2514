//! What may be asked, and what is answered.

use serde::{Deserialize, Serialize};
use tallow_log::record::Mode;
use tallow_store::Digest;

use crate::tally::{Tally, Verdict};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// What runs, and whether it is on probation or shadowed.
    Status,
    /// Puts a candidate beside the pipeline and compares what both say.
    Shadow {
        candidate: Component,
        /// Epochs to compare before the verdict.
        epochs: u32,
        /// Swap it in by itself after so many epochs in a row that are the same.
        until_same: Option<u32>,
        #[serde(flatten)]
        terms: Terms,
    },
    /// Swaps in what was shadowed last.
    Promote {
        #[serde(flatten)]
        terms: Terms,
    },
    Swap {
        candidate: Component,
        #[serde(flatten)]
        terms: Terms,
    },
    /// Back to the function before the one that is on probation.
    Rollback { why: String },
}

/// A component on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Component {
    /// The manifest's name of the function that it is a candidate for.
    pub name: String,
    /// Base64 of its bytes.
    pub bytes: String,
    /// Where it came from, for people.
    pub origin: String,
}

/// How to swap; what is left out is as the manifest says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Terms {
    pub mode: Option<Mode>,
    pub probation_epochs: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Answer {
    /// What is being done.
    Step {
        text: String,
    },
    /// A shadow's news.
    Shadow {
        tally: Tally,
    },
    Verdict {
        verdict: Verdict,
        percent: Option<u64>,
        tally: Tally,
    },
    Swapped {
        seq: u64,
        pause_us: u64,
    },
    /// The old function continues.
    Dropped {
        why: String,
    },
    RolledBack {
        seq: u64,
    },
    Status {
        pipeline: String,
        functions: Vec<Running>,
        on_probation: bool,
        shadow: Option<Tally>,
    },
    /// It was not done.
    Refused {
        why: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Running {
    pub role: String,
    pub name: String,
    pub digest: Digest,
}

impl Answer {
    /// Whether nothing follows.
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Step { .. } | Self::Shadow { .. })
    }
}
