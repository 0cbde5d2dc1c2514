//! `tallow:window@0.1.0`, whose functions give and take all of their state at once, converted from and to the contract of today.

use super::Snapshot;
use crate::bindings::window_0_1_contract as old;
use crate::bindings::{Window01World, window_contract as new};
use crate::{Output, Part, Rows, Spec};

pub(super) fn windows(world: &Window01World) -> old::GuestWindows<'_> {
    world.tallow_window_window().windows()
}

pub(super) fn specs(specs: &[Spec]) -> Vec<old::Spec> {
    specs.iter().cloned().map(spec).collect()
}

fn spec(spec: Spec) -> old::Spec {
    old::Spec {
        name: spec.name,
        kinds: spec.kinds,
        keys: spec.keys,
        time: spec.time,
        ids: spec.ids.map(|ids| old::IdColumns { first: ids.first, last: ids.last }),
        shape: spec.shape.into(),
        offset_us: spec.offset_us,
        aggregates: spec.aggregates.into_iter().map(Into::into).collect(),
    }
}

/// What has not changed since.
const _: () = {
    use old as wit;
    use tallow_contract::window as ours;
    tallow_contract::convert_record!(Description { name, version, state_version, reads_state_versions });
    tallow_contract::convert_record!(Sliding { size_us, slide_us });
    tallow_contract::convert_variant!(Shape { Tumbling, Sliding, Session });
    tallow_contract::convert_enum!(Operation as tallow_contract::Operation {
        First, Last, Min, Max, Sum, Count, Mean, Vwap, SumProduct
    });
    tallow_contract::convert_record!(Aggregate { name, operation, column, by });
};

/// The same for what the host takes and gives as today's bindings have it.
const _: () = {
    use new as ours;
    use old as wit;
    tallow_contract::convert_record!(Part { spec, group, bytes });
    tallow_contract::convert_record!(Rows { table, kinds, records, topics, runs, offsets });
    tallow_contract::convert_record!(Output { spec, table, assignments });
    tallow_contract::convert_record!(Stats { spec, keys, open_windows, open_assignments, untracked, bytes });
};

pub(super) fn parts(parts: &[Part]) -> Vec<old::Part> {
    parts.iter().cloned().map(Into::into).collect()
}

pub(super) fn rows(rows: &Rows) -> old::Rows {
    rows.clone().into()
}

pub(super) fn outputs(outputs: Vec<old::Output>) -> Vec<Output> {
    outputs.into_iter().map(Into::into).collect()
}

impl From<old::Report> for new::Report {
    fn from(report: old::Report) -> Self {
        Self {
            taken: report.taken,
            invalid: report.invalid,
            assignments: report.assignments,
            accepted: report.accepted,
            untracked: 0,
            late: report.late,
            duplicate: report.duplicate,
            conflict: report.conflict,
            late_rows: report.late_rows,
            conflict_rows: report.conflict_rows,
        }
    }
}

impl From<old::SnapshotParts> for Snapshot {
    fn from(snapshot: old::SnapshotParts) -> Self {
        Self { version: snapshot.version, parts: snapshot.parts.into_iter().map(Into::into).collect() }
    }
}
