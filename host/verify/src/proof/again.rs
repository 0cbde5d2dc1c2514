//! What an epoch or a swap gave, computed again and compared.

use std::collections::BTreeMap;

use tallow_log::record::Role;
use tallow_log::{Record, status};
use tallow_pipeline::PipelineError;
use tallow_pipeline::republish_diff::Published;
use tallow_pipeline::start::rollback;

use super::Proof;
use crate::records::{Records, Taken};
use crate::replay::{Computed, ReplaySetup, SetupError};
use crate::report::{Part, Unprovable};
use crate::{SHARD, compare, replay};

impl Proof<'_> {
    /// Computes an epoch again and compares.
    pub(super) fn epoch<'r>(
        &mut self,
        (before, record): (&'r Record, &'r Record),
        records: &BTreeMap<u64, Record>,
        raw: &mut Records<'_>,
        following: impl Iterator<Item = &'r Record>,
        setup: &mut Option<ReplaySetup>,
    ) -> Result<(), PipelineError> {
        let seq = record.seq;
        let published = match self.published(before, records)? {
            Ok(published) => published,
            Err(error) => return self.not_set_up(seq, error),
        };
        let (batches, from_archive) = match raw.of(record, following)? {
            Taken::Records { batches, from_archive } => (batches, from_archive),
            Taken::Gone(gone) => {
                for gone in gone {
                    let (offsets, by_retention) = (Some(gone.offsets), gone.by_retention);
                    let unprovable = Unprovable::of(seq, Part::Rows, gone.why);
                    self.report.cannot(Unprovable { offsets, by_retention, ..unprovable });
                }
                return Ok(());
            }
        };
        let mut set_up = match replay::set_up(self.verifier, record, setup.take())? {
            Ok(setup) => setup,
            Err(error) => return self.not_set_up(seq, error),
        };
        let computed = replay::compute(self.verifier, &mut set_up, (before, record), batches, &published);
        *setup = Some(set_up);
        self.judge(record, &computed?, from_archive)
    }

    /// What lay there of void commits when an epoch after a rollback was made.
    fn published(
        &self,
        before: &Record,
        records: &BTreeMap<u64, Record>,
    ) -> Result<Result<Published, SetupError>, PipelineError> {
        let Some(range) = before.state.live.remake else { return Ok(Ok(Published::default())) };
        let mut voided = Vec::new();
        for seq in range.from..=range.through {
            let read = match records.get(&seq) {
                Some(record) => Some(record.clone()),
                None => status::record(&self.verifier.store, self.verifier.plan.name(), SHARD, seq)?,
            };
            let Some(read) = read else {
                return Ok(Err(SetupError::Missing(format!(
                    "only what differs from commits {} to {}, which a rollback had made void, was published, and record \
                     {seq} of these was cleaned up",
                    range.from, range.through
                ))));
            };
            voided.push(read);
        }
        Ok(Ok(rollback::published(&voided, &|blob| self.verifier.read_blob(blob))?))
    }

    fn judge(
        &mut self,
        record: &Record,
        computed: &Computed,
        from_archive: bool,
    ) -> Result<(), PipelineError> {
        let seq = record.seq;
        let fewer = compare::fewer_records(&record.epoch.ledger, &computed.epoch.ledger);
        if !fewer.is_empty() && !from_archive {
            for (partition, read, taken) in fewer {
                let why = format!(
                    "{partition} holds {read} of the {taken} records that it took (compacted, or removed one by one)"
                );
                self.report.cannot(Unprovable::of(seq, Part::Rows, why));
            }
            return Ok(());
        }
        let ledger = &computed.epoch.ledger;
        let mut differences: Vec<(Part, compare::Difference)> = Vec::new();
        let rows = compare::outputs(&record.epoch.outbox, &computed.items);
        differences.extend(rows.into_iter().map(|it| (Part::Rows, it)));
        let books = compare::books(&record.epoch.ledger, ledger);
        differences.extend(books.into_iter().map(|it| (Part::Books, it)));
        let times = compare::event_times(&record.state.partitions, &computed.epoch.watermarks);
        differences.extend(times.into_iter().map(|it| (Part::State, it)));
        let state = compare::state(&replay::parts(self.verifier, record)?, &computed.state);
        differences.extend(state.into_iter().map(|it| (Part::State, it)));
        if differences.is_empty() {
            self.proved(record, computed, from_archive);
            return Ok(());
        }
        if !self.same_manifest(record) {
            self.other_manifest(record);
            return Ok(());
        }
        for (part, (object, why)) in differences {
            self.report.wrong(seq, part, object, why);
        }
        Ok(())
    }

    fn proved(&mut self, record: &Record, computed: &Computed, from_archive: bool) {
        let records: u64 = computed.epoch.ledger.partitions.values().map(|counts| counts.records).sum();
        self.report.epochs += 1;
        self.report.from_archive += u64::from(from_archive);
        self.report.records += records;
        self.report.rows += record.epoch.outbox.iter().map(|outgoing| outgoing.rows).sum::<u64>();
        self.report.set_aside += computed.set_aside;
        for function in &record.state.functions {
            let digests = self.report.functions.entry(function.role.name().to_owned()).or_default();
            digests.insert(function.digest);
        }
    }

    pub(super) fn other_manifest(&mut self, record: &Record) {
        let was = record.state.manifest.map_or("unknown".to_owned(), |digest| digest.to_string());
        let why = format!(
            "computed again it differs, and the pipeline's part of the manifest was another one then (sha256 {was}, and {} \
             now): give that one with -f",
            self.verifier.plan.pipeline.digest
        );
        self.report.cannot(Unprovable::of(record.seq, Part::Rows, why));
    }

    pub(super) fn swap(&mut self, before: &Record, record: &Record) -> Result<(), PipelineError> {
        let seq = record.seq;
        let windows = record.state.functions.iter().find(|it| it.role == Role::Window);
        let Some(function) = windows else { return Ok(()) };
        let component =
            match replay::component(self.verifier, function.role, &function.name, function.digest)? {
                Ok(component) => component,
                Err(error) => return self.not_set_up(seq, error),
            };
        let expected = match replay::taken_over(self.verifier, &component, before)? {
            Ok(expected) => expected,
            Err(why) => {
                self.report.wrong(seq, Part::State, format!("function `{}`", function.name), why);
                return Ok(());
            }
        };
        let differing = compare::state(&replay::parts(self.verifier, record)?, &expected);
        self.report.swaps += u64::from(differing.is_empty());
        for (object, why) in differing {
            self.report.wrong(seq, Part::State, object, why);
        }
        Ok(())
    }

    fn not_set_up(&mut self, seq: u64, error: SetupError) -> Result<(), PipelineError> {
        match error {
            SetupError::Missing(why) => self.report.cannot(Unprovable::of(seq, Part::Rows, why)),
            SetupError::Wrong(object, why) => self.report.wrong(seq, Part::Rows, object, why),
        }
        Ok(())
    }
}
