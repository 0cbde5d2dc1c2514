//! The wanted columns of a call.

use tallow_contract::parse::Options;
use tallow_contract::{Column, Refusal, refuse};

use crate::builder::{Builder, Data};
use crate::column::ColumnInfo;
use crate::options::{MAX_SCALE, unknown};
use crate::rows::Builders;

/// Wanted columns with their scale, in the caller's order.
pub type Wanted<Id> = Vec<(&'static ColumnInfo<Id>, u8)>;

/// The columns that the options want, of those that are known to a function.
///
/// # Errors
/// A column that is not known or comes twice, or a scale that is too large.
pub fn wanted<Id: PartialEq>(
    function: &str,
    known: &'static [ColumnInfo<Id>],
    options: &Options,
) -> Result<Wanted<Id>, Refusal> {
    let mut columns: Wanted<Id> = Vec::with_capacity(options.columns.len());
    for wanted in &options.columns {
        let names = known.iter().map(|info| info.name);
        let info = known.iter().find(|info| info.name == wanted.name);
        let info = info.ok_or_else(|| unknown(function, "column", &wanted.name, names))?;
        if columns.iter().any(|(known, _)| known.id == info.id) {
            refuse!("column `{}` is asked for twice", info.name);
        }
        if wanted.scale > MAX_SCALE {
            refuse!("column `{}`: scale {} is above {MAX_SCALE}", info.name, wanted.scale);
        }
        columns.push((info, wanted.scale));
    }
    Ok(columns)
}

/// Index of the builder of a column that is not wanted.
const UNWANTED: u8 = u8::MAX;

/// The wanted ones of `N` columns, in the making. An `Id` is the index of its column among all.
pub struct Columns<Id, const N: usize> {
    builders: Vec<(Id, Builder)>,
    /// Index in `builders` of each column.
    slots: [u8; N],
}

impl<Id: Copy + Into<usize>, const N: usize> Columns<Id, N> {
    pub fn new(wanted: &Wanted<Id>, expected_rows: usize) -> Self {
        let mut slots = [UNWANTED; N];
        for (slot, (info, _)) in wanted.iter().enumerate() {
            slots[info.id.into()] = slot as u8;
        }
        let builder = |(info, scale): &(&ColumnInfo<Id>, u8)| {
            (info.id, Builder::new(info.name, info.column_type, *scale, expected_rows))
        };
        Columns { builders: wanted.iter().map(builder).collect(), slots }
    }

    /// The builder of a column; `None` if it is not wanted.
    #[inline]
    pub fn get(&mut self, id: Id) -> Option<&mut Builder> {
        self.builders.get_mut(usize::from(self.slots[id.into()])).map(|(_, builder)| builder)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Id, &mut Builder)> {
        self.builders.iter_mut().map(|(id, builder)| (*id, builder))
    }

    /// The code of a text in a column; 0 if the column is not wanted.
    pub fn text_code(&mut self, id: Id, text: &[u8]) -> u32 {
        match self.get(id) {
            Some(Builder { data: Data::Text { dictionary, .. }, .. }) => dictionary.code(text),
            _ => 0,
        }
    }
}

impl<Id: Copy + Into<usize>, const N: usize> Builders for Columns<Id, N> {
    fn builders(&mut self) -> impl Iterator<Item = &mut Builder> {
        self.builders.iter_mut().map(|(_, builder)| builder)
    }

    fn finish(self, rows: usize) -> Vec<Column> {
        self.builders.into_iter().map(|(_, builder)| builder.into_column(rows)).collect()
    }
}
