//! A window function: rows in, windows out, with state that can be snapshot and restored. State comes and goes in
//! pieces, which are put together here.

mod instance;
mod join;
mod old;

use std::time::Duration;

use self::instance::Instance;
use crate::component::Body;
use crate::remote::RemoteWindows;
use crate::validate;
use crate::{
    CallError, ColumnData, Component, Fill, Limits, Output, Part, Report, Rows, Spec, Stats, Table,
    WindowDescription, latest,
};

/// State that changed.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// To be given to the next snapshot as `since`.
    pub version: u64,
    pub parts: Vec<Part>,
}

/// An instance with the open windows of one pipeline. After an error other than [`CallError::Refused`] it is
/// spent: restore another one from the last snapshot.
pub struct WindowFunction {
    live: Live,
    specs: usize,
    /// Those of the specs that ask for empty windows.
    filling: Vec<u32>,
    /// Specs whose rows replace each other.
    replacing: Vec<u32>,
    base_version: u64,
}

/// What answers calls.
enum Live {
    Local(Box<Instance>),
    Remote(RemoteWindows),
}

impl WindowFunction {
    fn of(live: Live, specs: &[Spec]) -> Self {
        let (filling, replacing) = (filling(specs), replacing(specs));
        Self { live, specs: specs.len(), filling, replacing, base_version: 0 }
    }

    /// What a component says about itself.
    pub fn describe(component: &Component, limits: Limits) -> Result<WindowDescription, CallError> {
        match &component.body {
            Body::Remote(remote) => Ok(remote.descriptor.window()?),
            Body::Local(local) => Instance::describe(local, limits),
        }
    }

    /// Empty state.
    pub fn open(component: &Component, limits: Limits, specs: &[Spec]) -> Result<Self, CallError> {
        let live = match &component.body {
            Body::Remote(remote) => Live::Remote(RemoteWindows::open(remote.clone(), specs)?),
            Body::Local(local) => Live::Local(Box::new(Instance::open(local, limits, specs)?)),
        };
        Ok(Self::of(live, specs))
    }

    /// State from snapshot parts, under the watermark that held then (µs).
    pub fn restore(
        component: &Component,
        limits: Limits,
        specs: &[Spec],
        watermark_us: i64,
        parts: &[Part],
    ) -> Result<Self, CallError> {
        let live = match &component.body {
            Body::Remote(remote) => {
                Live::Remote(RemoteWindows::restore(remote.clone(), specs, watermark_us, parts)?)
            }
            Body::Local(local) => {
                Live::Local(Box::new(Instance::restore(local, limits, specs, watermark_us, parts)?))
            }
        };
        let mut function = Self::of(live, specs);
        function.base_version = function.snapshot(u64::MAX)?.version;
        Ok(function)
    }

    /// Takes rows in; a report a spec.
    pub fn update(&mut self, rows: &Rows) -> Result<Vec<Report>, CallError> {
        let reports = match &mut self.live {
            Live::Remote(remote) => remote.update(rows)?,
            Live::Local(local) => local.update(rows)?,
        };
        if reports.len() != self.specs {
            return Err(CallError::Contract(format!("{} reports for {} specs", reports.len(), self.specs)));
        }
        let rows = rows.table.rows;
        for report in &reports {
            let lists = [&report.invalid, &report.late_rows, &report.conflict_rows];
            if report.untracked > report.accepted {
                return Err(CallError::Contract(
                    "a report has more untracked rows than accepted ones".into(),
                ));
            }
            if lists.iter().any(|list| list.last().is_some_and(|last| *last >= rows) || !list.is_sorted()) {
                return Err(CallError::Contract("a report names rows out of order or out of range".into()));
            }
        }
        Ok(reports)
    }

    /// Closes every window whose end is at or before the watermark (µs); an output a spec, where there are any.
    pub fn advance(&mut self, watermark_us: i64) -> Result<Vec<Output>, CallError> {
        let outputs = match &mut self.live {
            Live::Remote(remote) => remote.advance(watermark_us)?,
            Live::Local(local) => local.advance(watermark_us)?,
        };
        self.checked(outputs)
    }

    /// Gives every open window that changed since it was last given so, and keeps it open.
    pub fn close_all(&mut self) -> Result<Vec<Output>, CallError> {
        let outputs = match &mut self.live {
            Live::Remote(remote) => remote.close_all()?,
            Live::Local(local) => local.close_all()?,
        };
        self.checked(outputs)
    }

    /// Open windows that changed since the last call of this.
    pub fn changed(&mut self) -> Result<Vec<Output>, CallError> {
        let outputs = match &mut self.live {
            Live::Remote(remote) => remote.changed()?,
            Live::Local(local) => local.changed()?,
        };
        self.checked(outputs)
    }

    /// The version at which the instance began: a snapshot since then gives what is not in the parts that it was
    /// restored from, emptied parts included. 0 for an empty state.
    pub fn base_version(&self) -> u64 {
        self.base_version
    }

    /// State that changed after version `since` (0: all).
    pub fn snapshot(&mut self, since: u64) -> Result<Snapshot, CallError> {
        let snapshot = match &mut self.live {
            Live::Remote(remote) => remote.snapshot(since),
            Live::Local(local) => local.snapshot(since)?,
        };
        self.known_specs("a part", snapshot.parts.iter().map(|part| part.spec))?;
        Ok(snapshot)
    }

    pub fn stats(&mut self) -> Result<Vec<Stats>, CallError> {
        let stats = match &mut self.live {
            Live::Remote(remote) => remote.stats()?,
            Live::Local(local) => local.stats()?,
        };
        self.known_specs("stats", stats.iter().map(|it| it.spec))?;
        Ok(stats)
    }

    /// Gives calls another deadline, from the next one on.
    pub fn set_deadline(&mut self, deadline: Duration) {
        // A gateway bounds its work itself.
        if let Live::Local(local) = &mut self.live {
            local.set_deadline(deadline);
        }
    }

    /// Bytes of memory that the function had when the last call began; `None` if it runs elsewhere. It is there when
    /// the instance is spent, too.
    pub fn memory_before(&self) -> Option<u64> {
        match &self.live {
            Live::Local(local) => Some(local.memory_before()),
            Live::Remote(_) => None,
        }
    }

    fn checked(&self, outputs: Vec<Output>) -> Result<Vec<Output>, CallError> {
        self.known_specs("an output", outputs.iter().map(|output| output.spec))?;
        for output in &outputs {
            validate::table(&output.table).map_err(CallError::Contract)?;
            if self.filling.contains(&output.spec) && !has_filled(&output.table) {
                return Err(CallError::Contract(format!(
                    "it does not fill: its windows have no boolean column `{}`. Remove `fill` from the window, or take \
                     the window function that comes with tallow",
                    Fill::FILLED
                )));
            }
        }
        if let Some(spec) =
            outputs.iter().find(|it| self.replacing.contains(&it.spec) && has_latest(&it.table))
        {
            let spec = spec.spec;
            return Err(CallError::Contract(format!(
                "rows do not replace each other: its windows of spec {spec} have a column `{}`. Remove `latest-by` from the \
                 window, or take the window function that comes with tallow",
                latest::NAME
            )));
        }
        Ok(outputs)
    }

    fn known_specs(&self, what: &str, mut specs: impl Iterator<Item = u32>) -> Result<(), CallError> {
        match specs.find(|spec| *spec as usize >= self.specs) {
            None => Ok(()),
            Some(spec) => Err(CallError::Contract(format!("{what} of spec {spec} of {}", self.specs))),
        }
    }
}

fn filling(specs: &[Spec]) -> Vec<u32> {
    let asks = |spec: &Spec| spec.aggregates.iter().any(|it| Fill::asked(it).is_some());
    (0..).zip(specs).filter(|(_, spec)| asks(spec)).map(|(index, _)| index).collect()
}

/// Specs whose rows replace each other, and that have no column of the name by which that is asked for.
fn replacing(specs: &[Spec]) -> Vec<u32> {
    let asks = |spec: &Spec| {
        let mut named = spec.aggregates.iter().filter(|it| it.name == latest::NAME);
        named.clone().count() == 1 && named.any(|it| latest::asked(it).is_some())
    };
    (0..).zip(specs).filter(|(_, spec)| asks(spec)).map(|(index, _)| index).collect()
}

fn has_latest(table: &Table) -> bool {
    table.columns.iter().any(|column| column.name == latest::NAME)
}

fn has_filled(table: &Table) -> bool {
    let column = table.columns.iter().find(|column| column.name == Fill::FILLED);
    column.is_some_and(|it| matches!(it.data, ColumnData::Boolean(_)) && it.validity.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn a_count_under_the_name_of_a_filled_column_is_none() {
        let table = |data, validity| {
            let columns = vec![Column { name: Fill::FILLED.to_owned(), data, validity }];
            Table { rows: 1, columns }
        };
        assert!(has_filled(&table(ColumnData::Boolean(vec![false]), None)));
        assert!(!has_filled(&table(ColumnData::Boolean(vec![false]), Some(vec![0]))));
        assert!(!has_filled(&table(ColumnData::Int64(vec![3]), None)));
        assert!(!has_filled(&Table { rows: 1, columns: vec![] }));
    }
}
