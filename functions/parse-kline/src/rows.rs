//! The rows of a call, column by column. Only wanted columns are made; what a line does not have is null.

use parse_base::builder::{Builder, Data, push_mantissa};
use parse_base::interval::Interval;
use parse_base::{Table, Text};

use crate::block::Block;
use crate::options::Plan;
use crate::schema::{COLUMNS, ColumnId, KINDS};

/// Index in `builders` of a column that is not wanted.
const UNWANTED: u8 = u8::MAX;

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
    builders: Vec<Builder<ColumnId>>,
    /// Index in `builders` of each column.
    slots: [u8; COLUMNS.len()],
    records: Vec<u32>,
    id_unit_us: Option<i64>,
    rounded: u64,
}

impl Rows {
    pub fn new(plan: &Plan<'_>, expected_rows: usize) -> Self {
        let mut slots = [UNWANTED; COLUMNS.len()];
        for (slot, (info, _)) in plan.columns.iter().enumerate() {
            slots[info.id as usize] = slot as u8;
        }
        let builders = plan.columns.iter().map(|(info, scale)| Builder::new(info, *scale, expected_rows));
        let records = Vec::with_capacity(expected_rows);
        Rows { builders: builders.collect(), slots, records, id_unit_us: plan.id_unit_us, rounded: 0 }
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
            let Some(builder) = self.wanted(column) else { continue };
            match (&mut builder.data, mantissa) {
                (Data::Decimals { low, high, .. }, Some(mantissa)) => push_mantissa(low, high, mantissa),
                _ => builder.push_null(),
            }
        }
    }

    /// Klines that the template has read.
    pub fn extend(&mut self, block: &Block) {
        let rows = self.records.len();
        self.records.extend_from_slice(block.records());
        for builder in &mut self.builders {
            match (&mut builder.data, block.integers(builder.info.id)) {
                (Data::Integers(values), Some(integers)) => values.extend_from_slice(integers),
                (Data::Decimals { low, high, .. }, Some(mantissas)) => {
                    low.extend_from_slice(mantissas);
                    if !high.is_empty() {
                        high.resize(rows + mantissas.len(), 0);
                    }
                }
                (Data::Text { codes, .. }, _) if builder.info.id == ColumnId::Symbol => {
                    codes.extend_from_slice(block.symbols());
                }
                (Data::Text { dictionary, codes }, _)
                    if builder.info.id == ColumnId::Interval && block.interval.is_some() =>
                {
                    let name = block.interval.map(Interval::name).unwrap_or_default();
                    let code = dictionary.code(name.as_bytes());
                    codes.resize(rows + block.records().len(), code);
                }
                _ if [ColumnId::Settings, ColumnId::Remarks].contains(&builder.info.id) => {}
                _ => builder.fill_with_nulls(rows + block.records().len()),
            }
        }
    }

    /// By which settings the rows since the last call were read, and what is to be remarked.
    pub fn mark(&mut self, settings: impl FnOnce() -> String, remarks: &[String]) {
        let rows = self.records.len();
        if let Some(Builder { data: Data::Text { dictionary, codes }, .. }) = self.wanted(ColumnId::Settings)
        {
            let code = dictionary.code(settings().as_bytes());
            codes.resize(rows, code);
        }
        if let Some(Builder { data: Data::Text { dictionary, codes }, .. }) = self.wanted(ColumnId::Remarks) {
            let code = dictionary.code(remarks.join("\n").as_bytes());
            codes.resize(rows, code);
        }
    }

    /// Code of a symbol for [`Block::symbols`].
    pub fn symbol_code(&mut self, symbol: &[u8]) -> u32 {
        match self.wanted(ColumnId::Symbol) {
            Some(Builder { data: Data::Text { dictionary, .. }, .. }) => dictionary.code(symbol),
            _ => 0,
        }
    }

    /// The table, the record of each row, the kinds, and how many decimals were rounded.
    pub fn into_table(self) -> (Table, Vec<u32>, Text, u64) {
        let rows = self.records.len();
        let [kind] = KINDS;
        let kinds = Text { bytes: kind.into(), ends: vec![kind.len() as u32], codes: vec![0; rows] };
        let columns = self.builders.into_iter().map(|builder| builder.into_column(rows)).collect();
        (Table { rows: rows as u32, columns }, self.records, kinds, self.rounded)
    }

    fn integer(&mut self, column: ColumnId, value: Option<i64>) {
        let Some(builder) = self.wanted(column) else { return };
        match (&mut builder.data, value) {
            (Data::Integers(values), Some(value)) => values.push(value),
            _ => builder.push_null(),
        }
    }

    fn text(&mut self, column: ColumnId, value: Option<&str>) {
        let Some(builder) = self.wanted(column) else { return };
        match (&mut builder.data, value) {
            (Data::Text { dictionary, codes }, Some(value)) => codes.push(dictionary.code(value.as_bytes())),
            _ => builder.push_null(),
        }
    }

    fn wanted(&mut self, column: ColumnId) -> Option<&mut Builder<ColumnId>> {
        self.builders.get_mut(usize::from(self.slots[column as usize]))
    }
}
