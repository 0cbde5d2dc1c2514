//! Which rows of an update a plan takes, and which of these can be used.

use tallow_contract::{Refusal, refuse};

use crate::block::Ids;
use crate::ids::MAX_ID;
use crate::pane::MAX_TIME_US;
use crate::spec::Plan;
use crate::table::{Rows, is_valid};

/// Ids that are not missing, of a row that no window takes otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Aside {
    pub row: u32,
    pub time_us: i64,
    pub first: i64,
    pub last: i64,
}

/// How the name of a kind ends whose rows only tell that their ids are not missing. Windows of the kind before it
/// take note of these.
pub const IDS_ONLY: &str = ":ids";
/// What decides whether a row can be used.
#[derive(Clone, Copy)]
pub struct Needed<'a> {
    pub time_us: &'a [i64],
    pub ids: Ids<'a>,
    /// Rows that have a value in every column that is needed; `None` if all have.
    pub validity: Option<&'a [u8]>,
}

impl Needed<'_> {
    fn is_usable(&self, row: usize) -> bool {
        let has_ids = |(first, last)| first <= last && within(&[first, last], MAX_ID);
        is_valid(self.validity, row)
            && within(&self.time_us[row..=row], MAX_TIME_US)
            && self.ids.of(row).is_none_or(has_ids)
    }

    fn all_usable(&self) -> bool {
        let have_ids = match self.ids {
            Ids::None => true,
            Ids::One(ids) => within(ids, MAX_ID),
            Ids::Range(first, last) => {
                let ordered = first.iter().zip(last).all(|(first, last)| first <= last);
                ordered && within(first, MAX_ID) && within(last, MAX_ID)
            }
        };
        self.validity.is_none() && within(self.time_us, MAX_TIME_US) && have_ids
    }
}

/// Whether all values are nearer to 0 than `far`, a power of 2.
fn within(values: &[i64], far: i64) -> bool {
    let bits = values.iter().fold(0, |bits, &value| bits | (value ^ (value >> 63)));
    bits < far
}

pub struct Selection {
    pub taken: u64,
    /// The rows that can be used; `None` for all rows of the update.
    pub rows: Option<Vec<u32>>,
    pub invalid: Vec<u32>,
}

/// Sorts the rows into usable, invalid and those of other kinds.
pub fn select(plan: &Plan, rows: &Rows, needed: Needed) -> Result<Selection, Refusal> {
    let kinds = &rows.kinds;
    kinds.check().map_err(|wrong| format!("`kinds` {wrong}"))?;
    let count = rows.table.rows;
    if kinds.codes.len() != count as usize {
        refuse!("`kinds` has {} entries for {count} rows", kinds.codes.len());
    }
    let takes: Vec<bool> =
        (0..kinds.ends.len() as u32).map(|code| plan.takes_kind(kinds.entry(code))).collect();
    if let Some(&code) = kinds.codes.iter().max().filter(|&&code| code as usize >= takes.len()) {
        refuse!("`kinds` has code {code} in a dictionary of {}", takes.len());
    }
    let all_usable = needed.all_usable();
    if all_usable && !takes.contains(&false) {
        return Ok(Selection { taken: u64::from(count), rows: None, invalid: Vec::new() });
    }
    let (mut taken, mut usable, mut invalid) = (0, Vec::with_capacity(count as usize), Vec::new());
    for (row, &kind) in kinds.codes.iter().enumerate() {
        if !takes[kind as usize] {
            continue;
        }
        taken += 1;
        let list = if all_usable || needed.is_usable(row) { &mut usable } else { &mut invalid };
        list.push(row as u32);
    }
    Ok(Selection { taken, rows: Some(usable), invalid })
}

/// The rows of which only the ids count, without those that cannot be used.
pub fn asides(plan: &Plan, rows: &Rows, needed: Needed) -> Vec<Aside> {
    let kinds = &rows.kinds;
    let is_one = |code: u32| {
        let kind = kinds.entry(code);
        let of = kind.strip_suffix(IDS_ONLY.as_bytes());
        of.is_some_and(|of| plan.takes_kind(of)) && !plan.takes_kind(kind)
    };
    let codes: Vec<u32> = (0..kinds.ends.len() as u32).filter(|&code| is_one(code)).collect();
    let mut asides = Vec::new();
    for code in codes.into_iter().filter(|code| kinds.codes.contains(code)) {
        let of_it = (0..rows.table.rows).filter(|&row| kinds.codes[row as usize] == code);
        asides.extend(of_it.filter_map(|row| {
            let (first, last) = needed.ids.of(row as usize)?;
            let usable = needed.is_usable(row as usize);
            usable.then_some(Aside { row, time_us: needed.time_us[row as usize], first, last })
        }));
    }
    asides
}
