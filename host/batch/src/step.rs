//! The pieces in which windows are closed and merged: a bounded number of windows of each key, all of one year.

use tallow_lake::partition;

use crate::plan::Plan;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan whose windows have that size.
    fn plan(tumbling: &str, offset: &str) -> Plan {
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"t\"\n[application.trigger.kafka]\nbrokers = \"b\"\n\
             lake = \"l\"\n[application.trigger.kafka.batch.t]\ninput = \"x\"\ntumbling = \"{tumbling}\"\noffset = \
             \"{offset}\"\n[[trigger.none]]\ncomponent = \"window\"\n[component.parse-kline]\nsource = \"a\"\n\
             [component.window]\nsource = \"a\"\n[component.merge]\nsource = \"a\"\n"
        );
        let (name, root) = (std::path::Path::new("t"), std::path::Path::new("/"));
        let manifest =
            tallow_manifest::resolve(&text, name, root, &Default::default(), &Default::default()).unwrap();
        Plan::new(&manifest.batches[0])
    }

    #[test]
    fn steps_follow_each_other_and_end_with_the_year() {
        for (tumbling, offset, steps) in
            [("1d", "0s", 1), ("7d", "4d", 1), ("1m", "0s", 53), ("1h", "30m", 1)]
        {
            let plan = plan(tumbling, offset);
            // 2023-01-01 and 2024-01-01.
            let (start_us, end_us) = (1_672_531_200_000_000, 1_704_067_200_000_000);
            let mut from_us = start_us;
            let mut count = 0;
            while from_us < end_us {
                let step = Step::from(&plan, from_us);
                assert!(step.to_us > from_us && step.to_us <= end_us, "{tumbling}: {step:?}");
                // Every window that starts in it has ended by then, and none that starts later.
                let last = plan.window_start_us(step.to_us - 1);
                assert_eq!(step.end_us(&plan), last + plan.size_us());
                (from_us, count) = (step.to_us, count + 1);
            }
            assert_eq!((from_us, count), (end_us, steps), "{tumbling}");
        }
    }
}
