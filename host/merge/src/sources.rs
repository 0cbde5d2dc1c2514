//! What there is to merge, and what of it changed since the last run.

use std::collections::{BTreeMap, BTreeSet};

use tallow_lake::Partition;
use tallow_store::{Digest, Listed, Store};
use tallow_table::{Input, TableState, file};

use crate::columns::Columns;
use crate::notes::{DayNote, Notes};
use crate::speed::{self, Day, SpeedRows};
use crate::{MergeError, Settings};

/// The partitions of the result by year and key, with whether the key continues in a later year.
pub type Years = BTreeMap<i32, BTreeMap<String, bool>>;

/// The tables as they are now.
pub struct Sources {
    /// The batch table's partitions.
    pub batch: BTreeMap<Partition, Listed>,
    /// The speed table's days that have files.
    pub days: BTreeMap<String, Day>,
}

impl Sources {
    /// Lists the tables, brings the notes' days up to date, and adds columns of what changed to `columns`. Only days
    /// and partitions that changed are read.
    pub fn look(
        store: &Store,
        settings: &Settings,
        state: &TableState,
        notes: &mut Notes,
        columns: &mut Columns,
    ) -> Result<Self, MergeError> {
        let batch = match settings.batch_table() {
            Some(table) => tallow_table::list(store, &table)?.into_iter().collect(),
            None => BTreeMap::new(),
        };
        let days = match &settings.speed {
            Some(table) => speed::days(store, table)?,
            None => BTreeMap::new(),
        };
        let known: BTreeSet<&Input> =
            state.partitions.values().flat_map(|partition| &partition.inputs).collect();
        for listed in batch.values().filter(|listed| !known.contains(&Input::from(*listed))) {
            if let Some(content) = file::read(store, &listed.path)? {
                columns.add(&listed.path, &content.rows)?;
            }
        }
        let sources = Self { batch, days };
        sources.update_days(store, settings, notes, columns)?;
        Ok(sources)
    }

    fn update_days(
        &self,
        store: &Store,
        settings: &Settings,
        notes: &mut Notes,
        columns: &mut Columns,
    ) -> Result<(), MergeError> {
        notes.days.retain(|day, note| note.dropped || self.days.contains_key(day));
        for (day, files) in &self.days {
            let known = notes.days.get(day);
            if known.is_some_and(|known| known.tag == files.tag) {
                continue;
            }
            let rows = SpeedRows::read(store, &settings.key, std::iter::once(files))?;
            for sample in rows.samples() {
                columns.add(day, sample)?;
            }
            let before = known.filter(|known| known.dropped).map(|known| known.keys.clone());
            let keys = before.unwrap_or_default().into_iter().chain(rows.keys()).collect();
            let dropped = known.is_some_and(|known| known.dropped);
            notes.days.insert(day.clone(), DayNote { tag: files.tag, keys, dropped });
        }
        Ok(())
    }

    pub fn partitions(&self, notes: &Notes, fill: bool) -> Years {
        let mut years: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
        for partition in self.batch.keys() {
            years.entry(&partition.key).or_default().insert(partition.year);
        }
        for (day, note) in &notes.days {
            let Some(year) = speed::year(day) else { continue };
            for key in &note.keys {
                years.entry(key).or_default().insert(year);
            }
        }
        let mut partitions = Years::new();
        for (key, of_key) in years {
            let (Some(first), Some(last)) = (of_key.first(), of_key.last()) else { continue };
            let all: Vec<i32> =
                if fill { (*first..=*last).collect() } else { of_key.iter().copied().collect() };
            for year in all {
                partitions.entry(year).or_default().insert(key.to_owned(), year < *last);
            }
        }
        partitions
    }

    /// The days of a year that have files.
    pub fn days_of(&self, year: i32) -> impl Iterator<Item = &Day> {
        self.days.iter().filter(move |(day, _)| speed::year(day) == Some(year)).map(|(_, day)| day)
    }
}

/// What the speed days of a year are to a key, as one input.
pub fn speed_input(settings: &Settings, notes: &Notes, key: &str, year: i32) -> Option<Input> {
    let table = settings.speed.as_ref()?;
    let days =
        notes.days.iter().filter(|(day, note)| speed::year(day) == Some(year) && note.keys.contains(key));
    let lines: Vec<String> = days.map(|(day, note)| format!("{day} {}\n", note.tag)).collect();
    let name = format!("speed/{table}/date={year}-*");
    (!lines.is_empty()).then(|| Input { name, tag: Digest::of(lines.concat().as_bytes()).to_string() })
}
