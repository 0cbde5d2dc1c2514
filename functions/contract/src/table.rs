//! Tables as they cross the boundary.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{Column, ColumnData, Decimals, Refusal, refuse};

/// Named columns of equal length.
///
/// ```
/// use tallow_contract::{Column, ColumnData, Decimals, Table};
/// let price = ColumnData::Decimal(Decimals::new(2, &[Some(150), None]));
/// let column = Column { name: "price".to_owned(), data: price, validity: Some(vec![0b01]) };
/// let table = Table { rows: 2, columns: vec![column] };
///
/// let price = table.column("price")?;
/// assert!(price.is_valid(0) && !price.is_valid(1));
/// assert_eq!(table.column("size").unwrap_err().to_string(), "column `size` is not in the table, which has `price`");
/// # Ok::<(), tallow_contract::Refusal>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Table {
    /// How many rows each column has.
    pub rows: u32,
    pub columns: Vec<Column>,
}

impl Table {
    /// Finds a column, and checks its length, its bitmap's length and its dictionary.
    ///
    /// # Errors
    /// What is wrong with the column, beginning with its name.
    pub fn column(&self, name: &str) -> Result<&Column, Refusal> {
        let Some(column) = self.columns.iter().find(|column| column.name == name) else {
            let there: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            refuse!("column `{name}` is not in the table, which has {}", list(&there));
        };
        let rows = self.rows as usize;
        if column.data.len() != rows {
            refuse!("column `{name}` has {} rows of {rows}", column.data.len());
        }
        if let Some(validity) = &column.validity
            && validity.len() < rows.div_ceil(8)
        {
            refuse!("column `{name}` has {} bytes of validity for {rows} rows", validity.len());
        }
        match &column.data {
            ColumnData::Decimal(Decimals { high: Some(high), .. }) if high.len() != rows => {
                refuse!("column `{name}` has {} high halves for {rows} rows", high.len());
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
