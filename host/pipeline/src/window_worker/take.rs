//! A parsed batch: its rows go into the windows, its records into the epoch's ledger. Where the function fails on it, the
//! records that it fails on are set aside.

use tallow_engine::{Contract, Report};
use tallow_manifest::OnReject;
use tallow_record::TopicPartition;
use tallow_sink::{DeadLetter, ReasonKind};
use tallow_worker::dead_letter::{dead_letter, late_row};
use tallow_worker::{FetchedRange, ParsedBatch, ParsedSlice, WorkerError, ledger_entries};

use super::WindowWorker;
use crate::epoch::Chunk;
use crate::error::PipelineError;

impl WindowWorker {
    /// Takes a batch's rows in.
    pub fn take(&mut self, parsed: ParsedBatch) -> Result<(), PipelineError> {
        self.epoch.archive.extend(parsed.archive);
        parsed.taken.into_iter().for_each(|taken| self.advance_position(taken));
        parsed.aside.into_iter().for_each(|letter| self.set_aside(letter));
        parsed.slices.into_iter().try_for_each(|slice| self.update(slice))
    }

    fn advance_position(&mut self, taken: FetchedRange) {
        let FetchedRange { partition, first, next, records, clock_us } = taken;
        self.epoch.ledger.partition(&partition).records += records;
        self.state.watermarks.observe(&partition, None);
        let position = self.state.positions.entry(partition.clone()).or_insert(first);
        let from = std::mem::replace(position, next);
        match self.epoch.chunks.last_mut() {
            Some(last) if last.partition == partition && last.clock_us == clock_us => last.to = next,
            _ => self.epoch.chunks.push(Chunk { partition, from, to: next, clock_us }),
        }
        self.progress.took(records);
    }

    fn set_aside(&mut self, letter: DeadLetter) {
        let partition =
            TopicPartition { topic: letter.place.topic.clone(), partition: letter.place.partition };
        self.epoch.ledger.partition(&partition).set_aside(letter.kind.as_str(), 1);
        self.bury(letter);
    }

    fn bury(&mut self, letter: DeadLetter) {
        self.progress.dead(&letter.reason);
        self.epoch.push_dead(letter);
    }

    /// Takes a slice's rows into the windows; where the function traps, finds the record that does it.
    fn update(&mut self, slice: ParsedSlice) -> Result<(), PipelineError> {
        let begun = self.clock.ticks();
        let updated = self.state.function.update(&slice.parsed.rows);
        let took = self.clock.ticks().since(begun);
        self.hooks.called(Contract::Window, took, slice.parsed.rows.table.rows as usize);
        let error = match updated {
            Ok(reports) => return self.accept(slice, &reports),
            Err(error) if !error.may_be_a_record() => return Err(self.failed("update", &error)),
            Err(error) => error,
        };
        if self.hooks.on_probation().is_some() {
            let why = format!("update of a batch from {} on {error}", slice.batch.place(0));
            return Err(self.fails_probation(why));
        }
        let state = &mut self.state;
        let split = state.isolation.split(slice, error, &self.epoch.slices, &mut state.function)?;
        // Another instance, restored from what was saved: it counts its versions from there.
        self.snapshot_version = state.function.base_version();
        for (slice, reports) in split.slices {
            self.accept(slice, &reports)?;
        }
        split.aside.into_iter().for_each(|letter| self.set_aside(letter));
        Ok(())
    }

    /// Counts a slice that the function has taken in.
    fn accept(&mut self, slice: ParsedSlice, reports: &[Report]) -> Result<(), PipelineError> {
        self.reject(&slice)?;
        ledger_entries::partitions(&mut self.epoch.ledger, &slice);
        let windows = (self.plan.window_function.as_str(), self.plan.specs.as_slice());
        ledger_entries::windows(&mut self.epoch.ledger, windows, &slice.parsed.rows, reports)?;
        self.keep_refused_rows(&slice, reports);
        self.rekey(&slice)?;
        for times in &slice.event_times {
            if let Some(max_us) = times.max_us {
                self.state.watermarks.observe(&times.partition, Some(max_us));
            }
        }
        self.epoch.rows += u64::from(slice.parsed.rows.table.rows);
        let names = self.plan.specs.iter().map(|spec| spec.name.as_str());
        self.progress.rows(&slice.parsed, names.zip(reports.iter().map(Into::into)));
        self.epoch.slices.push(slice);
        Ok(())
    }

    /// Records that the parse function rejected.
    fn reject(&mut self, slice: &ParsedSlice) -> Result<(), PipelineError> {
        for (record, reason) in slice.parsed.rejected.iter() {
            let reason = reason.to_owned();
            match self.plan.on_reject {
                OnReject::Drop => self.progress.dead(&reason),
                OnReject::DeadLetter | OnReject::Permissive => {
                    self.bury(dead_letter(&slice.batch, record, ReasonKind::Rejected, reason));
                }
                OnReject::Fail => {
                    self.progress.dead(&reason);
                    let place = slice.batch.place(record).to_string();
                    return Err(WorkerError::BadRecord { place, reason }.into());
                }
            }
        }
        Ok(())
    }

    /// Records that go out under another key.
    fn rekey(&mut self, slice: &ParsedSlice) -> Result<(), PipelineError> {
        let Some(rekey) = &self.plan.pipeline.rekey else { return Ok(()) };
        let records = tallow_worker::rekey::records(slice, &rekey.keys, &rekey.kinds);
        let (rekeyed, keyless) = records.map_err(|refusal| WorkerError::Function {
            function: self.plan.pipeline.parse.clone(),
            call: "parse",
            why: format!("`rekey`: {refusal}"),
        })?;
        self.progress.rekeyed(rekeyed.len() as u64);
        rekeyed.into_iter().for_each(|record| self.epoch.push_rekeyed(record));
        keyless.into_iter().for_each(|letter| self.bury(letter));
        Ok(())
    }

    /// Late rows, rows with a known id and other content, and rows that lack what the window needs.
    fn keep_refused_rows(&mut self, slice: &ParsedSlice, reports: &[Report]) {
        let plan = self.plan.clone();
        let rows = &slice.parsed.rows;
        let watermark_us = self.state.watermarks.watermark_us().unwrap_or(i64::MIN);
        let judged: Vec<_> = plan.specs.iter().map(|spec| spec.name.as_str()).zip(reports).collect();
        for (window, report) in &judged {
            for &row in &report.late_rows {
                let (record, within) = ledger_entries::record_and_row(rows, row);
                let event_time_us = ledger_entries::event_time_us(rows, &plan.time, row);
                let late = late_row(&slice.batch, record, within, window, event_time_us, watermark_us);
                self.epoch.push_late(late);
            }
        }
        for (_, letter) in ledger_entries::refused_rows(slice, &judged) {
            self.bury(letter);
        }
    }
}
