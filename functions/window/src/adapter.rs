//! The component around [`crate::Windows`]: shapes of the contract to plain ones and back, no more.

use std::cell::RefCell;

use crate::giving::{OutputPiece, Portion};
use crate::{spec, state, table};

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/window"],
    world: "tallow:window/window-function",
    generate_all,
});

use exports::tallow::window::window as wit;

function_table::conversions!(tallow::types::types);

struct Component;

struct Resource(RefCell<crate::Windows>);

export!(Component);

impl wit::Guest for Component {
    type Windows = Resource;

    fn describe() -> wit::Description {
        wit::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state_version: u32::from(state::STATE_VERSION),
            reads_state_versions: state::READS_VERSIONS.map(u32::from).to_vec(),
        }
    }
}

impl Resource {
    fn new(windows: crate::Windows) -> wit::Windows {
        wit::Windows::new(Resource(RefCell::new(windows)))
    }
}

impl wit::GuestWindows for Resource {
    fn open(specs: Vec<wit::Spec>) -> Result<wit::Windows, String> {
        crate::Windows::open(specs.into_iter().map(spec_in).collect()).map(Resource::new)
    }

    fn restore(specs: Vec<wit::Spec>, watermark_us: i64) -> Result<wit::Windows, String> {
        let specs = specs.into_iter().map(spec_in).collect();
        crate::Windows::restore(specs, watermark_us, &[]).map(Resource::new)
    }

    fn load(&self, parts: Vec<wit::Part>) -> Result<(), String> {
        let parts =
            parts.into_iter().map(|wit::Part { spec, group, bytes }| state::Part { spec, group, bytes });
        self.0.borrow_mut().load(&parts.collect::<Vec<_>>())
    }

    fn update(&self, rows: wit::Rows) -> Result<Vec<wit::Report>, String> {
        let reports = self.0.borrow_mut().update(&rows_in(rows))?;
        Ok(reports.into_iter().map(report_out).collect())
    }

    fn advance(&self, watermark_us: i64, portion: wit::Portion) -> Result<wit::OutputPiece, String> {
        self.0.borrow_mut().advance_by(watermark_us, portion_in(portion)).map(piece_out)
    }

    fn close_all(&self, portion: wit::Portion) -> Result<wit::OutputPiece, String> {
        self.0.borrow_mut().close_all_by(portion_in(portion)).map(piece_out)
    }

    fn changed(&self, portion: wit::Portion) -> Result<wit::OutputPiece, String> {
        self.0.borrow_mut().changed_by(portion_in(portion)).map(piece_out)
    }

    fn snapshot(&self, since: u64, max_bytes: u64) -> Result<wit::SnapshotPiece, String> {
        let piece = self.0.borrow_mut().snapshot_by(since, max_bytes)?;
        let parts = piece.parts.into_iter();
        let parts = parts.map(|state::Part { spec, group, bytes }| wit::Part { spec, group, bytes });
        Ok(wit::SnapshotPiece { version: piece.version, parts: parts.collect(), more: piece.more })
    }

    fn stats(&self) -> Vec<wit::Stats> {
        let stats = self.0.borrow().stats().into_iter();
        stats
            .map(|stats| wit::Stats {
                spec: stats.spec,
                keys: stats.keys,
                open_windows: stats.open_windows,
                open_assignments: stats.open_assignments,
                untracked: stats.untracked,
                bytes: stats.bytes,
            })
            .collect()
    }
}

fn spec_in(spec: wit::Spec) -> spec::Spec {
    spec::Spec {
        name: spec.name,
        kinds: spec.kinds,
        keys: spec.keys,
        time: spec.time,
        ids: spec.ids.map(ids_in),
        shape: match spec.shape {
            wit::Shape::Tumbling(size_us) => spec::Shape::Tumbling { size_us },
            wit::Shape::Sliding(sliding) => {
                spec::Shape::Sliding { size_us: sliding.size_us, slide_us: sliding.slide_us }
            }
            wit::Shape::Session(gap_us) => spec::Shape::Session { gap_us },
        },
        offset_us: spec.offset_us,
        aggregates: spec.aggregates.into_iter().map(aggregate_in).collect(),
    }
}

fn ids_in(ids: wit::IdColumns) -> spec::IdColumns {
    let beyond = if ids.halt { spec::Beyond::Halt } else { spec::Beyond::GiveUp };
    let keep = spec::Keep { bytes: ids.max_bytes, beyond, silence_us: ids.silence_us };
    spec::IdColumns { first: ids.first, last: ids.last, keep }
}

fn aggregate_in(aggregate: wit::Aggregate) -> spec::Aggregate {
    let operation = match aggregate.operation {
        wit::Operation::First => spec::Operation::First,
        wit::Operation::Last => spec::Operation::Last,
        wit::Operation::Min => spec::Operation::Min,
        wit::Operation::Max => spec::Operation::Max,
        wit::Operation::Sum => spec::Operation::Sum,
        wit::Operation::Count => spec::Operation::Count,
        wit::Operation::Mean => spec::Operation::Mean,
        wit::Operation::Vwap => spec::Operation::Vwap,
        wit::Operation::SumProduct => spec::Operation::SumProduct,
    };
    spec::Aggregate { name: aggregate.name, operation, column: aggregate.column, by: aggregate.by }
}

fn rows_in(rows: wit::Rows) -> table::Rows {
    table::Rows {
        table: table_in(rows.table),
        kinds: text_in(rows.kinds),
        records: rows.records,
        topics: rows.topics,
        runs: rows
            .runs
            .into_iter()
            .map(|run| table::Run { topic: run.topic, partition: run.partition, records: run.records })
            .collect(),
        offsets: rows.offsets,
    }
}

fn report_out(report: crate::Report) -> wit::Report {
    wit::Report {
        taken: report.taken,
        invalid: report.invalid,
        assignments: report.assignments,
        accepted: report.accepted,
        untracked: report.untracked,
        late: report.late,
        duplicate: report.duplicate,
        conflict: report.conflict,
        late_rows: report.late_rows,
        conflict_rows: report.conflict_rows,
    }
}

fn portion_in(portion: wit::Portion) -> Portion {
    Portion { windows: portion.windows, bytes: portion.bytes }
}

fn piece_out(piece: OutputPiece) -> wit::OutputPiece {
    let outputs = piece.outputs.into_iter().map(|output| wit::Output {
        spec: output.spec,
        table: table_out(output.table),
        assignments: output.assignments,
    });
    wit::OutputPiece { outputs: outputs.collect(), more: piece.more }
}
