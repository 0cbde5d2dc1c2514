//! From the cells of a message to its rows: one, or one per item of the arrays that the schema's paths lead into.

use parse_base::json::Value;
use parse_base::reason::{Apart, Step};
use tallow_contract::Headers;

use crate::cells::Cells;
use crate::column::{Column, Input, Type};
use crate::convert::{push_text, write};
use crate::full::{Full, Items};
use crate::kinds::Kinds;
use crate::plan::{Kind, Plan, Rows};
use crate::record::Record;

/// A message whose rows are made.
pub(crate) struct Message<'m, 'p, 'a> {
    pub plan: &'p Plan,
    pub record: &'m Record<'a>,
    pub full: &'m mut Full<'p, 'a>,
    pub cells: &'m mut Cells<'a>,
    pub kinds: &'m mut Kinds<'p, 'a>,
    pub rows: &'m mut Rows,
    /// Why a row was not made, though nothing was wrong.
    pub passed_over: Option<Box<Apart>>,
    /// What is wrong with the message, if the schema is permissive.
    pub broken: Option<Box<Apart>>,
}

impl<'m, 'p, 'a> Message<'m, 'p, 'a> {
    /// Makes the rows of a message that has been read, or could not be. On an error rows may have been made: the caller
    /// takes them back.
    #[inline]
    pub fn rows(&mut self, read: Step<Option<Box<Apart>>>) -> Step<()> {
        let before = self.rows.count();
        match read {
            Ok(None) => self.level(0)?,
            Ok(fault) if self.plan.permissive.is_some() => {
                self.broken = fault;
                self.level(0)?;
                // An array that could not be read is not an empty one.
                if self.rows.count() == before {
                    self.row(None)?;
                }
            }
            Err(fault) if self.plan.permissive.is_some() => {
                self.cells.clear();
                self.broken = Some(fault);
                self.row(None)?;
            }
            Ok(Some(fault)) => return Err(self.unwanted().unwrap_or(fault)),
            Err(fault) => return Err(fault),
        }
        if self.rows.count() > before {
            return Ok(());
        }
        Err(self.passed_over.take().unwrap_or_else(|| Apart::ignored("no rows")))
    }

    /// Why a message is ignored, if it says that it is of a kind that is not wanted. What such messages hold is not the
    /// schema's.
    #[cold]
    fn unwanted(&mut self) -> Option<Box<Apart>> {
        let Kind::At { cell, .. } = &self.plan.kind else { return None };
        let written = self.cells.get(*cell)?;
        let wanted = self.kinds.code(written).ok()?;
        wanted.is_none().then(|| self.kinds.not_asked_for(Some(written)))
    }

    /// Ends a row of which all but these columns are set.
    pub fn end(&mut self, others: &[usize], kind: u32) -> Step<()> {
        if !others.is_empty() {
            self.cells.clear();
        }
        for &index in others {
            if let Some(column) = self.plan.columns.get(index) {
                self.cell(column, index == self.plan.event_time)?;
            }
        }
        self.rows.end(self.record.index, kind);
        Ok(())
    }

    /// The rows of the items at this depth of the exploded arrays.
    fn level(&mut self, depth: usize) -> Step<()> {
        let plan = self.plan;
        let Some(exploded) = plan.tree.exploded.get(depth) else { return self.row(None) };
        let array = std::mem::take(&mut self.full.arrays[depth]);
        let mut index = 0;
        for item in Items::new(array) {
            self.cells.forget(&exploded.cells);
            self.full.arrays[depth + 1..].fill(&[]);
            let made = match self.full.item(exploded.item, item, self.cells) {
                Ok(None) => self.level(depth + 1),
                Ok(fault) if plan.permissive.is_some() => self.row(fault),
                Ok(Some(fault)) | Err(fault) => Err(fault),
            };
            made.map_err(|apart| within(apart, &exploded.path, index))?;
            index += 1;
        }
        if index == 0 {
            self.passed_over.get_or_insert_with(|| Apart::ignored(format!("{}: no items", exploded.path)));
        }
        Ok(())
    }

    /// Makes a row of the cells. With a fault, or one found here, it is a row of what could be read, if the schema is
    /// permissive.
    #[inline]
    fn row(&mut self, mut fault: Option<Box<Apart>>) -> Step<()> {
        let kind = match &self.plan.kind {
            Kind::Fixed(_) => self.kinds.last(),
            Kind::At { cell, path } => match self.cells.get(*cell) {
                Some(kind) => self.kinds.code(kind)?,
                None => return Err(self.cause(fault).unwrap_or_else(|| missing("kind", path))),
            },
        };
        let Some(kind) = kind else {
            let written = match &self.plan.kind {
                Kind::At { cell, .. } => self.cells.get(*cell),
                Kind::Fixed(_) => None,
            };
            self.passed_over.get_or_insert_with(|| self.kinds.not_asked_for(written));
            return Ok(());
        };
        for (index, column) in self.plan.columns.iter().enumerate() {
            let needed = index == self.plan.event_time;
            if let Err(apart) = self.cell(column, needed) {
                if needed || self.plan.permissive.is_none() {
                    return Err(self.cause(fault).unwrap_or(apart));
                }
                fault.get_or_insert(apart);
            }
        }
        if (fault.is_some() || self.broken.is_some())
            && let Some(raw) = self.plan.permissive.flatten()
        {
            let text = String::from_utf8_lossy(self.record.value);
            push_text(self.rows.columns.get_mut(raw), text.as_bytes());
        }
        self.rows.end(self.record.index, kind);
        Ok(())
    }

    /// The first thing that is wrong.
    #[cold]
    fn cause(&mut self, fault: Option<Box<Apart>>) -> Option<Box<Apart>> {
        self.broken.take().or(fault)
    }

    /// Sets a column of the row; one without a value stays null.
    #[inline]
    fn cell(&mut self, column: &Column, needed: bool) -> Step<()> {
        let builder = column.wanted.and_then(|wanted| self.rows.columns.get_mut(wanted));
        let rounded = &mut self.rows.rounded;
        if let Input::Cell { cell, .. } = &column.input
            && let Some(value) = self.cells.get(*cell)
        {
            return write(column, value, builder, rounded);
        }
        let number;
        let value = match &column.input {
            Input::Cell { .. } => None,
            Input::Key => self.record.key.map(Value),
            Input::Topic => Some(Value(self.record.topic.as_bytes())),
            Input::Header(name) => self.record.headers.and_then(|it| header(it, self.record.index, name)),
            Input::Partition => {
                number = self.record.partition.to_string();
                Some(Value(number.as_bytes()))
            }
            Input::Offset => {
                number = self.record.offset.to_string();
                Some(Value(number.as_bytes()))
            }
            Input::Timestamp => return timestamp(column, self.record.timestamp_us, needed, self.rows),
        };
        match (value, &column.default) {
            (Some(value), _) => {
                std::str::from_utf8(value.0).map_err(|_| value.fault(&column.name, "not UTF-8"))?;
                match column.type_ {
                    // Not JSON: quotes are part of it.
                    Type::Text => push_text(builder, value.0),
                    _ => write(column, value, builder, rounded)?,
                }
                Ok(())
            }
            (None, Some(default)) => write(column, Value(default), builder, rounded),
            (None, None) if needed || column.required => Err(absent(column)),
            (None, None) => Ok(()),
        }
    }
}

/// Kafka's timestamp.
fn timestamp(column: &Column, timestamp_us: i64, needed: bool, rows: &mut Rows) -> Step<()> {
    if timestamp_us < 0 {
        return if needed || column.required { Err(absent(column)) } else { Ok(()) };
    }
    if let Some(wanted) = column.wanted
        && let Some(builder) = rows.columns.get_mut(wanted)
    {
        builder.push_integer(Some(timestamp_us));
    }
    Ok(())
}

/// The last header of a name, as Kafka's clients take it.
fn header<'a>(headers: &'a Headers, record: u32, name: &str) -> Option<Value<'a>> {
    let from = headers.records.partition_point(|of| *of < record);
    let to = headers.records.partition_point(|of| *of <= record);
    let found = (from..to).rev().find(|at| headers.names.get(*at) == Some(name))?;
    headers.values.get(found).map(Value)
}

fn absent(column: &Column) -> Box<Apart> {
    match &column.input {
        Input::Cell { path, .. } => missing(&column.name, path),
        Input::Key => Apart::rejected(format!("{}: the record has no key", column.name)),
        Input::Header(header) => {
            Apart::rejected(format!("{}: the record has no header `{header}`", column.name))
        }
        _ => Apart::rejected(format!("{}: the record has no timestamp", column.name)),
    }
}

#[cold]
fn missing(name: &str, path: &str) -> Box<Apart> {
    Apart::rejected(format!("{name}: missing ({path})"))
}

#[cold]
fn within(apart: Box<Apart>, path: &str, index: usize) -> Box<Apart> {
    apart.within(|| format!("{} item {index}", path.strip_suffix("[]").unwrap_or(path)))
}
