//! The contract `tallow:window@0.1.0`.

wit_bindgen::generate!({
    path: ["../../../wit/types", "../../../wit/window-0.1"],
    world: "tallow:window/window-function",
    generate_all,
});

pub use exports::tallow::window::window as contract;
pub use tallow::types::types;

use std::cell::{Cell, RefCell, RefMut};

use contract::{Output, Part, Report, Rows, Shape, SnapshotParts, Spec, Stats, Windows};

use crate::counts::Counts;
use crate::{misdeed, variant};

struct Component;

export!(Component);

impl contract::Guest for Component {
    type Windows = All;

    fn describe() -> contract::Description {
        contract::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state_version: 1,
            reads_state_versions: vec![if variant::is(variant::FOREIGN_STATE) { 99 } else { 1 }],
        }
    }
}

/// A report of nothing.
pub fn no_report() -> Report {
    Report {
        taken: 0,
        invalid: Vec::new(),
        assignments: 0,
        accepted: 0,
        late: 0,
        duplicate: 0,
        conflict: 0,
        late_rows: Vec::new(),
        conflict_rows: Vec::new(),
    }
}

/// The counts of each spec, and how often they may have changed.
struct All(RefCell<Vec<Counts>>, Cell<u64>);

impl All {
    fn empty(specs: Vec<Spec>) -> Result<Vec<Counts>, String> {
        let counts = specs.into_iter().map(|spec| match spec.shape {
            Shape::Tumbling(size_us) if !spec.keys.is_empty() && counts_only(&spec) => {
                Ok(Counts::new(spec, size_us as i64))
            }
            _ => Err(format!("spec `{}` is not tumbling, has no key, or does more than count", spec.name)),
        });
        counts.collect()
    }

    /// The counts of each spec, after what the specs' names ask of a function.
    fn begin(&self, function: &str) -> RefMut<'_, Vec<Counts>> {
        let counts = self.0.borrow_mut();
        misdeed::by_spec(counts.iter().map(|it| it.spec.name.as_str()), function);
        counts
    }
}

fn counts_only(spec: &Spec) -> bool {
    spec.aggregates.iter().all(|it| it.operation == contract::Operation::Count && it.column.is_none())
}

impl contract::GuestWindows for All {
    fn open(specs: Vec<Spec>) -> Result<Windows, String> {
        misdeed::by_spec(specs.iter().map(|spec| spec.name.as_str()), "open");
        Ok(Windows::new(All(RefCell::new(All::empty(specs)?), Cell::new(0))))
    }

    fn restore(specs: Vec<Spec>, watermark_us: i64, parts: Vec<Part>) -> Result<Windows, String> {
        misdeed::by_spec(specs.iter().map(|spec| spec.name.as_str()), "restore");
        if variant::is(variant::TRAPS_IN_RESTORE) {
            misdeed::trap();
        }
        if variant::is(variant::LOOPS_IN_RESTORE) {
            misdeed::spin();
        }
        let mut counts = All::empty(specs)?;
        for part in parts {
            let counts = counts.get_mut(part.spec as usize);
            let loaded = counts.and_then(|counts| counts.load(watermark_us, &part.bytes));
            loaded.ok_or_else(|| format!("the state of spec {} is not of this function", part.spec))?;
        }
        Ok(Windows::new(All(RefCell::new(counts), Cell::new(1))))
    }

    fn update(&self, rows: Rows) -> Result<Vec<Report>, String> {
        let mut counts = self.begin("update");
        self.1.set(self.1.get() + 1);
        if variant::is(variant::TRAPS) {
            misdeed::trap();
        }
        if variant::is(variant::LOOPS) {
            misdeed::spin();
        }
        let few = counts.iter().any(|it| it.spec.name == "no-report");
        let reports = counts.iter_mut().map(|it| it.update(&rows)).skip(usize::from(few));
        reports.collect()
    }

    fn advance(&self, watermark_us: i64) -> Result<Vec<Output>, String> {
        let mut counts = self.begin("advance");
        self.1.set(self.1.get() + 1);
        Ok((0..).zip(counts.iter_mut()).map(|(index, it)| it.advance(index, watermark_us)).collect())
    }

    fn close_all(&self) -> Result<Vec<Output>, String> {
        let counts = self.begin("close-all");
        Ok((0..).zip(counts.iter()).map(|(index, it)| it.open(index)).collect())
    }

    fn changed(&self) -> Vec<Output> {
        let counts = self.begin("changed");
        (0..).zip(counts.iter()).map(|(index, it)| it.open(index)).collect()
    }

    fn snapshot(&self, since: u64) -> SnapshotParts {
        let counts = self.begin("snapshot");
        let version = self.1.get();
        let changed = counts.iter().filter(|_| since == 0 || version > since);
        let stale = |it: &Counts| since > 0 && it.spec.name == "stale-snapshot";
        let parts = (0..).zip(changed).filter(|(_, it)| !stale(it));
        let parts = parts.map(|(spec, it)| Part { spec, group: 0, bytes: it.save() });
        SnapshotParts { version, parts: parts.collect() }
    }

    fn stats(&self) -> Vec<Stats> {
        let counts = self.begin("stats");
        let stats = (0..).zip(counts.iter()).map(|(spec, it)| Stats {
            spec,
            keys: it.windows(),
            open_windows: it.windows(),
            open_assignments: it.rows(),
            untracked: 0,
            bytes: it.windows() * 64,
        });
        stats.collect()
    }
}
