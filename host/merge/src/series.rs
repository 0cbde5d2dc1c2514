//! A key's partitions, year by year. A year is made of its batch partition, its speed days and the last rows of the
//! year before; where none of these changed it is not merged again.

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow_select::take::take_record_batch;
use serde_json::json;
use tallow_engine::{MergeFunction, MergeInput, MergeSource, Merged, Table, from_arrow, to_arrow};
use tallow_lake::partition::year_start_us;
use tallow_lake::{Partition, hive};
use tallow_sink::{column, optional_column, rows_digest};
use tallow_store::{Digest, Listed, Store};
use tallow_table::{File, Input, NewPartition, Run, file};

use crate::notes::{GapNote, Notes, PartitionNote, empty_table};
use crate::settings::tail_rows;
use crate::sources::{Sources, speed_input};
use crate::speed::SpeedRows;
use crate::{MergeError, Settings, columns, proof, prophet, speed};

/// The end of a key's series so far.
enum Tail {
    /// Of a partition that was not merged again.
    Stored {
        path: String,
        digest: Digest,
    },
    Fresh {
        table: Table,
        digest: Digest,
    },
}

/// What a run goes by while it goes through the partitions.
pub struct Series<'a> {
    pub store: &'a Store,
    pub settings: &'a Settings,
    pub sources: &'a Sources,
    pub function: MergeFunction,
    pub function_name: &'a str,
    pub function_digest: Digest,
    /// Objects of the served tables that are there, by path.
    pub there: BTreeMap<String, Listed>,
    tails: BTreeMap<String, Tail>,
    /// Speed rows of one year.
    speed: Option<(i32, SpeedRows)>,
    /// Speed rows of days next to a year, those read last.
    days: BTreeMap<String, SpeedRows>,
}

/// Days next to a year whose rows are kept at hand: those of one year, and the ones before it.
const DAYS_KEPT: usize = 4;

impl<'a> Series<'a> {
    pub fn new(
        store: &'a Store,
        settings: &'a Settings,
        sources: &'a Sources,
        function: MergeFunction,
        component: &'a tallow_engine::Component,
    ) -> Result<Self, MergeError> {
        let mut there = BTreeMap::new();
        for table in [settings.serving_table(), settings.prophet_table()] {
            there.extend(
                tallow_table::list(store, &table)?
                    .into_iter()
                    .map(|(_, listed)| (listed.path.clone(), listed)),
            );
        }
        Ok(Self {
            store,
            settings,
            sources,
            function,
            function_name: component.name(),
            function_digest: component.digest(),
            there,
            tails: BTreeMap::new(),
            speed: None,
            days: BTreeMap::new(),
        })
    }

    /// Brings a partition up to date. Years have to come in their order. True: it was merged again.
    pub fn partition(
        &mut self,
        key: &str,
        year: i32,
        goes_on: bool,
        notes: &mut Notes,
        run: &mut Run<'_>,
    ) -> Result<bool, MergeError> {
        let partition = Partition { key: key.to_owned(), year };
        let path = self.settings.serving_table().path(&partition);
        let inputs = self.inputs(&partition, goes_on, notes);
        if self.stands(&path, &partition, &inputs, notes, run) {
            if let Some(note) = notes.partitions.get(&path) {
                self.tails.insert(key.to_owned(), Tail::Stored { path, digest: note.tail });
            }
            return Ok(false);
        }
        let merged = self.merge(&partition, &path, goes_on, notes)?;
        if merged.table.rows == 0 {
            notes.partitions.remove(&path);
            if run.state().partitions.contains_key(&path) {
                self.remove(&partition, run);
            }
            return Ok(true);
        }
        let wrong = |why: String| MergeError::Input { path: path.clone(), why };
        let rows = to_arrow(&merged.table).map_err(|error| wrong(error.to_string()))?;
        let tail = self.tail_of(&rows, notes).map_err(wrong)?;
        let note = PartitionNote {
            tail: tail.digest,
            end_us: end_us(&rows),
            gaps: merged.gaps.iter().map(GapNote::from).collect(),
            sound: true,
        };
        notes.partitions.insert(path.clone(), note);
        self.tails.insert(key.to_owned(), Tail::Fresh { table: tail.table, digest: tail.digest });
        self.put(&partition, path, &rows, inputs, run)?;
        Ok(true)
    }

    /// What the partition is made of, sorted.
    fn inputs(&self, partition: &Partition, goes_on: bool, notes: &Notes) -> Vec<Input> {
        let named = |name: &str, tag: String| Input { name: name.to_owned(), tag };
        let tail = match self.tails.get(&partition.key) {
            Some(Tail::Stored { digest, .. } | Tail::Fresh { digest, .. }) => digest.to_string(),
            None => "nothing".to_owned(),
        };
        let how = json!([self.settings.meaning(), notes.columns]).to_string();
        let mut inputs = vec![
            named("function", self.function_digest.to_string()),
            named("settings and columns", Digest::of(how.as_bytes()).to_string()),
            named("rows before", tail),
            named("goes on", goes_on.to_string()),
        ];
        inputs.extend(self.sources.batch.get(partition).map(Input::from));
        inputs.extend(speed_input(self.settings, notes, &partition.key, partition.year));
        for day in notes.neighbours(&partition.key, partition.year).into_iter().flatten() {
            inputs.push(named(&format!("ids of {day}"), notes.days[day].tag.to_string()));
        }
        inputs.sort();
        inputs
    }

    /// Whether the partition is there as it was written, made of the same inputs.
    fn stands(
        &self,
        path: &str,
        partition: &Partition,
        inputs: &[Input],
        notes: &Notes,
        run: &mut Run<'_>,
    ) -> bool {
        let prophet = self.settings.prophet.as_ref().map(|_| self.settings.prophet_table().path(partition));
        let mut stands = notes.partitions.contains_key(path);
        for path in std::iter::once(path.to_owned()).chain(prophet) {
            let Some(known) = run.state().partitions.get(&path) else { return false };
            if self.there.get(&path).is_none_or(|there| there.size != known.size) {
                run.distrust(&path);
                stands = false;
            }
        }
        stands && run.state().partitions[path].inputs == inputs
    }

    fn of_function(&self, notes: &Notes, until_us: Option<i64>) -> tallow_engine::MergeSettings {
        self.settings.of_function(&columns::names(&notes.columns), until_us)
    }

    fn merge(
        &mut self,
        partition: &Partition,
        path: &str,
        goes_on: bool,
        notes: &Notes,
    ) -> Result<Merged, MergeError> {
        let before = match self.tails.get(&partition.key) {
            None => None,
            Some(Tail::Fresh { table, .. }) => Some(table.clone()),
            Some(Tail::Stored { path, .. }) => self.stored_tail(path, notes)?,
        };
        let mut inputs =
            vec![MergeInput { source: MergeSource::Batch, table: empty_table(&notes.columns), covers: None }];
        if let Some(listed) = self.sources.batch.get(partition)
            && let Some(content) = file::read(self.store, &listed.path)?
        {
            let table = content.table(&listed.path)?;
            inputs.push(MergeInput { source: MergeSource::Batch, table, covers: None });
        }
        let wrong = |why: String| MergeError::Input { path: path.to_owned(), why };
        inputs.extend(self.served_alone(partition, path, notes)?);
        inputs.extend(self.speed_rows(partition.year)?.inputs(&partition.key).map_err(wrong)?);
        inputs.extend(self.proven_empty(partition, &inputs, notes)?);
        let until_us = (goes_on && self.settings.fill).then(|| year_start_us(partition.year + 1));
        let settings = self.of_function(notes, until_us);
        self.function.merge(before.as_ref(), &inputs, &settings).map_err(|error| MergeError::Function {
            function: self.function_name.to_owned(),
            partition: path.to_owned(),
            error,
        })
    }

    fn stored_tail(&self, path: &str, notes: &Notes) -> Result<Option<Table>, MergeError> {
        let Some(content) = file::read(self.store, path)? else { return Ok(None) };
        let wrong = |why: String| MergeError::Input { path: path.to_owned(), why };
        Ok(Some(self.tail_of(&content.rows, notes).map_err(wrong)?.table))
    }

    /// What the next year takes of a partition's end: of the last rows the columns that are carried or averaged, and
    /// no others, so that what does not matter to it does not change it.
    fn tail_of(&self, rows: &RecordBatch, notes: &Notes) -> Result<LastRows, String> {
        let settings = self.of_function(notes, None);
        let averaged = settings.averages.iter().map(|average| &average.column);
        let wanted: Vec<&String> = settings.keys.iter().chain(&settings.carried).chain(averaged).collect();
        let schema = rows.schema();
        let takes = |name: &String| wanted.contains(&name) || name == "window_start" || name == "window_end";
        let columns: Vec<usize> =
            (0..schema.fields().len()).filter(|index| takes(schema.field(*index).name())).collect();
        let from = rows.num_rows().saturating_sub(tail_rows(&settings));
        let last =
            rows.slice(from, rows.num_rows() - from).project(&columns).map_err(|error| error.to_string())?;
        let digest = rows_digest(&last).map_err(|error| error.to_string())?;
        Ok(LastRows { table: from_arrow(&last).map_err(|error| error.to_string())?, digest })
    }

    fn speed_rows(&mut self, year: i32) -> Result<&SpeedRows, MergeError> {
        let known = self.speed.take().filter(|(of, _)| *of == year);
        let rows = match known {
            Some((_, rows)) => rows,
            None => SpeedRows::read(self.store, &self.settings.key, self.sources.days_of(year))?,
        };
        Ok(&self.speed.insert((year, rows)).1)
    }

    /// The windows of a year in which nothing was traded, as ids prove. `inputs`: the year's rows.
    fn proven_empty(
        &mut self,
        partition: &Partition,
        inputs: &[MergeInput],
        notes: &Notes,
    ) -> Result<Option<MergeInput>, MergeError> {
        let Partition { key, year } = partition;
        let wrong = |why: String| MergeError::Input { path: format!("ids of {key}, {year}"), why };
        let mut known = proof::known(inputs).map_err(wrong)?;
        let [before, after] = notes.neighbours(key, *year);
        let (starts_us, ends_us) = (year_start_us(*year), year_start_us(year + 1));
        if let Some(day) = before
            && known.first().is_none_or(|first| first.start_us > starts_us)
        {
            let last = proof::known(&self.day_rows(day)?.inputs(key).map_err(wrong)?).map_err(wrong)?.pop();
            known.splice(0..0, last);
        }
        if let Some(day) = after
            && known.last().is_none_or(|last| last.end_us < ends_us)
        {
            let of_day = proof::known(&self.day_rows(day)?.inputs(key).map_err(wrong)?).map_err(wrong)?;
            known.extend(of_day.first());
        }
        Ok(proof::empty_windows(self.settings, key, *year, known))
    }

    fn day_rows(&mut self, day: &str) -> Result<&SpeedRows, MergeError> {
        if !self.days.contains_key(day) {
            if self.days.len() >= DAYS_KEPT {
                self.days.pop_first();
            }
            let files = self.sources.days.get(day).into_iter();
            let rows = SpeedRows::read(self.store, &self.settings.key, files)?;
            self.days.insert(day.to_owned(), rows);
        }
        Ok(&self.days[day])
    }

    /// Rows of days whose speed files are gone: the served table alone has them, and gives them to itself.
    fn served_alone(
        &self,
        partition: &Partition,
        path: &str,
        notes: &Notes,
    ) -> Result<Vec<MergeInput>, MergeError> {
        let dropped: Vec<&str> = notes
            .days
            .iter()
            .filter(|(day, note)| note.dropped && speed::year(day) == Some(partition.year))
            .map(|(day, _)| day.as_str())
            .collect();
        if dropped.is_empty() {
            return Ok(Vec::new());
        }
        let Some(content) = file::read(self.store, path)? else { return Ok(Vec::new()) };
        let wrong = |why: String| MergeError::Input { path: path.to_owned(), why };
        let rows = &content.rows;
        let starts: &TimestampMicrosecondArray = column(path, rows, "window_start")?;
        let sources: &StringArray = column(path, rows, "source")?;
        let day = |row: usize| hive::day(starts.value(row));
        let is_dropped = |row: usize| dropped.contains(&day(row).as_str());
        let mut inputs = Vec::new();
        for (name, source) in [("speed", MergeSource::Speed), ("backfill", MergeSource::Backfill)] {
            let of_source =
                |row: &usize| sources.is_valid(*row) && sources.value(*row) == name && is_dropped(*row);
            let indices: Vec<u32> = (0..rows.num_rows()).filter(of_source).map(|row| row as u32).collect();
            let taken = take_record_batch(rows, &UInt32Array::from(indices))
                .map_err(|error| wrong(error.to_string()))?;
            let table = from_arrow(&taken).map_err(|error| wrong(error.to_string()))?;
            inputs.push(MergeInput { source, table, covers: None });
        }
        Ok(inputs)
    }

    fn put(
        &self,
        partition: &Partition,
        path: String,
        rows: &RecordBatch,
        inputs: Vec<Input>,
        run: &mut Run<'_>,
    ) -> Result<(), MergeError> {
        let functions = json!({ "merge": self.function_digest }).to_string();
        let footer = [("tallow.job", self.settings.job()), ("tallow.functions", functions)];
        let served = File::of_rows(&path, rows, "window_start", &footer)?;
        if let Some(column) = &self.settings.prophet {
            let prophet_path = self.settings.prophet_table().path(partition);
            let wrong = |why| MergeError::Input { path: prophet_path.clone(), why };
            let rows = prophet::rows(rows, &self.settings.key, column).map_err(wrong)?;
            let file = File::of_rows(&prophet_path, &rows, "ds", &footer)?;
            let input = Input { name: path.clone(), tag: served.rows_digest.to_string() };
            run.put(NewPartition { path: prophet_path, file, inputs: vec![input] })?;
        }
        run.put(NewPartition { path, file: served, inputs })?;
        Ok(())
    }

    /// Removes what no input has any more.
    fn remove(&self, partition: &Partition, run: &mut Run<'_>) {
        for table in [self.settings.serving_table(), self.settings.prophet_table()] {
            let path = table.path(partition);
            if run.state().partitions.contains_key(&path) {
                run.remove(&path);
            }
        }
    }
}

/// The last rows of a partition, with their digest.
struct LastRows {
    table: Table,
    digest: Digest,
}

fn end_us(rows: &RecordBatch) -> i64 {
    let ends = optional_column::<TimestampMicrosecondArray>(rows, "window_end");
    ends.and_then(|ends| ends.values().last().copied()).unwrap_or(i64::MIN)
}
