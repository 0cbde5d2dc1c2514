//! Do the topics hold what commits sent there: each record once, as it was committed, and no other under a commit's name?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tallow_log::record::SeqRange;
use tallow_record::{Batch, TopicPartition};
use tallow_sink_kafka::Record;
use tallow_sink_kafka::record::COMMIT;
use tallow_source::{Event, Limits, PartitionInfo, Source, SourceError};
use tallow_store::Digest;

use super::Verifier;
use super::publication_state::PublicationState;
use super::report::{Part, Report, Unprovable};
use tallow_pipeline::PipelineError;

/// Records bear the clock of their commit, or the broker's if the topic says so: reading begins so much earlier.
const EARLIER_US: i64 = 24 * 3_600_000_000;
const READ: Limits = Limits { records: 10_000, bytes: 8 << 20, wait: Duration::from_millis(200) };
/// How long the topics may give nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What of each commit and topic there is: digests of records, with how often each.
type Counted = BTreeMap<(u64, String), BTreeMap<Digest, i64>>;

/// What commits have sent, as the log has it.
#[derive(Default)]
pub struct Sent {
    states: BTreeMap<u64, PublicationState>,
    records: Counted,
    oldest_clock_us: Option<i64>,
}

/// The chain's commits that were asked about.
pub struct Within<'a> {
    pub chain: &'a str,
    pub shard: u32,
    pub asked: SeqRange,
    /// There are no commits after it.
    pub newest: u64,
}

impl Within<'_> {
    /// The seq of one of these commits, or of one that there cannot be; `None` for records of others.
    fn seq_of(&self, commit: &str) -> Option<u64> {
        let seq = commit.strip_prefix(self.chain)?.strip_prefix(&format!("/{}/", self.shard))?;
        let seq: u64 = seq.parse().ok()?;
        let beyond = self.asked.through == self.newest && seq > self.newest;
        (self.asked.contains(seq) || beyond).then_some(seq)
    }
}

impl Sent {
    /// Takes in what a commit had for topics.
    pub fn expect(&mut self, seq: u64, state: PublicationState, records: Vec<Record>) {
        self.states.insert(seq, state);
        for record in records {
            let clock_us = self.oldest_clock_us.get_or_insert(record.timestamp_us);
            *clock_us = record.timestamp_us.min(*clock_us);
            let digest = record.digest();
            *self.records.entry((seq, record.topic)).or_default().entry(digest).or_default() += 1;
        }
    }

    /// Reads the topics and compares.
    ///
    /// # Errors
    /// Something is wrong with this machine; what is wrong with the topics is in the report.
    pub fn check(
        self,
        verifier: &Verifier,
        within: &Within<'_>,
        report: &mut Report,
    ) -> Result<(), PipelineError> {
        let topics: BTreeSet<String> = self.records.keys().map(|(_, topic)| topic.clone()).collect();
        let Some(oldest_us) = self.oldest_clock_us else { return Ok(()) };
        for topic in topics {
            let since_us = oldest_us.saturating_sub(EARLIER_US);
            match read(verifier, &topic, since_us, within) {
                Ok(held) => self.compare(&topic, &held, report),
                Err(PipelineError::Source(SourceError::NoTopic { .. })) => {
                    self.lost(&topic, "the topic does not exist any more", report);
                }
                Err(PipelineError::Source(error)) => {
                    report.unreachable.get_or_insert(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn lost(&self, topic: &str, why: &str, report: &mut Report) {
        for (seq, _) in self.records.keys().filter(|(_, of)| of == topic) {
            report.cannot(Unprovable::of(*seq, Part::Topics, format!("topic `{topic}`: {why}")));
        }
    }

    fn compare(&self, topic: &str, held: &Held, report: &mut Report) {
        let commits = self.records.keys().chain(held.records.keys()).filter(|(_, of)| of == topic);
        let commits: BTreeSet<u64> = commits.map(|(seq, _)| *seq).collect();
        for seq in commits {
            let of = |counted: &Counted| counted.get(&(seq, topic.to_owned())).cloned().unwrap_or_default();
            let found = Found { sent: of(&self.records), held: of(&held.records) };
            let state = self.states.get(&seq).copied();
            judge(seq, topic, state, &found, held.forgets.as_deref(), report);
        }
    }
}

/// What a commit sent to a topic, and what the topic holds under its name.
struct Found {
    sent: BTreeMap<Digest, i64>,
    held: BTreeMap<Digest, i64>,
}

impl Found {
    /// Records that are not there, and that are there and were not sent, or were sent fewer times.
    fn missing_and_extra(&self) -> (i64, i64) {
        let digests: BTreeSet<&Digest> = self.sent.keys().chain(self.held.keys()).collect();
        let count = |counts: &BTreeMap<Digest, i64>, digest| counts.get(digest).copied().unwrap_or(0);
        digests.into_iter().fold((0, 0), |(missing, extra), digest| {
            let more = count(&self.held, digest) - count(&self.sent, digest);
            (missing + (-more).max(0), extra + more.max(0))
        })
    }
}

/// Pure. `forgets`: why the topic may hold less than was sent.
fn judge(
    seq: u64,
    topic: &str,
    state: Option<PublicationState>,
    found: &Found,
    forgets: Option<&str>,
    report: &mut Report,
) {
    let (missing, extra) = found.missing_and_extra();
    let sent: i64 = found.sent.values().sum();
    let object = format!("topic `{topic}`");
    let withheld = match state {
        Some(PublicationState::Held) => Some("though its function's probation is not over"),
        Some(PublicationState::Dropped) => Some("though a rollback came before it was published"),
        _ => None,
    };
    if let Some(why) = withheld {
        report.held += u64::from(state == Some(PublicationState::Held));
        if !found.held.is_empty() {
            report.wrong(seq, Part::Topics, object, format!("its records are there, {why}"));
        }
        return;
    }
    if extra > 0 {
        let why = format!(
            "{extra} records under its name are not what it sent, or are there more than once ({missing} of its {sent} are \
             missing)"
        );
        return report.wrong(seq, Part::Topics, object, why);
    }
    if missing == 0 {
        report.sent += sent.unsigned_abs();
        return;
    }
    match (state, forgets) {
        (Some(PublicationState::Due), _) if missing == sent => report.due += 1,
        (_, Some(why)) => {
            let why = format!("{object}: {missing} of {sent} records are not there any more: {why}");
            let by_retention = missing == sent;
            report.cannot(Unprovable { by_retention, ..Unprovable::of(seq, Part::Topics, why) });
        }
        _ => report.wrong(seq, Part::Topics, object, format!("{missing} of its {sent} records are missing")),
    }
}

/// What a topic holds of the commits.
struct Held {
    records: Counted,
    /// Why it may hold less than was sent.
    forgets: Option<String>,
}

fn read(verifier: &Verifier, topic: &str, since_us: i64, within: &Within<'_>) -> Result<Held, PipelineError> {
    let source = (verifier.results)(topic)?;
    let partitions = source.partitions()?;
    let forgets = forgets(&*source, topic, &partitions)?;
    let from = source.offsets_at(&partitions, since_us)?;
    let mut open: BTreeMap<TopicPartition, i64> = BTreeMap::new();
    for info in &partitions {
        let at = from.iter().find(|at| at.partition == info.partition).map_or(0, |at| at.next);
        if at < info.latest {
            open.insert(info.partition.clone(), info.latest);
        }
    }
    let mut fetcher = source.fetcher(&from)?;
    let mut held = Held { records: Counted::new(), forgets };
    let mut heard = verifier.clock.ticks();
    while !open.is_empty() {
        let mut batch = Batch::default();
        let events = fetcher.fetch(READ, &mut batch)?;
        count(&batch, topic, within, &mut held.records);
        let silent = batch.is_empty() && !events.iter().any(|event| matches!(event, Event::End { .. }));
        for (first, run) in batch.runs_from() {
            let last = batch.offsets[first + run.records as usize - 1];
            reached(&mut open, &batch.partition_of(run), last + 1);
        }
        for event in events {
            match event {
                Event::End { partition, next } => reached(&mut open, &partition, next),
                Event::Unreachable { why } if verifier.clock.ticks().since(heard) > PATIENCE => {
                    return Err(SourceError::Unreachable { brokers: verifier.brokers.clone(), why }.into());
                }
                Event::Unreachable { .. } | Event::Lost { .. } => {}
            }
        }
        if !silent {
            heard = verifier.clock.ticks();
        } else if verifier.clock.ticks().since(heard) > PATIENCE {
            let why = format!("topic `{topic}` gave nothing for {} s", PATIENCE.as_secs());
            return Err(SourceError::Unreachable { brokers: verifier.brokers.clone(), why }.into());
        }
    }
    Ok(held)
}

fn reached(open: &mut BTreeMap<TopicPartition, i64>, partition: &TopicPartition, next: i64) {
    if open.get(partition).is_some_and(|end| next >= *end) {
        open.remove(partition);
    }
}

fn forgets(
    source: &dyn Source,
    topic: &str,
    partitions: &[PartitionInfo],
) -> Result<Option<String>, PipelineError> {
    let policies = source.cleanup_policies()?;
    if policies.get(topic).is_some_and(|policy| policy.contains("compact")) {
        return Ok(Some("the topic is compacted".to_owned()));
    }
    let passed = partitions.iter().find(|info| info.earliest > 0);
    Ok(passed.map(|info| format!("{} holds offsets from {} on", info.partition, info.earliest)))
}

/// Counts the records of the commits.
fn count(batch: &Batch, topic: &str, within: &Within<'_>, counted: &mut Counted) {
    let mut header = 0;
    for record in 0..batch.len() {
        let mut headers = Vec::new();
        while batch.headers.records.get(header).is_some_and(|of| *of as usize == record) {
            let value = batch.headers.values.get(header).map(<[u8]>::to_vec);
            headers.push((batch.headers.names[header].clone(), value));
            header += 1;
        }
        let record = Record {
            topic: topic.to_owned(),
            timestamp_us: batch.timestamps_us[record],
            key: batch.keys.get(record).map(<[u8]>::to_vec),
            value: batch.values.get(record).map(<[u8]>::to_vec),
            headers,
        };
        let Some(seq) = record.header(COMMIT).and_then(|commit| within.seq_of(commit)) else { continue };
        *counted.entry((seq, topic.to_owned())).or_default().entry(record.digest()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(records: &[(&str, i64)]) -> BTreeMap<Digest, i64> {
        records.iter().map(|(name, count)| (Digest::of(name.as_bytes()), *count)).collect()
    }

    #[test]
    fn what_is_there_missing_or_too_much_follows_from_the_state() {
        use PublicationState::{Dropped, Due, Held, Published};
        let (none, one, two, other) = (&[][..], &[("a", 1)][..], &[("a", 2)][..], &[("b", 1)][..]);
        // sent, held, state, forgets: wrong, unprovable, due, sent
        for (sent, held, state, forgets, expected) in [
            (one, one, Some(Published), None, (0, 0, 0, 1)),
            (one, none, Some(Published), None, (1, 0, 0, 0)),
            (one, two, Some(Published), None, (1, 0, 0, 0)),
            (one, other, Some(Published), None, (1, 0, 0, 0)),
            (one, none, Some(Published), Some("old"), (0, 1, 0, 0)),
            (one, two, Some(Published), Some("old"), (1, 0, 0, 0)),
            (one, none, Some(Due), None, (0, 0, 1, 0)),
            (one, one, Some(Due), None, (0, 0, 0, 1)),
            (one, none, Some(Held), None, (0, 0, 0, 0)),
            (one, one, Some(Held), None, (1, 0, 0, 0)),
            (one, one, Some(Dropped), None, (1, 0, 0, 0)),
            // No commit of this name sent anything.
            (none, one, None, None, (1, 0, 0, 0)),
        ] {
            let mut report = Report::default();
            let found = Found { sent: counted(sent), held: counted(held) };
            judge(7, "t", state, &found, forgets, &mut report);
            let said = (report.wrong.len(), report.unprovable.len(), report.due, report.sent);
            assert_eq!(said, expected, "{sent:?} {held:?} {state:?} {forgets:?}");
        }
    }

    #[test]
    fn a_record_is_the_commits_that_its_header_names() {
        let asked = SeqRange { from: 5, through: 9 };
        let within = Within { chain: "c0ffee", shard: 0, asked, newest: 9 };
        for (commit, seq) in [
            ("c0ffee/0/5", Some(5)),
            ("c0ffee/0/12", Some(12)),
            ("c0ffee/0/4", None),
            ("c0ffee/1/5", None),
            ("0ther/0/5", None),
            ("c0ffee/0/x", None),
        ] {
            assert_eq!(within.seq_of(commit), seq, "{commit}");
        }
        assert_eq!(Within { newest: 20, ..within }.seq_of("c0ffee/0/12"), None, "it was not asked about");
    }
}
