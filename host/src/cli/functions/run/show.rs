//! How rows, candles and rejected records of a sample are shown.

use std::collections::BTreeMap;

use comfy_table::CellAlignment;
use serde_json::{Map, Value, json};
use tallow_engine::golden::row_as_json;
use tallow_engine::{Marked, Parsed, Table};
use tallow_record::Batch;
use tallow_vet::excerpt;

use crate::cli::functions::values;
use crate::cli::report::counted;
use crate::cli::table::{indented, table};

/// Rows and rejections that people are shown.
const SHOWN: usize = 40;

/// Rows as they are shown.
pub struct Shown {
    json: bool,
    begin: &'static [&'static str],
    table: Option<comfy_table::Table>,
    rows: usize,
}

impl Shown {
    pub fn new(json: bool, begin: &'static [&'static str]) -> Self {
        Self { json, begin, table: None, rows: 0 }
    }

    pub fn row(&mut self, of: &Table, row: usize, begin: Map<String, Value>) {
        self.rows += 1;
        if self.json {
            println!("{}", row_as_json(of, row, begin));
            return;
        }
        if self.rows > SHOWN {
            return;
        }
        let first = self.begin.iter().map(|name| match &begin[*name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let cells: Vec<String> = first.chain(values::row(of, row)).collect();
        self.table.get_or_insert_with(|| header(self.begin, of)).add_row(cells);
    }

    pub fn finish(self) {
        if let Some(table) = &self.table {
            println!("{}", indented(table));
        }
        if self.rows > SHOWN && !self.json {
            println!("  … and {} more (--json shows all)", counted((self.rows - SHOWN) as u64, "row"));
        }
    }
}

fn header(begin: &[&str], of: &Table) -> comfy_table::Table {
    let names: Vec<&str> =
        begin.iter().copied().chain(of.columns.iter().map(|column| column.name.as_str())).collect();
    let mut table = table(&names);
    if let Some(kind) = begin.len().checked_sub(1).and_then(|kind| table.column_mut(kind)) {
        kind.set_cell_alignment(CellAlignment::Left);
    }
    for (index, column) in of.columns.iter().enumerate() {
        if !values::is_number(&column.data)
            && let Some(column) = table.column_mut(begin.len() + index)
        {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    table
}

/// What became of the records.
#[derive(Default)]
pub struct Apart {
    records: usize,
    rows: usize,
    rounded: u64,
    ignored: BTreeMap<String, usize>,
    rejected: BTreeMap<String, usize>,
    /// Offset, reason and value of the first rejected ones.
    examples: Vec<(i64, String, String)>,
}

impl Apart {
    pub fn add(&mut self, batch: &Batch, parsed: &Parsed) {
        self.records += batch.len();
        self.rows += parsed.rows.table.rows as usize;
        self.rounded += parsed.rounded;
        let count = |counts: &mut BTreeMap<String, usize>, marked: &Marked| {
            marked.iter().for_each(|(_, reason)| *counts.entry(reason.to_owned()).or_default() += 1);
        };
        count(&mut self.ignored, &parsed.ignored);
        count(&mut self.rejected, &parsed.rejected);
        for (record, reason) in parsed.rejected.iter().take(SHOWN.saturating_sub(self.examples.len())) {
            let value = batch.values.get(record).unwrap_or_default();
            self.examples.push((batch.offsets[record], reason.to_owned(), excerpt(value)));
        }
    }

    pub fn finish(self, json: bool) {
        let Self { records, rows, rounded, ignored, rejected, examples } = self;
        if json {
            let counts = json!({
                "records": records, "rows": rows, "ignored": ignored, "rejected": rejected, "rounded": rounded,
            });
            println!("{}", json!({ "counts": counts }));
            return;
        }
        let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        let (ignored_sum, rejected_sum) = (sum(&ignored), sum(&rejected));
        let (records, rows) = (counted(records as u64, "record"), counted(rows as u64, "row"));
        println!("{records}: {rows}, {ignored_sum} ignored, {rejected_sum} rejected, {rounded} rounded");
        for (reason, records) in &ignored {
            println!("  ignored   {records:>6}  {reason}");
        }
        for (offset, reason, value) in &examples {
            println!("  rejected  offset {offset}: {reason}: {value}");
        }
    }
}
