//! A proof under way: record after record, each held against the one before it, against its files, and against what is
//! computed again.

mod again;

use std::collections::{BTreeMap, BTreeSet};

use tallow_log::record::{Kind, Outgoing, SeqRange};
use tallow_log::{Draft, LogError, Record};

use super::publication_state::PublicationState;
use super::records::Records;
use super::replay::ReplaySetup;
use super::report::{Part, Report, Unprovable};
use super::topics::{Sent, Within};
use super::{Step, Verifier, VerifyError, chain, files, publication_state, succession};
use tallow_pipeline::PipelineError;
use tallow_pipeline::start::windows;

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
        let mut setup = None;
        let mut sent = Sent::default();
        let of = self.asked.through - self.asked.from + 1;
        for (done, seq) in (self.asked.from..=self.asked.through).enumerate() {
            let (before, record) = (records.get(&(seq - 1)), records.get(&seq));
            if let Some(record) = record {
                for outgoing in &record.epoch.outbox {
                    let state = publication_state::of(seq, &outgoing.sink, &records, &self.newest);
                    match outgoing.sink.as_str() {
                        tallow_sink_kafka::NAME => self.expect(record, outgoing, state, &mut sent)?,
                        // Whose databases are not read back.
                        tallow_sink_influxdb::NAME => {
                            if files::blob(self.verifier, record, outgoing, &mut self.report)?.is_some() {
                                self.report.points += outgoing.rows;
                            }
                        }
                        _ => {
                            files::check(self.verifier, record, outgoing, state, listed, &mut self.report)?;
                        }
                    }
                }
                let following = records.range(seq..=self.asked.through).skip(1).map(|(_, record)| record);
                match before {
                    Some(before) => {
                        self.one(before, record, &records, &mut raw, following, &mut setup)?;
                    }
                    None if seq == 1 => {}
                    None => self.without_state(record, oldest),
                }
                self.verifier.keep_blobs_of(record);
            }
            seen(Step { commit: seq, done: done as u64 + 1, of, records: self.report.records });
        }
        let (chain, shard) = (self.newest.chain.as_str(), self.newest.shard);
        let within = Within { chain, shard, asked: self.asked, newest: self.newest.seq };
        sent.check(self.verifier, &within, &mut self.report)
    }

    /// What a commit had for topics, to be held against them.
    fn expect(
        &mut self,
        record: &Record,
        outgoing: &Outgoing,
        state: PublicationState,
        sent: &mut Sent,
    ) -> Result<(), PipelineError> {
        let Some(bytes) = files::blob(self.verifier, record, outgoing, &mut self.report)? else {
            return Ok(());
        };
        match tallow_sink_kafka::record::decode(&outgoing.name, bytes) {
            Ok(records) => sent.expect(record.seq, state, records),
            Err(error) => self.report.wrong(record.seq, Part::Topics, error.path, error.why),
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
        setup: &mut Option<ReplaySetup>,
    ) -> Result<(), PipelineError> {
        let seq = record.seq;
        let object = self.verifier.folder.record(seq);
        let back_to = record.voided.and_then(|range| records.get(&range.from.saturating_sub(1)));
        for why in succession::judge(before, record, back_to) {
            self.report.wrong(seq, Part::Log, &object, why);
        }
        if record.kind != Kind::Fence {
            let (epoch, state) = (record.epoch.clone(), record.state.clone());
            let draft: Draft = Draft { kind: record.kind, epoch, state, voided: record.voided };
            if let Err(why) = draft.check(before) {
                self.report.wrong(seq, Part::Log, &object, why.to_string());
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
            Kind::Commit => self.epoch((before, record), records, raw, following, setup),
            Kind::Swap if succession::swapped_window(before, record) => self.swap(before, record),
            Kind::Swap | Kind::Fence | Kind::Rollback => Ok(()),
        };
        judged.or_else(|error| self.failed(record, error))
    }

    fn same_manifest(&self, record: &Record) -> bool {
        record.state.manifest == Some(self.verifier.plan.pipeline.digest)
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
