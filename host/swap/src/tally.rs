//! What a shadow has found out so far, and the verdict on the candidate.

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;

/// What is known so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Epochs computed again.
    pub epochs: u32,
    /// The last so many epochs were all the same.
    pub same_in_a_row: u32,
    /// Epochs passed over for lack of time.
    pub skipped: u64,
    pub records: u64,
    pub comparison: Comparison,
    /// Time that each took, µs.
    pub running_us: u64,
    pub candidate_us: u64,
    /// Where the candidate failed.
    pub failed: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Same,
    Differs,
    Slower,
    Trapped,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Slower => "slower",
            Self::Trapped => "trapped",
        }
    }
}

impl Tally {
    /// The candidate's time in percent of the running function's; none without a measurement.
    pub fn percent(&self) -> Option<u64> {
        (self.running_us > 0).then(|| self.candidate_us * 100 / self.running_us)
    }

    pub fn verdict(&self, slowest_percent: u32) -> Verdict {
        if self.failed.is_some() {
            Verdict::Trapped
        } else if !self.comparison.same() {
            Verdict::Differs
        } else if self.percent().is_some_and(|percent| percent > u64::from(slowest_percent)) {
            Verdict::Slower
        } else {
            Verdict::Same
        }
    }

    pub(crate) fn absorb(&mut self, epoch: EpochTally) {
        self.epochs += 1;
        self.same_in_a_row = if epoch.comparison.same() { self.same_in_a_row + 1 } else { 0 };
        self.records += epoch.records;
        self.running_us += epoch.running_us;
        self.candidate_us += epoch.candidate_us;
        self.comparison.absorb(epoch.comparison);
    }
}

/// What one epoch adds.
#[derive(Default)]
pub(crate) struct EpochTally {
    pub records: u64,
    pub comparison: Comparison,
    pub running_us: u64,
    pub candidate_us: u64,
}
