//! One column in the making.

use tallow_contract::{Column, ColumnData, ColumnType, Decimals, Dictionary};

pub struct Builder {
    name: String,
    column_type: ColumnType,
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

impl Builder {
    /// `scale`: of a decimal column.
    pub fn new(name: &str, column_type: ColumnType, scale: u8, expected_rows: usize) -> Self {
        let data = match column_type {
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
        Builder { name: name.to_owned(), column_type, data, nulls: Vec::new() }
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

    pub fn push_integer(&mut self, value: Option<i64>) {
        match (&mut self.data, value) {
            (Data::Integers(values), Some(value)) => values.push(value),
            _ => self.push_null(),
        }
    }

    pub fn push_text(&mut self, value: Option<&[u8]>) {
        match (&mut self.data, value) {
            (Data::Text { dictionary, codes }, Some(value)) => codes.push(dictionary.code(value)),
            _ => self.push_null(),
        }
    }

    /// A mantissa at the column's scale.
    pub fn push_mantissa(&mut self, value: Option<i128>) {
        match (&mut self.data, value) {
            (Data::Decimals { low, high, .. }, Some(mantissa)) => push_mantissa(low, high, mantissa),
            _ => self.push_null(),
        }
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

    /// Makes `rows` rows, all with this text from the present end on.
    pub fn fill_with_text(&mut self, text: &[u8], rows: usize) {
        if let Data::Text { dictionary, codes } = &mut self.data {
            let code = dictionary.code(text);
            codes.resize(rows, code);
        }
    }

    /// Cuts, or fills up with the value of null rows.
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
            Data::Integers(values) if self.column_type == ColumnType::TimestampUs => {
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
        Column { name: self.name, data, validity }
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
