//! The rows of a call, column by column. Only wanted columns are made; what a line does not have is null.

use parse_base::builder::Data;
use parse_base::columns::Columns;
use parse_base::interval::Interval;
use parse_base::rows::Builders;
use parse_base::{Table, Text};

use crate::block::Block;
use crate::options::Plan;
use crate::schema::{COLUMNS, ColumnId, KINDS};

/// A kline as the careful way reads it.
pub struct Kline<'a> {
    pub symbol: &'a str,
    pub open_time_us: i64,
    pub interval: Option<Interval>,
    /// Mantissas at the columns' scales.
    pub decimals: [Option<i128>; 8],
    pub trades: Option<i64>,
    pub flagged: bool,
    /// How many of the decimals were rounded.
    pub rounded: u64,
}

pub struct Rows {
    columns: Columns<ColumnId, { COLUMNS.len() }>,
    records: Vec<u32>,
    id_unit_us: Option<i64>,
    rounded: u64,
}

impl Rows {
    pub fn new(plan: &Plan<'_>, expected_rows: usize) -> Self {
        let columns = Columns::new(&plan.columns, expected_rows);
        let records = Vec::with_capacity(expected_rows);
        Rows { columns, records, id_unit_us: plan.id_unit_us, rounded: 0 }
    }

    pub fn push(&mut self, record: u32, kline: &Kline<'_>) {
        self.records.push(record);
        self.rounded += kline.rounded;
        let id = match self.id_unit_us {
            Some(unit_us) => Some(kline.open_time_us.div_euclid(unit_us)),
            None => kline.interval.map(|interval| interval.number(kline.open_time_us)),
        };
        self.text(ColumnId::Symbol, Some(kline.symbol));
        self.text(ColumnId::Interval, kline.interval.map(Interval::name).as_deref());
        self.integer(ColumnId::EventTime, Some(kline.open_time_us));
        self.integer(ColumnId::Id, id);
        self.integer(ColumnId::LastId, id);
        self.integer(ColumnId::Trades, kline.trades);
        self.integer(ColumnId::Flagged, Some(i64::from(kline.flagged)));
        for (column, mantissa) in ColumnId::DECIMALS.into_iter().zip(kline.decimals) {
            if let Some(builder) = self.columns.get(column) {
                builder.push_mantissa(mantissa);
            }
        }
    }

    /// Klines that the template has read.
    pub fn extend(&mut self, block: &Block) {
        let rows = self.records.len();
        self.records.extend_from_slice(block.records());
        for (id, builder) in self.columns.iter_mut() {
            match (&mut builder.data, block.integers(id)) {
                (Data::Integers(values), Some(integers)) => values.extend_from_slice(integers),
                (Data::Decimals { low, high, .. }, Some(mantissas)) => {
                    low.extend_from_slice(mantissas);
                    if !high.is_empty() {
                        high.resize(rows + mantissas.len(), 0);
                    }
                }
                (Data::Text { codes, .. }, _) if id == ColumnId::Symbol => {
                    codes.extend_from_slice(block.symbols());
                }
                (Data::Text { .. }, _) if id == ColumnId::Interval && block.interval.is_some() => {
                    let name = block.interval.map(Interval::name).unwrap_or_default();
                    builder.fill_with_text(name.as_bytes(), rows + block.records().len());
                }
                _ if [ColumnId::Settings, ColumnId::Remarks].contains(&id) => {}
                _ => builder.fill_with_nulls(rows + block.records().len()),
            }
        }
    }

    /// By which settings the rows since the last call were read, and what is to be remarked.
    pub fn mark(&mut self, settings: impl FnOnce() -> String, remarks: &[String]) {
        let rows = self.records.len();
        if let Some(builder) = self.columns.get(ColumnId::Settings) {
            builder.fill_with_text(settings().as_bytes(), rows);
        }
        if let Some(builder) = self.columns.get(ColumnId::Remarks) {
            builder.fill_with_text(remarks.join("\n").as_bytes(), rows);
        }
    }

    /// Code of a symbol for [`Block::symbols`].
    pub fn symbol_code(&mut self, symbol: &[u8]) -> u32 {
        self.columns.text_code(ColumnId::Symbol, symbol)
    }

    /// The table, the record of each row, the kinds, and how many decimals were rounded.
    pub fn into_table(self) -> (Table, Vec<u32>, Text, u64) {
        let rows = self.records.len();
        let [kind] = KINDS;
        let kinds = Text { bytes: kind.into(), ends: vec![kind.len() as u32], codes: vec![0; rows] };
        let table = Table { rows: rows as u32, columns: self.columns.finish(rows) };
        (table, self.records, kinds, self.rounded)
    }

    fn integer(&mut self, column: ColumnId, value: Option<i64>) {
        if let Some(builder) = self.columns.get(column) {
            builder.push_integer(value);
        }
    }

    fn text(&mut self, column: ColumnId, value: Option<&str>) {
        if let Some(builder) = self.columns.get(column) {
            builder.push_text(value.map(str::as_bytes));
        }
    }
}
