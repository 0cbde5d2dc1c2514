//! Some lines of a file, as cells and numbers.

use parse_base::date;

use crate::cells::{cells, without_end};
use crate::names::Field;
use crate::number;
use crate::schema::ColumnId;
use crate::when;

/// Lines that have so many cells as most of them have.
pub struct Sample<'l> {
    /// Cells of a line.
    pub width: usize,
    pub cells: Vec<Vec<&'l [u8]>>,
    /// The cells that are numbers.
    pub numbers: Vec<Vec<Option<f64>>>,
}

impl<'l> Sample<'l> {
    pub fn new(lines: &[&'l [u8]], delimiter: u8) -> Self {
        let all = lines.iter().map(|line| cells(without_end(line), delimiter));
        let all: Vec<Vec<&[u8]>> = all.filter(|cells| cells[..] != [b""]).collect();
        let mut widths: Vec<usize> = all.iter().map(Vec::len).collect();
        widths.sort_unstable();
        let width = widths.chunk_by(|a, b| a == b).max_by_key(|run| run.len()).map_or(0, |run| run[0]);
        let cells: Vec<Vec<&[u8]>> = all.into_iter().filter(|cells| cells.len() == width).collect();
        let numbers =
            cells.iter().map(|cells| cells.iter().map(|cell| number::value(cell)).collect()).collect();
        Self { width, cells, numbers }
    }

    /// Whether most lines have that in a cell.
    pub fn mostly(&self, at: usize, is: impl Fn(&[u8]) -> bool) -> bool {
        let found = self.cells.iter().filter(|cells| cells.get(at).is_some_and(|cell| is(cell))).count();
        2 * found > self.cells.len()
    }

    /// What lines begin with up to their time; `None` if they have none.
    pub fn time_prefix(&self) -> Option<Vec<Field>> {
        let is_day = |cell: &[u8]| date::day(cell).is_some_and(|(_, rest)| rest.is_empty());
        let is_time_of_day = |cell: &[u8]| cell.contains(&b':') && date::of_day_us(cell).is_some();
        let time_at = |at: usize| match () {
            () if self.mostly(at, is_day) && self.mostly(at + 1, is_time_of_day) => {
                Some(vec![Field::Day, Field::TimeOfDay])
            }
            () if self.mostly(at, when::is_moment) => Some(vec![Field::Time]),
            () => None,
        };
        let is_name = |cell: &[u8]| cell.first().is_some_and(u8::is_ascii_alphabetic);
        time_at(0).or_else(|| {
            let time = time_at(1).filter(|_| self.mostly(0, is_name))?;
            Some([vec![Field::Cell(ColumnId::Symbol)], time].concat())
        })
    }
}
