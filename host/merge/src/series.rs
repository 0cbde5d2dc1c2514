//! A key's partitions, year by year. A year is made of its batch partition, its speed days and the last rows of the
//! year before; where none of these changed it is not merged again.

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow_select::take::take_record_batch;
use serde_json::json;
use tallow_engine::{Component, MergeFunction, MergeInput, MergeSource, Merged, from_arrow, to_arrow};
use tallow_lake::partition::year_start_us;
use tallow_lake::{Partition, hive};
use tallow_sink::{column, optional_column};
use tallow_store::{Digest, Listed, Store};
use tallow_table::{File, Input, NewPartition, Run, file};

use crate::notes::{GapNote, Notes, PartitionNote, empty_table};
use crate::sources::{Sources, speed_input};
use crate::speed_cache::SpeedCache;
use crate::tail::Tail;
use crate::{MergeError, Settings, proof, prophet, speed};

/// What a run needs while it takes one partition after the other.
pub struct Series<'a> {
    store: &'a Store,
    settings: &'a Settings,
    sources: &'a Sources,
    function: MergeFunction,
    component: &'a Component,
    /// Objects of the served tables, by path.
    listed: BTreeMap<String, Listed>,
    tails: BTreeMap<String, Tail>,
    speed: SpeedCache<'a>,
}

impl<'a> Series<'a> {
    pub fn new(
        store: &'a Store,
        settings: &'a Settings,
        sources: &'a Sources,
        function: MergeFunction,
        component: &'a Component,
    ) -> Result<Self, MergeError> {
        let mut listed = BTreeMap::new();
        for table in [settings.serving_table(), settings.prophet_table()] {
            listed
                .extend(tallow_table::list(store, &table)?.into_iter().map(|(_, it)| (it.path.clone(), it)));
        }
        Ok(Self {
            store,
            settings,
            sources,
            function,
            component,
            listed,
            tails: BTreeMap::new(),
            speed: SpeedCache::new(store, &settings.key, sources),
        })
    }

    /// Brings a partition up to date. Years have to come in their order. True: it was merged again.
    pub fn partition(
        &mut self,
        key: &str,
        year: i32,
        continues: bool,
        notes: &mut Notes,
        run: &mut Run<'_>,
    ) -> Result<bool, MergeError> {
        let partition = Partition { key: key.to_owned(), year };
        let path = self.settings.serving_table().path(&partition);
        let inputs = self.inputs(&partition, continues, notes);
        if self.is_current(&path, &partition, &inputs, notes, run) {
            if let Some(note) = notes.partitions.get(&path) {
                self.tails.insert(key.to_owned(), Tail::stored(path, note.tail));
            }
            return Ok(false);
        }
        let merged = self.merge(&partition, &path, continues, notes)?;
        if merged.table.rows == 0 {
            notes.partitions.remove(&path);
            if run.state().partitions.contains_key(&path) {
                self.remove(&partition, run);
            }
            return Ok(true);
        }
        let rows = to_arrow(&merged.table).map_err(MergeError::input(&path))?;
        let tail = Tail::of(&path, &rows, &self.of_function(notes, None))?;
        let note = PartitionNote {
            tail: tail.digest,
            end_us: end_us(&rows),
            gaps: merged.gaps.iter().map(GapNote::from).collect(),
            sound: true,
        };
        notes.partitions.insert(path.clone(), note);
        self.tails.insert(key.to_owned(), tail);
        self.put(&partition, path, &rows, inputs, run)?;
        Ok(true)
    }

    /// What the partition is made of, sorted.
    fn inputs(&self, partition: &Partition, continues: bool, notes: &Notes) -> Vec<Input> {
        let named = |name: &str, tag: String| Input { name: name.to_owned(), tag };
        let tail = self.tails.get(&partition.key);
        let tail = tail.map_or_else(|| "nothing".to_owned(), |tail| tail.digest.to_string());
        let how = json!([self.settings.meaning(), notes.columns]).to_string();
        let mut inputs = vec![
            named("function", self.component.digest().to_string()),
            named("settings and columns", Digest::of(how.as_bytes()).to_string()),
            named("rows before", tail),
            named("goes on", continues.to_string()),
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
    fn is_current(
        &self,
        path: &str,
        partition: &Partition,
        inputs: &[Input],
        notes: &Notes,
        run: &mut Run<'_>,
    ) -> bool {
        let prophet = self.settings.prophet.as_ref().map(|_| self.settings.prophet_table().path(partition));
        let mut current = notes.partitions.contains_key(path);
        for path in std::iter::once(path.to_owned()).chain(prophet) {
            let Some(known) = run.state().partitions.get(&path) else { return false };
            if self.listed.get(&path).is_none_or(|listed| listed.size != known.size) {
                run.distrust(&path);
                current = false;
            }
        }
        current && run.state().partitions[path].inputs == inputs
    }

    fn of_function(&self, notes: &Notes, until_us: Option<i64>) -> tallow_engine::MergeSettings {
        self.settings.of_function(&notes.columns, until_us)
    }

    fn merge(
        &mut self,
        partition: &Partition,
        path: &str,
        continues: bool,
        notes: &Notes,
    ) -> Result<Merged, MergeError> {
        let before = match self.tails.get(&partition.key) {
            Some(tail) => tail.table(self.store, &self.of_function(notes, None))?,
            None => None,
        };
        let mut inputs =
            vec![MergeInput { source: MergeSource::Batch, table: empty_table(&notes.columns), covers: None }];
        if let Some(listed) = self.sources.batch.get(partition)
            && let Some(content) = file::read(self.store, &listed.path)?
        {
            let table = content.table(&listed.path)?;
            inputs.push(MergeInput { source: MergeSource::Batch, table, covers: None });
        }
        inputs.extend(self.served_alone(partition, path, notes)?);
        inputs.extend(self.speed.year(partition.year)?.inputs(&partition.key, path)?);
        inputs.extend(self.proven_empty(partition, &inputs, notes)?);
        let until_us = (continues && self.settings.fill).then(|| year_start_us(partition.year + 1));
        let settings = self.of_function(notes, until_us);
        self.function.merge(before.as_ref(), &inputs, &settings).map_err(|error| MergeError::Function {
            function: self.component.name().to_owned(),
            partition: path.to_owned(),
            error,
        })
    }

    /// The windows of a year in which nothing was traded, as ids prove. `inputs`: the year's rows.
    fn proven_empty(
        &mut self,
        partition: &Partition,
        inputs: &[MergeInput],
        notes: &Notes,
    ) -> Result<Option<MergeInput>, MergeError> {
        let known = self.speed.known(partition, inputs, notes)?;
        Ok(proof::empty_windows(self.settings, &partition.key, partition.year, known))
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
            let taken = take_record_batch(rows, &UInt32Array::from(indices));
            let table =
                from_arrow(&taken.map_err(MergeError::input(path))?).map_err(MergeError::input(path))?;
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
        let functions = json!({ "merge": self.component.digest() }).to_string();
        let footer = [("tallow.job", self.settings.job()), ("tallow.functions", functions)];
        let served = File::of_rows(&path, rows, "window_start", &footer)?;
        if let Some(column) = &self.settings.prophet {
            let prophet_path = self.settings.prophet_table().path(partition);
            let rows = prophet::rows(rows, &self.settings.key, column, &prophet_path)?;
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

fn end_us(rows: &RecordBatch) -> i64 {
    let ends = optional_column::<TimestampMicrosecondArray>(rows, "window_end");
    ends.and_then(|ends| ends.values().last().copied()).unwrap_or(i64::MIN)
}
