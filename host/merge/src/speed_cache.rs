//! Rows of the speed table that the partitions of a year share: those of the year, and of days next to it.

use std::collections::BTreeMap;

use tallow_engine::MergeInput;
use tallow_lake::Partition;
use tallow_lake::partition::year_start_us;
use tallow_store::Store;
use tallow_table::ids::Known;

use crate::MergeError;
use crate::notes::Notes;
use crate::proof;
use crate::sources::Sources;
use crate::speed::SpeedRows;

/// Days next to a year whose rows are kept: those of one year, and the ones before it.
const DAYS_KEPT: usize = 4;

/// Reads each day's files once per year.
pub struct SpeedCache<'a> {
    store: &'a Store,
    /// Column by which the tables are partitioned.
    key: &'a str,
    sources: &'a Sources,
    year: Option<(i32, SpeedRows)>,
    /// Those that were read last.
    days: BTreeMap<String, SpeedRows>,
}

impl<'a> SpeedCache<'a> {
    pub fn new(store: &'a Store, key: &'a str, sources: &'a Sources) -> Self {
        Self { store, key, sources, year: None, days: BTreeMap::new() }
    }

    /// All speed rows of a year.
    pub fn year(&mut self, year: i32) -> Result<&SpeedRows, MergeError> {
        let rows = match self.year.take() {
            Some((of, rows)) if of == year => rows,
            _ => SpeedRows::read(self.store, self.key, self.sources.days_of(year))?,
        };
        Ok(&self.year.insert((year, rows)).1)
    }

    /// The windows of a year whose ids are known, by time, with those next to the year. `inputs`: the year's rows.
    pub fn known(
        &mut self,
        partition: &Partition,
        inputs: &[MergeInput],
        notes: &Notes,
    ) -> Result<Vec<Known>, MergeError> {
        let Partition { key, year } = partition;
        let place = format!("ids of {key}, {year}");
        let mut known = proof::known(inputs, &place)?;
        let [before, after] = notes.neighbours(key, *year);
        if let Some(day) = before
            && known.first().is_none_or(|first| first.start_us > year_start_us(*year))
        {
            let last = self.known_of_day(day, key, &place)?.pop();
            known.splice(0..0, last);
        }
        if let Some(day) = after
            && known.last().is_none_or(|last| last.end_us < year_start_us(year + 1))
        {
            known.extend(self.known_of_day(day, key, &place)?.first());
        }
        Ok(known)
    }

    fn known_of_day(&mut self, day: &str, key: &str, place: &str) -> Result<Vec<Known>, MergeError> {
        if !self.days.contains_key(day) {
            if self.days.len() >= DAYS_KEPT {
                self.days.pop_first();
            }
            let files = self.sources.days.get(day).into_iter();
            self.days.insert(day.to_owned(), SpeedRows::read(self.store, self.key, files)?);
        }
        proof::known(&self.days[day].inputs(key, place)?, place)
    }
}
