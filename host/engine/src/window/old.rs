//! `tallow:window@0.1.0`, whose functions give and take all of their state at once, in the words of the contract of today.

use super::Snapshot;
use crate::bindings::window_0_1_contract as old;
use crate::bindings::{Window01World, window_contract as new};
use crate::{Output, Part, Rows, Spec, WindowDescription};

pub(super) fn windows(world: &Window01World) -> old::GuestWindows<'_> {
    world.tallow_window_window().windows()
}

impl From<old::Description> for WindowDescription {
    fn from(description: old::Description) -> Self {
        let old::Description { name, version, state_version, reads_state_versions } = description;
        Self { name, version, state_version, reads_state_versions }
    }
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
    tallow_contract::convert_record!(Sliding { size_us, slide_us });
    tallow_contract::convert_variant!(Shape { Tumbling, Sliding, Session });
    tallow_contract::convert_enum!(Operation as tallow_contract::Operation {
        First, Last, Min, Max, Sum, Count, Mean, Vwap, SumProduct
    });
    tallow_contract::convert_record!(Aggregate { name, operation, column, by });
};

pub(super) fn parts(parts: &[Part]) -> Vec<old::Part> {
    let part = |part: &Part| old::Part { spec: part.spec, group: part.group, bytes: part.bytes.clone() };
    parts.iter().map(part).collect()
}

pub(super) fn rows(rows: &Rows) -> old::Rows {
    let Rows { table, kinds, records, topics, runs, offsets } = rows.clone();
    old::Rows { table, kinds, records, topics, runs, offsets }
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

pub(super) fn outputs(outputs: Vec<old::Output>) -> Vec<Output> {
    let output = |output: old::Output| Output {
        spec: output.spec,
        table: output.table,
        assignments: output.assignments,
    };
    outputs.into_iter().map(output).collect()
}

impl From<old::SnapshotParts> for Snapshot {
    fn from(snapshot: old::SnapshotParts) -> Self {
        let part = |part: old::Part| Part { spec: part.spec, group: part.group, bytes: part.bytes };
        Self { version: snapshot.version, parts: snapshot.parts.into_iter().map(part).collect() }
    }
}

impl From<old::Stats> for new::Stats {
    fn from(stats: old::Stats) -> Self {
        Self {
            spec: stats.spec,
            keys: stats.keys,
            open_windows: stats.open_windows,
            open_assignments: stats.open_assignments,
            untracked: stats.untracked,
            bytes: stats.bytes,
        }
    }
}
