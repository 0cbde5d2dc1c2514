//! One column in the making.

use tallow_contract::{Column, ColumnData, ColumnType, Decimals, Dictionary};

use crate::column::ColumnInfo;

/// A wanted column.
pub struct Builder<Id: 'static> {
    pub info: &'static ColumnInfo<Id>,
    pub data: Data,
    /// Rows, ascending, that are null.
    nulls: Vec<u32>,
}

/// The values so far; null rows hold a zero.
pub enum Data {
    Integers(Vec<i64>),
    /// `high` is empty until a mantissa needs it.
    Decimals {
        scale: u8,
        low: Vec<i64>,
        high: Vec<i64>,
    },
    Floats(Vec<f64>),
    Booleans(Vec<bool>),
    Text {
        dictionary: Dictionary,
        codes: Vec<u32>,
    },
}

impl<Id> Builder<Id> {
    pub fn new(info: &'static ColumnInfo<Id>, scale: u8, expected_rows: usize) -> Self {
        let data = match info.column_type {
            ColumnType::Int64 | ColumnType::TimestampUs => Data::Integers(Vec::with_capacity(expected_rows)),
            ColumnType::Decimal => {
                Data::Decimals { scale, low: Vec::with_capacity(expected_rows), high: Vec::new() }
            }
            ColumnType::Float64 => Data::Floats(Vec::with_capacity(expected_rows)),
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
            Data::Floats(values) => values.len(),
            Data::Booleans(values) => values.len(),
            Data::Text { codes, .. } => codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push_null(&mut self) {
        self.fill_with_nulls(self.len() + 1);
    }

    pub fn truncate(&mut self, rows: usize) {
        if self.len() > rows {
            self.resize(rows);
        }
        let kept = self.nulls.partition_point(|&row| (row as usize) < rows);
        self.nulls.truncate(kept);
    }

    /// Makes `rows` rows, all nulls from the present end on.
    pub fn fill_with_nulls(&mut self, rows: usize) {
        self.nulls.extend(self.len() as u32..rows as u32);
        self.resize(rows);
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
            Data::Floats(values) => values.resize(rows, 0.0),
            Data::Booleans(values) => values.resize(rows, false),
            Data::Text { codes, .. } => codes.resize(rows, 0),
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
            Data::Floats(values) => ColumnData::Float64(values),
            Data::Booleans(values) => ColumnData::Boolean(values),
            Data::Text { dictionary, codes } => ColumnData::Text(dictionary.into_text(codes)),
        };
        let validity = (!self.nulls.is_empty()).then(|| {
            if self.nulls.len() == rows {
                return vec![0; rows.div_ceil(8)];
            }
            let mut bits = vec![u8::MAX; rows.div_ceil(8)];
            if let (Some(last), used @ 1..) = (bits.last_mut(), rows % 8) {
                *last = (1 << used) - 1;
            }
            for row in self.nulls {
                bits[row as usize / 8] &= !(1 << (row % 8));
            }
            bits
        });
        Column { name: self.info.name.to_owned(), data, validity }
    }
}

/// Appends a mantissa; the high halves begin with the first one that needs them.
#[inline]
pub fn push_mantissa(low: &mut Vec<i64>, high: &mut Vec<i64>, mantissa: i128) {
    let fits = i64::try_from(mantissa).is_ok();
    if !fits && high.is_empty() {
        high.extend(low.iter().map(|low| low >> 63));
    }
    if !fits || !high.is_empty() {
        high.push((mantissa >> 64) as i64);
    }
    low.push(mantissa as i64);
}
