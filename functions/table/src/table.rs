//! Columns as they cross the boundary, in plain Rust.

/// Dictionary text. A code means something inside one call only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// The dictionary's entries, one after the other.
    pub bytes: Vec<u8>,
    /// End of each entry in `bytes`; ascending.
    pub ends: Vec<u32>,
    /// For each row the index of its entry; any value where the row is null.
    pub codes: Vec<u32>,
}

impl Text {
    /// The entry of a code; empty where there is no such code.
    pub fn entry(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = if code == 0 { 0 } else { self.ends.get(code - 1).map_or(0, |&end| end as usize) };
        let end = self.ends.get(code).map_or(start, |&end| end as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Adds an entry to the dictionary and returns its code.
    pub fn push_entry(&mut self, entry: &[u8]) -> u32 {
        self.bytes.extend_from_slice(entry);
        self.ends.push(self.bytes.len() as u32);
        (self.ends.len() - 1) as u32
    }

    /// Whether the dictionary's ends lie in `bytes` and ascend.
    pub fn check(&self) -> Result<(), String> {
        let ascending = self.ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let inside = self.ends.last().is_none_or(|&end| end as usize <= self.bytes.len());
        if ascending && inside { Ok(()) } else { Err("has a broken dictionary".to_owned()) }
    }
}

/// Exact decimals: the number is `mantissa / 10^scale`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decimals {
    pub scale: u8,
    /// The mantissas; their low 64 bits where `high` is there.
    pub values: Vec<i64>,
    /// The high 64 bits of 128-bit mantissas.
    pub high: Option<Vec<i64>>,
}

impl Decimals {
    /// Of mantissas that are there or not; with high halves only where they are needed.
    pub fn new(scale: u8, mantissas: &[Option<i128>]) -> Self {
        let wide = mantissas.iter().flatten().any(|&mantissa| i64::try_from(mantissa).is_err());
        let each = || mantissas.iter().map(|mantissa| mantissa.unwrap_or(0));
        Decimals {
            scale,
            values: each().map(|mantissa| mantissa as i64).collect(),
            high: wide.then(|| each().map(|mantissa| (mantissa >> 64) as i64).collect()),
        }
    }

    /// The mantissa of a row.
    #[inline]
    pub fn mantissa(&self, row: usize) -> i128 {
        match &self.high {
            None => i128::from(self.values[row]),
            Some(high) => wide(self.values[row], high[row]),
        }
    }
}

/// A 128-bit mantissa from its halves.
#[inline]
pub fn wide(low: i64, high: i64) -> i128 {
    (i128::from(high) << 64) | i128::from(low as u64)
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    Int64(Vec<i64>),
    /// Microseconds since 1970-01-01 UTC.
    TimestampUs(Vec<i64>),
    Decimal(Decimals),
    Float64(Vec<f64>),
    Boolean(Vec<bool>),
    Text(Text),
}

impl ColumnData {
    /// How many rows the column has.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Int64(values) | ColumnData::TimestampUs(values) => values.len(),
            ColumnData::Decimal(decimals) => decimals.values.len(),
            ColumnData::Float64(values) => values.len(),
            ColumnData::Boolean(values) => values.len(),
            ColumnData::Text(text) => text.codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type's name, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            ColumnData::Int64(_) => "int64",
            ColumnData::TimestampUs(_) => "timestamp-us",
            ColumnData::Decimal(_) => "decimal",
            ColumnData::Float64(_) => "float64",
            ColumnData::Boolean(_) => "boolean",
            ColumnData::Text(_) => "text",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub data: ColumnData,
    /// A bit a row, least significant bit first, 1 = there is a value; absent: no row is null.
    pub validity: Option<Vec<u8>>,
}

/// Named columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub rows: u32,
    pub columns: Vec<Column>,
}

impl Table {
    /// Finds a column and checks its length, its validity's and its dictionary.
    ///
    /// # Errors
    /// What is wrong with the column, beginning with its name.
    pub fn column(&self, name: &str) -> Result<&Column, String> {
        let Some(column) = self.columns.iter().find(|column| column.name == name) else {
            let there: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            return Err(format!("column `{name}` is not in the table, which has {}", list(&there)));
        };
        let rows = self.rows as usize;
        if column.data.len() != rows {
            return Err(format!("column `{name}` has {} rows of {rows}", column.data.len()));
        }
        if let Some(validity) = &column.validity
            && validity.len() < rows.div_ceil(8)
        {
            return Err(format!("column `{name}` has {} bytes of validity for {rows} rows", validity.len()));
        }
        match &column.data {
            ColumnData::Decimal(Decimals { high: Some(high), .. }) if high.len() != rows => {
                return Err(format!("column `{name}` has {} high halves for {rows} rows", high.len()));
            }
            ColumnData::Text(text) => text.check().map_err(|wrong| format!("column `{name}` {wrong}"))?,
            _ => {}
        }
        Ok(column)
    }
}

/// Names for a message: `a`, `b`.
pub fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { format!("`{}`", names.join("`, `")) }
}

/// A validity bitmap, where a value is null.
pub fn validity<T>(values: &[Option<T>]) -> Option<Vec<u8>> {
    if values.iter().all(Option::is_some) {
        return None;
    }
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    for (row, value) in values.iter().enumerate() {
        bits[row / 8] |= u8::from(value.is_some()) << (row % 8);
    }
    Some(bits)
}

/// Whether a row has a value under an optional validity bitmap.
#[inline]
pub fn is_valid(validity: Option<&[u8]>, row: usize) -> bool {
    validity.is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1)
}
