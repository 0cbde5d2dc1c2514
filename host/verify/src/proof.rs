//! A proof under way: record after record, each held against the one before it, against its files, and against what is
//! computed again.

use std::collections::{BTreeMap, BTreeSet};

use tallow_log::record::{Kind, Role, SeqRange};
use tallow_log::{Draft, LogError, Record, status};

use super::records::{Records, Taken};
use super::replay::{Cast, Computed, Miscast};
use super::report::{Part, Report, Unprovable};
use super::{SHARD, Step, Verifier, VerifyError, chain, compare, fate, files, replay, succession};
use tallow_pipeline::PipelineError;
use tallow_pipeline::functions::role_name;
use tallow_pipeline::republish_diff::Published;
use tallow_pipeline::start::{rollback, windows};

/// A proof under way.
pub struct Proof<'a> {
    verifier: &'a Verifier,
    /// All records from the one before the first that is asked for on, as far as they can be read.
    records: BTreeMap<u64, Record>,
    newest: Record,
    asked: SeqRange,
    pub report: Report,
}

impl<'a> Proof<'a> {
    pub fn new(
        verifier: &'a Verifier,
        links: Vec<chain::Link>,
        asked: SeqRange,
        mut report: Report,
    ) -> Result<Self, VerifyError> {
        let mut records = BTreeMap::new();
        for link in links {
            let (seq, inside) = (link.seq, asked.contains(link.seq));
            match link.wrong {
                Some(why) => report.wrong(seq, Part::Log, verifier.folder.record(seq), why),
                None => report.log_records += u64::from(inside),
            }
            records.extend(link.record.map(|record| (seq, record)));
        }
        let Some(newest) = records.values().next_back().cloned() else {
            let why = "no record of its log can be read".to_owned();
            return Err(VerifyError::Asked { pipeline: report.pipeline, why });
        };
        report.chain.clone_from(&newest.chain);
        for record in records.values() {
            report.void.extend(record.voided.filter(|range| range.through >= asked.from));
        }
        Ok(Self { verifier, records, newest, asked, report })
    }

    /// Files that are too many.
    pub fn extra(&mut self, listed: &BTreeSet<String>) {
        let mut expected: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for (seq, record) in self.records.range(self.asked.from..=self.asked.through) {
            let names = record.epoch.outbox.iter().map(|outgoing| outgoing.name.as_str());
            expected.entry(*seq).or_default().extend(names);
        }
        let (chain, newest) = ((self.newest.chain.as_str(), self.newest.shard), self.newest.seq);
        for (seq, path) in files::extra(listed, chain, self.asked, newest, &expected) {
            self.report.wrong(seq, Part::Files, path, "it is there, and no such commit gave it");
        }
    }

    /// Goes through the records in order.
    pub fn commits(
        &mut self,
        oldest: u64,
        listed: &BTreeSet<String>,
        seen: &mut dyn FnMut(Step),
    ) -> Result<(), PipelineError> {
        let records = std::mem::take(&mut self.records);
        let mut raw = Records::new(self.verifier);
        let mut cast = None;
        let of = self.asked.through - self.asked.from + 1;
        for (done, seq) in (self.asked.from..=self.asked.through).enumerate() {
            let (before, record) = (records.get(&(seq - 1)), records.get(&seq));
            if let Some(record) = record {
                for outgoing in &record.epoch.outbox {
                    let fate = fate::fate(seq, &outgoing.sink, &records, &self.newest);
                    files::check(self.verifier, record, outgoing, fate, listed, &mut self.report)?;
                }
                let following = records.range(seq..=self.asked.through).skip(1).map(|(_, record)| record);
                match before {
                    Some(before) => {
                        self.one(before, record, &records, &mut raw, following, &mut cast)?;
                    }
                    None if seq == 1 => {}
                    None => self.without_state(record, oldest),
                }
                self.verifier.keep_blobs_of(record);
            }
            seen(Step { commit: seq, done: done as u64 + 1, of, records: self.report.records });
        }
        Ok(())
    }

    /// The record before is not there, and with it the state that the epoch began with.
    fn without_state(&mut self, record: &Record, oldest: u64) {
        let why = if record.seq == oldest {
            "the record before, and with it the state that the epoch began with, was cleaned up (`verify-retention`)"
        } else {
            "the record before, and with it the state that the epoch began with, cannot be read"
        };
        self.report.cannot(Unprovable::of(record.seq, Part::Rows, why));
    }

    fn one<'r>(
        &mut self,
        before: &'r Record,
        record: &'r Record,
        records: &BTreeMap<u64, Record>,
        raw: &mut Records<'_>,
        following: impl Iterator<Item = &'r Record>,
        cast: &mut Option<Cast>,
    ) -> Result<(), PipelineError> {
        let seq = record.seq;
        let object = self.verifier.folder.record(seq);
        let back_to = record.voided.and_then(|range| records.get(&range.from.saturating_sub(1)));
        for why in succession::judge(before, record, back_to) {
            self.report.wrong(seq, Part::Log, &object, why);
        }
        if record.kind != Kind::Fence {
            let (epoch, state) = (record.epoch.clone(), record.state.clone());
            let draft = Draft { kind: record.kind, epoch, state, voided: record.voided };
            if let Err(why) = draft.check(before) {
                self.report.wrong(seq, Part::Log, &object, why);
            }
        }
        let pipeline = &self.verifier.plan.pipeline;
        if record.kind == Kind::Commit
            && self.same_manifest(record)
            && let Some(why) = succession::watermark(before, record, pipeline.delay_us, pipeline.idle_advance)
        {
            self.report.wrong(seq, Part::Log, &object, why);
        }
        if record.kind == Kind::Commit && windows::only(&before.state, &record.epoch, &record.state) {
            for why in windows::judge(&before.state, &record.epoch, &record.state) {
                self.report.wrong(seq, Part::Log, &object, why);
            }
            return Ok(());
        }
        let judged = match record.kind {
            Kind::Commit => self.epoch((before, record), records, raw, following, cast),
            Kind::Swap if succession::swapped_window(before, record) => self.swap(before, record),
            Kind::Swap | Kind::Fence | Kind::Rollback => Ok(()),
        };
        judged.or_else(|error| self.failed(record, error))
    }

    fn same_manifest(&self, record: &Record) -> bool {
        record.state.manifest == Some(self.verifier.plan.pipeline.digest)
    }

    /// Computes an epoch again and compares.
    fn epoch<'r>(
        &mut self,
        (before, record): (&'r Record, &'r Record),
        records: &BTreeMap<u64, Record>,
        raw: &mut Records<'_>,
        following: impl Iterator<Item = &'r Record>,
        cast: &mut Option<Cast>,
    ) -> Result<(), PipelineError> {
        let seq = record.seq;
        let published = match self.published(before, records)? {
            Ok(published) => published,
            Err(why) => {
                self.report.cannot(Unprovable::of(seq, Part::Rows, why));
                return Ok(());
            }
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
        let mut cast_now = match replay::cast(self.verifier, record, cast.take())? {
            Ok(cast) => cast,
            Err(miscast) => return self.miscast(seq, miscast),
        };
        let computed = replay::compute(self.verifier, &mut cast_now, (before, record), batches, &published);
        *cast = Some(cast_now);
        self.judge(record, &computed?, from_archive)
    }

    /// What lay there of void commits when an epoch after a rollback was made.
    fn published(
        &self,
        before: &Record,
        records: &BTreeMap<u64, Record>,
    ) -> Result<Result<Published, String>, PipelineError> {
        let Some(range) = before.state.live.remake else { return Ok(Ok(Published::default())) };
        let mut voided = Vec::new();
        for seq in range.from..=range.through {
            let read = match records.get(&seq) {
                Some(record) => Some(record.clone()),
                None => status::record(&self.verifier.store, self.verifier.plan.name(), SHARD, seq)?,
            };
            let Some(read) = read else {
                return Ok(Err(format!(
                    "only what differs from commits {} to {}, which a rollback had made void, was published, and record \
                     {seq} of these was cleaned up",
                    range.from, range.through
                )));
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
            let digests = self.report.functions.entry(role_name(function.role).to_owned()).or_default();
            digests.insert(function.digest);
        }
    }

    fn other_manifest(&mut self, record: &Record) {
        let was = record.state.manifest.map_or("unknown".to_owned(), |digest| digest.to_string());
        let why = format!(
            "computed again it differs, and the pipeline's part of the manifest was another one then (sha256 {was}, and {} \
             now): give that one with -f",
            self.verifier.plan.pipeline.digest
        );
        self.report.cannot(Unprovable::of(record.seq, Part::Rows, why));
    }

    fn swap(&mut self, before: &Record, record: &Record) -> Result<(), PipelineError> {
        let seq = record.seq;
        let windows = record.state.functions.iter().find(|it| it.role == Role::Window);
        let Some(function) = windows else { return Ok(()) };
        let component =
            match replay::component(self.verifier, function.role, &function.name, function.digest)? {
                Ok(component) => component,
                Err(miscast) => return self.miscast(seq, miscast),
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

    fn miscast(&mut self, seq: u64, miscast: Miscast) -> Result<(), PipelineError> {
        match miscast {
            Miscast::Missing(why) => self.report.cannot(Unprovable::of(seq, Part::Rows, why)),
            Miscast::Wrong(object, why) => self.report.wrong(seq, Part::Rows, object, why),
        }
        Ok(())
    }

    /// What an error on the way means for the proof. The store's own are the caller's.
    fn failed(&mut self, record: &Record, error: PipelineError) -> Result<(), PipelineError> {
        let seq = record.seq;
        match error {
            PipelineError::Source(error) => {
                self.report.unreachable.get_or_insert(error.to_string());
                self.report.unread += 1;
            }
            PipelineError::Log(LogError::Corrupt { object, why }) => {
                let root = format!("{}/", self.verifier.store.url());
                let object = object.strip_prefix(&root).unwrap_or(&object).to_owned();
                self.report.wrong(seq, Part::State, object, why);
            }
            PipelineError::Store(_) | PipelineError::Log(_) | PipelineError::Thread(_) => return Err(error),
            error if !self.same_manifest(record) => {
                tracing::warn!(commit = seq, %error, "cannot be computed again");
                self.other_manifest(record);
            }
            error => {
                let why = format!("computed again, it fails: {error}");
                self.report.wrong(seq, Part::Rows, self.verifier.folder.record(seq), why);
            }
        }
        Ok(())
    }
}
