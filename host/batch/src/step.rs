//! The pieces in which windows are closed and merged: a bounded number of windows of each key, all of one year.

use tallow_lake::partition;

use super::plan::Plan;

/// Windows of a key that go through the merge function at once.
pub const WINDOWS_A_STEP: i64 = 10_000;

/// Windows that start from `from_us` to before `to_us`, all in one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub from_us: i64,
    pub to_us: i64,
}

impl Step {
    /// The next step from a window's start on.
    pub fn from(plan: &Plan, from_us: i64) -> Self {
        let year_end_us = partition::year_start_us(partition::year(from_us) + 1);
        let far_us = from_us.saturating_add(WINDOWS_A_STEP.saturating_mul(plan.size_us()));
        Self { from_us, to_us: year_end_us.min(far_us) }
    }

    /// The same, with no window that starts at `until_us` or later.
    pub fn until(self, until_us: i64) -> Self {
        Self { to_us: self.to_us.min(until_us), ..self }
    }

    /// Whether the next one is of another year.
    pub fn ends_year(self) -> bool {
        self.to_us == partition::year_start_us(partition::year(self.from_us) + 1)
    }

    /// Where its last window ends.
    pub fn end_us(self, plan: &Plan) -> i64 {
        plan.window_start_us(self.to_us - 1) + plan.size_us()
    }
}
