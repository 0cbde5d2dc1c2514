//! Rows of an update with each column in one piece, so that loops over them are tight.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use crate::columns::{Input, Values};
use crate::order::{OrderKey, Place, Places, Topics};

/// The ids of an update's rows.
#[derive(Clone, Copy)]
pub enum Ids<'a> {
    None,
    /// One id a row.
    One(&'a [i64]),
    /// First and last id of each row.
    Range(&'a [i64], &'a [i64]),
}

impl Ids<'_> {
    /// First and last id of a row; `None` if rows have no ids.
    pub fn of(&self, row: usize) -> Option<(i64, i64)> {
        match self {
            Ids::None => None,
            Ids::One(ids) => Some((ids[row], ids[row])),
            Ids::Range(first, last) => Some((first[row], last[row])),
        }
    }
}

/// Some rows of an update; a position is an index into these. Columns of all rows in their order are borrowed.
#[derive(Default)]
pub struct Block<'a> {
    /// Index of each row in the update.
    pub rows: Vec<u32>,
    pub time_us: Cow<'a, [i64]>,
    /// Empty without ids.
    pub first_ids: Cow<'a, [i64]>,
    /// Empty unless a row has a range of ids.
    pub last_ids: Cow<'a, [i64]>,
    /// The inputs without nulls and high halves; the others are empty here and read row by row.
    inputs: Vec<Cow<'a, [i64]>>,
}

impl<'a> Block<'a> {
    /// Gathers rows of an update.
    pub fn gather(rows: Vec<u32>, time_us: &'a [i64], ids: Ids<'a>, inputs: &[Input<'a>]) -> Block<'a> {
        // Rows of one key mostly come in one piece.
        let whole = rows.iter().zip(0u32..).fold(true, |whole, (&row, index)| whole & (row == index));
        let picked = |values: &[i64]| Cow::Owned(rows.iter().map(|&row| values[row as usize]).collect());
        let pick = |values: &'a [i64]| match values.get(..rows.len()) {
            Some(first) if whole => Cow::Borrowed(first),
            _ => picked(values),
        };
        let (first_ids, last_ids) = match ids {
            Ids::None => (Cow::default(), Cow::default()),
            Ids::One(ids) => (pick(ids), Cow::default()),
            Ids::Range(first, last) => (pick(first), pick(last)),
        };
        let plain = inputs.iter().map(|input| match (&input.values, &input.validity) {
            (Values::Narrow(Cow::Borrowed(values)), None) => pick(values),
            (Values::Narrow(Cow::Owned(values)), None) => picked(values),
            _ => Cow::default(),
        });
        let inputs = plain.collect();
        Block { time_us: pick(time_us), first_ids, last_ids, inputs, rows }
    }

    /// The rows at some positions.
    pub fn pick(&self, positions: &[u32]) -> Block<'static> {
        let pick = |values: &Cow<'_, [i64]>| match values.len() {
            0 => Cow::default(),
            _ => positions.iter().map(|&at| values[at as usize]).collect(),
        };
        Block {
            rows: positions.iter().map(|&at| self.rows[at as usize]).collect(),
            time_us: pick(&self.time_us),
            first_ids: pick(&self.first_ids),
            last_ids: pick(&self.last_ids),
            inputs: self.inputs.iter().map(pick).collect(),
        }
    }

    /// An input's values in some positions; `None` if it is to be read row by row.
    #[inline]
    pub fn plain(&self, input: usize, range: &Range<usize>) -> Option<&[i64]> {
        self.inputs[input].get(range.clone()).filter(|values| !values.is_empty())
    }

    /// Last id of each row; empty without ids.
    pub fn last_ids(&self) -> &[i64] {
        if self.last_ids.is_empty() { &self.first_ids } else { &self.last_ids }
    }

    /// Lowest and highest id in some positions; (0, 0) without ids.
    pub fn id_bounds(&self, range: Range<usize>) -> (i64, i64) {
        if self.first_ids.is_empty() {
            return (0, 0);
        }
        let lowest = self.first_ids[range.clone()].iter().min();
        let highest = self.last_ids()[range].iter().max();
        (lowest.copied().unwrap_or(0), highest.copied().unwrap_or(0))
    }

    /// [`Block::id_bounds`] of positions in which the ids ascend.
    pub fn id_ends(&self, range: Range<usize>) -> (i64, i64) {
        let first = self.first_ids.get(range.start);
        let last = range.end.checked_sub(1).and_then(|last| self.last_ids().get(last));
        (first.copied().unwrap_or(0), last.copied().unwrap_or(0))
    }

    #[inline]
    fn first_id(&self, at: usize) -> i64 {
        self.first_ids.get(at).copied().unwrap_or(0)
    }

    /// A row's order key. Rows above the floor are told apart by their ids, the others by their places.
    pub fn order_key(&self, at: usize, floor: i64, places: &Places) -> OrderKey {
        let id = self.first_id(at);
        let by_place = self.first_ids.is_empty() || id <= floor;
        let place = if by_place { places.place(self.rows[at]) } else { Place::ANY };
        OrderKey { time_us: self.time_us[at], id, place }
    }

    /// Whether every row comes after the one before by its time and id alone.
    pub fn ascends(&self, range: Range<usize>) -> bool {
        let times = self.time_us[range.clone()].windows(2);
        if self.first_ids.is_empty() {
            return times.fold(true, |ascends, pair| ascends & (pair[0] < pair[1]));
        }
        let ids = self.first_ids[range].windows(2);
        times.zip(ids).fold(true, |ascends, (time, id)| {
            ascends & ((time[0] < time[1]) | ((time[0] == time[1]) & (id[0] < id[1])))
        })
    }

    /// First and last of some positions by the order key.
    pub fn ends(
        &self,
        mut positions: impl Iterator<Item = usize>,
        places: &Places,
        topics: &Topics,
    ) -> Option<(usize, usize)> {
        let rank = |at: usize| (self.time_us[at], self.first_id(at));
        let start = positions.next()?;
        let (mut first, mut last) = (start, start);
        let (mut low, mut high) = (rank(start), rank(start));
        let place = |left: usize, right: usize| places.compare(self.rows[left], self.rows[right], topics);
        for at in positions {
            let this = rank(at);
            if this <= low && (this < low || place(at, first) == Ordering::Less) {
                (low, first) = (this, at);
            }
            if this >= high && (this > high || place(at, last) == Ordering::Greater) {
                (high, last) = (this, at);
            }
        }
        Some((first, last))
    }
}
