//! The contract `tallow:window` around [`crate::windows`]. It need not be changed.

wit_bindgen::generate!({
    path: ["wit/types", "wit/window"],
    world: "tallow:window/window-function",
    generate_all,
});

mod columns;
mod output;

use std::cell::RefCell;

use exports::tallow::window::window as contract;
use tallow::types::types;

use crate::cell::Operation;
use crate::state::{self, READS_STATE_VERSIONS, STATE_VERSION, State, ValueType};
use crate::windows::{Fate, Spec, Windows};
use columns::Columns;

struct Component;

export!(Component);

/// What a window's row takes in an answer, about.
const WINDOW_BYTES: u64 = 512;

/// All windows of a pipeline.
struct All(RefCell<Inner>);

struct Inner {
    defined: Vec<Defined>,
    /// Counts the calls that may have changed the state.
    version: u64,
    /// What is left of a snapshot that is given in pieces.
    unsaved: Vec<contract::Part>,
}

/// One definition with its windows.
struct Defined {
    spec: contract::Spec,
    types: Vec<Option<ValueType>>,
    windows: Windows,
    changed_at: u64,
}

impl contract::Guest for Component {
    type Windows = All;

    fn describe() -> contract::Description {
        contract::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state_version: STATE_VERSION,
            reads_state_versions: READS_STATE_VERSIONS.to_vec(),
        }
    }
}

impl contract::GuestWindows for All {
    fn open(specs: Vec<contract::Spec>) -> Result<contract::Windows, String> {
        let defined = specs.into_iter().map(|spec| Defined::new(spec, i64::MIN, None));
        Ok(All::resource(defined.collect::<Result<_, _>>()?, 0))
    }

    fn restore(specs: Vec<contract::Spec>, watermark_us: i64) -> Result<contract::Windows, String> {
        let defined = specs.into_iter().map(|spec| Defined::new(spec, watermark_us, None));
        Ok(All::resource(defined.collect::<Result<_, _>>()?, 1))
    }

    fn load(&self, parts: Vec<contract::Part>) -> Result<(), String> {
        let mut inner = self.0.borrow_mut();
        for part in parts {
            let defined = inner.defined.get_mut(part.spec as usize).filter(|_| part.group == 0);
            let defined = defined.ok_or_else(|| format!("there is no spec {}, group {}", part.spec, part.group))?;
            *defined = Defined::new(defined.spec.clone(), defined.windows.watermark_us, Some(&part.bytes))?;
        }
        Ok(())
    }

    fn update(&self, rows: contract::Rows) -> Result<Vec<contract::Report>, String> {
        let mut inner = self.0.borrow_mut();
        inner.version += 1;
        let version = inner.version;
        // Whether all can take the rows is known before one of them has.
        let columns = inner.defined.iter().map(|it| Columns::find(&it.spec, &it.types, &rows.table));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(inner.defined.iter_mut().zip(columns).map(|(it, columns)| it.update(&rows, columns, version)).collect())
    }

    fn advance(&self, watermark_us: i64, portion: contract::Portion) -> Result<contract::OutputPiece, String> {
        let mut inner = self.0.borrow_mut();
        inner.version += 1;
        let version = inner.version;
        Ok(inner.piece(portion, |it, most| {
            let closed = it.windows.advance(watermark_us, most);
            it.touch(!closed.is_empty(), version);
            (closed, false)
        }))
    }

    fn close_all(&self, portion: contract::Portion) -> Result<contract::OutputPiece, String> {
        let mut inner = self.0.borrow_mut();
        inner.version += 1;
        let version = inner.version;
        Ok(inner.piece(portion, |it, most| {
            let given = it.windows.give_changed(most);
            it.touch(!given.is_empty(), version);
            (given, true)
        }))
    }

    fn changed(&self, portion: contract::Portion) -> Result<contract::OutputPiece, String> {
        Ok(self.0.borrow_mut().piece(portion, |it, most| (it.windows.show_changed(most), true)))
    }

    fn snapshot(&self, since: u64, max_bytes: u64) -> Result<contract::SnapshotPiece, String> {
        let mut inner = self.0.borrow_mut();
        if inner.unsaved.is_empty() {
            inner.unsaved = inner.changed_since(since);
        }
        let mut left = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let mut parts = Vec::new();
        while left > 0 && !inner.unsaved.is_empty() {
            let part = &mut inner.unsaved[0];
            let rest = part.bytes.split_off(left.min(part.bytes.len()));
            let bytes = std::mem::replace(&mut part.bytes, rest);
            left -= bytes.len();
            parts.push(contract::Part { spec: part.spec, group: part.group, bytes });
            if part.bytes.is_empty() {
                inner.unsaved.remove(0);
            }
        }
        Ok(contract::SnapshotPiece { version: inner.version, parts, more: !inner.unsaved.is_empty() })
    }

    fn stats(&self) -> Vec<contract::Stats> {
        let inner = self.0.borrow();
        let stats = (0..).zip(&inner.defined).map(|(spec, it)| {
            let (mut keys, mut windows, mut rows) = (std::collections::BTreeSet::new(), 0, 0);
            for window in it.windows.open() {
                keys.insert(&window.key);
                windows += 1;
                rows += window.rows;
            }
            contract::Stats {
                spec,
                keys: keys.len() as u64,
                open_windows: windows,
                open_assignments: rows,
                untracked: 0,
                bytes: windows * 64 * (1 + it.spec.aggregates.len() as u64),
            }
        });
        stats.collect()
    }
}

impl All {
    fn resource(defined: Vec<Defined>, version: u64) -> contract::Windows {
        contract::Windows::new(Self(RefCell::new(Inner { defined, version, unsaved: Vec::new() })))
    }
}

impl Inner {
    /// Some of the windows that are to be given: all of the first definition's before the next one's. The closure takes
    /// how many there may be, and also says whether these are still open.
    fn piece(
        &mut self,
        portion: contract::Portion,
        mut give: impl FnMut(&mut Defined, usize) -> (Vec<crate::windows::Window>, bool),
    ) -> contract::OutputPiece {
        let mut left = portion.windows.min(u32::try_from(portion.bytes / WINDOW_BYTES).unwrap_or(u32::MAX)).max(1) as usize;
        let mut outputs = Vec::new();
        for (index, it) in (0..).zip(&mut self.defined) {
            let (windows, are_open) = give(it, left);
            left -= windows.len();
            if !windows.is_empty() {
                outputs.push(output::output(index, &it.spec, &it.types, &windows, are_open));
            }
        }
        contract::OutputPiece { outputs, more: left == 0 }
    }

    /// The parts of definitions that changed since a version.
    fn changed_since(&self, since: u64) -> Vec<contract::Part> {
        let is_asked_for = |it: &Defined| match since {
            0 => it.windows.open().next().is_some(),
            since => it.changed_at > since,
        };
        let parts = (0..).zip(&self.defined).filter(|(_, it)| is_asked_for(it));
        parts.map(|(spec, it)| contract::Part { spec, group: 0, bytes: state::write(&it.state()) }).collect()
    }
}

impl Defined {
    fn new(spec: contract::Spec, watermark_us: i64, state: Option<&[u8]>) -> Result<Self, String> {
        let name = spec.name.clone();
        let named = |wrong: String| format!("window `{name}`: {wrong}");
        let plan = plan(&spec).map_err(named)?;
        let state = match state {
            Some(bytes) => {
                state::read(bytes, &says(&spec), spec.aggregates.len()).map_err(|wrong| format!("window `{}`: {wrong}", spec.name))?
            }
            None => State { types: vec![None; spec.aggregates.len()], ..State::default() },
        };
        Ok(Self {
            types: state.types,
            windows: Windows::new(plan, watermark_us, state.windows),
            changed_at: 0,
            spec,
        })
    }

    fn update(&mut self, rows: &contract::Rows, columns: Columns<'_>, version: u64) -> contract::Report {
        let mut report = contract::Report {
            taken: 0,
            invalid: Vec::new(),
            assignments: 0,
            accepted: 0,
            untracked: 0,
            late: 0,
            duplicate: 0,
            conflict: 0,
            late_rows: Vec::new(),
            conflict_rows: Vec::new(),
        };
        self.types = columns.types.clone();
        for (row, order) in (0..).zip(columns::orders(rows, &columns)) {
            let kind = columns::entry(&rows.kinds, row as usize);
            if !self.spec.kinds.iter().any(|it| it.as_bytes() == kind) {
                continue;
            }
            report.taken += 1;
            match self.windows.take(&columns.row(row as usize, order)) {
                Fate::Accepted => report.accepted += 1,
                Fate::Late => report.late_rows.push(row),
                Fate::Invalid => report.invalid.push(row),
            }
        }
        report.late = report.late_rows.len() as u64;
        report.assignments = report.accepted + report.late;
        self.touch(report.accepted > 0, version);
        report
    }

    fn touch(&mut self, changed: bool, version: u64) {
        if changed {
            self.changed_at = version;
        }
    }

    fn state(&self) -> State {
        State {
            spec: says(&self.spec),
            types: self.types.clone(),
            windows: self.windows.open().cloned().collect(),
        }
    }
}

/// What of a definition this function does; what it does not do is refused by name.
fn plan(spec: &contract::Spec) -> Result<Spec, String> {
    let contract::Shape::Tumbling(size_us) = spec.shape else {
        return Err("only tumbling windows are done here".to_owned());
    };
    let size_us = i64::try_from(size_us).ok().filter(|size_us| (1..1 << 60).contains(size_us));
    let size_us = size_us.ok_or("its size is out of range")?;
    if spec.ids.is_some() {
        return Err("ids are not done here: leave `ids` out, or take the standard window function".to_owned());
    }
    let operations = spec.aggregates.iter().map(|aggregate| match aggregate.operation {
        contract::Operation::First => Ok(Operation::First),
        contract::Operation::Last => Ok(Operation::Last),
        contract::Operation::Min => Ok(Operation::Min),
        contract::Operation::Max => Ok(Operation::Max),
        contract::Operation::Sum => Ok(Operation::Sum),
        contract::Operation::Count => Ok(Operation::Count),
        _ => Err(format!("the operation of `{}` is not done here", aggregate.name)),
    });
    Ok(Spec { size_us, offset_us: spec.offset_us.rem_euclid(size_us), operations: operations.collect::<Result<_, _>>()? })
}

/// A definition in words: its state is worth nothing under another one.
fn says(spec: &contract::Spec) -> String {
    let aggregates = spec.aggregates.iter().map(|it| {
        format!("{}={:?}({})", it.name, it.operation, it.column.as_deref().unwrap_or_default())
    });
    format!(
        "{:?} by {} of {} at {}{:+}: {}",
        spec.kinds,
        spec.keys.join(","),
        spec.time,
        match spec.shape {
            contract::Shape::Tumbling(size_us) => size_us,
            _ => 0,
        },
        spec.offset_us,
        aggregates.collect::<Vec<_>>().join(", ")
    )
}
