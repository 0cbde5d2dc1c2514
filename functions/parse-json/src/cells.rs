//! The values of one row as they are written.

use parse_base::json::Value;

/// A value for each cell of the plan. One that is missing has no bytes.
pub(crate) struct Cells<'a>(Vec<&'a [u8]>);

impl<'a> Cells<'a> {
    pub fn new(cells: usize) -> Self {
        Cells(vec![&[]; cells])
    }

    #[inline]
    pub fn set(&mut self, cell: usize, value: &'a [u8]) {
        if let Some(place) = self.0.get_mut(cell) {
            *place = value;
        }
    }

    /// `None` if the value is missing or null.
    #[inline]
    pub fn get(&self, cell: usize) -> Option<Value<'a>> {
        let value = Value(self.0.get(cell)?);
        (!value.0.is_empty() && !value.is_null()).then_some(value)
    }

    pub fn clear(&mut self) {
        self.0.fill(&[]);
    }

    pub fn forget(&mut self, cells: &[usize]) {
        cells.iter().for_each(|&cell| self.set(cell, &[]));
    }
}
