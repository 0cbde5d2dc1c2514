//! One column in the making.

use crate::dictionary::Dictionary;
use crate::output::{Column, ColumnData, Decimals};
use crate::schema::{ColumnId, ColumnInfo, ColumnType};
use crate::template::Trade;

/// A wanted column.
pub(crate) struct Builder {
    pub info: &'static ColumnInfo,
    pub data: Data,
    /// Rows, ascending, that are null.
    nulls: Vec<u32>,
}

/// The values so far; null rows hold a zero.
pub(crate) enum Data {
    Integers(Vec<i64>),
    /// `high` is empty until a mantissa needs it.
    Decimals {
        scale: u8,
        low: Vec<i64>,
        high: Vec<i64>,
    },
    Booleans(Vec<bool>),
    Text {
        dictionary: Dictionary,
        codes: Vec<u32>,
    },
}

impl Builder {
    pub fn new(info: &'static ColumnInfo, scale: u8, expected_rows: usize) -> Self {
        let data = match info.column_type {
            ColumnType::Int64 | ColumnType::TimestampUs => Data::Integers(Vec::with_capacity(expected_rows)),
            ColumnType::Decimal => {
                Data::Decimals { scale, low: Vec::with_capacity(expected_rows), high: Vec::new() }
            }
            ColumnType::Boolean => Data::Booleans(Vec::with_capacity(expected_rows)),
            ColumnType::Text => {
                Data::Text { dictionary: Dictionary::default(), codes: Vec::with_capacity(expected_rows) }
            }
        };
        Builder { info, data, nulls: Vec::new() }
    }

    pub fn len(&self) -> usize {
        match &self.data {
            Data::Integers(values) => values.len(),
            Data::Decimals { low, .. } => low.len(),
            Data::Booleans(values) => values.len(),
            Data::Text { codes, .. } => codes.len(),
        }
    }

    pub fn push_null(&mut self) {
        self.nulls.push(self.len() as u32);
        self.resize(self.len() + 1);
    }

    pub fn truncate(&mut self, rows: usize) {
        if self.len() > rows {
            self.resize(rows);
        }
        let kept = self.nulls.partition_point(|&row| (row as usize) < rows);
        self.nulls.truncate(kept);
    }

    /// Cuts, or fills up with the value that stands in null rows.
    fn resize(&mut self, rows: usize) {
        match &mut self.data {
            Data::Integers(values) => values.resize(rows, 0),
            Data::Decimals { low, high, .. } => {
                low.resize(rows, 0);
                if !high.is_empty() {
                    high.resize(rows, 0);
                }
            }
            Data::Booleans(values) => values.resize(rows, false),
            Data::Text { codes, .. } => codes.resize(rows, 0),
        }
    }

    /// Rows of trades that a template has read, after `rows` others.
    pub fn extend(&mut self, rows: usize, trades: &[Trade]) {
        use ColumnId::{BuyerMaker, EventTime, Id, LastId, Price, Quantity, Symbol, Trades};
        match (&mut self.data, self.info.id) {
            (Data::Integers(values), EventTime) => {
                values.extend(trades.iter().map(|trade| trade.event_time_us))
            }
            (Data::Integers(values), Id) => values.extend(trades.iter().map(|trade| trade.id)),
            (Data::Integers(values), LastId) => values.extend(trades.iter().map(|trade| trade.last_id)),
            (Data::Integers(values), Trades) => {
                values.extend(trades.iter().map(|trade| trade.last_id - trade.id + 1));
            }
            (Data::Decimals { low, high, .. }, id @ (Price | Quantity)) => {
                match id {
                    Price => low.extend(trades.iter().map(|trade| trade.price)),
                    _ => low.extend(trades.iter().map(|trade| trade.quantity)),
                }
                if !high.is_empty() {
                    high.resize(rows + trades.len(), 0);
                }
            }
            (Data::Booleans(values), BuyerMaker) => {
                values.extend(trades.iter().map(|trade| trade.buyer_maker))
            }
            (Data::Text { codes, .. }, Symbol) => codes.extend(trades.iter().map(|trade| trade.symbol)),
            _ => {
                let end = rows + trades.len();
                self.nulls.extend(rows as u32..end as u32);
                self.resize(end);
            }
        }
    }

    pub fn into_column(self, rows: usize) -> Column {
        let data = match self.data {
            Data::Integers(values) if self.info.column_type == ColumnType::TimestampUs => {
                ColumnData::TimestampUs(values)
            }
            Data::Integers(values) => ColumnData::Int64(values),
            Data::Decimals { scale, low, high } => {
                ColumnData::Decimal(Decimals { scale, values: low, high: (!high.is_empty()).then_some(high) })
            }
            Data::Booleans(values) => ColumnData::Boolean(values),
            Data::Text { dictionary, codes } => ColumnData::Text(dictionary.into_text(codes)),
        };
        let validity = (!self.nulls.is_empty()).then(|| {
            let mut bits = vec![u8::MAX; rows.div_ceil(8)];
            if let (Some(last), used @ 1..) = (bits.last_mut(), rows % 8) {
                *last = (1 << used) - 1;
            }
            for row in self.nulls {
                bits[row as usize / 8] &= !(1 << (row % 8));
            }
            bits
        });
        Column { name: self.info.name, data, validity }
    }
}

/// Appends a mantissa; the high halves begin with the first one that needs them.
pub(crate) fn push_mantissa(low: &mut Vec<i64>, high: &mut Vec<i64>, mantissa: i128) {
    let fits = i64::try_from(mantissa).is_ok();
    if !fits && high.is_empty() {
        high.extend(low.iter().map(|low| low >> 63));
    }
    if !fits || !high.is_empty() {
        high.push((mantissa >> 64) as i64);
    }
    low.push(mantissa as i64);
}
