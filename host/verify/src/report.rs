//! What came out: what is proved, what is wrong, and what cannot be proved any more.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tallow_log::record::SeqRange;
use tallow_record::TopicPartition;
use tallow_store::Digest;

use tallow_env::exit;

/// What of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The log record itself.
    Log,
    /// What the lake holds under the commit's name.
    Files,
    /// What topics hold under the commit's name.
    Topics,
    /// What the functions make of the records.
    Rows,
    /// What became of each record and row.
    Books,
    /// What the next epoch begins with.
    State,
}

impl Part {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Files => "files",
            Self::Topics => "topics",
            Self::Rows => "rows",
            Self::Books => "books",
            Self::State => "state",
        }
    }
}

/// Something is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    pub commit: u64,
    pub part: Part,
    /// Path of the object in the lake, or what it is about.
    pub object: String,
    pub why: String,
}

/// Offsets `from` to before `to` of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offsets {
    pub topic: String,
    pub partition: i32,
    pub from: i64,
    pub to: i64,
}

impl Offsets {
    pub fn new(partition: &TopicPartition, from: i64, to: i64) -> Self {
        Self { topic: partition.topic.to_string(), partition: partition.partition, from, to }
    }
}

/// What was needed for a proof is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unprovable {
    pub commits: SeqRange,
    pub part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offsets: Option<Offsets>,
    pub why: String,
    /// The topic's retention has passed it: what happens to everything in time.
    #[serde(skip)]
    pub by_retention: bool,
}

impl Unprovable {
    pub fn of(commit: u64, part: Part, why: impl Into<String>) -> Self {
        let commits = SeqRange { from: commit, through: commit };
        Self { commits, part, offsets: None, why: why.into(), by_retention: false }
    }
}

/// The word on all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Proved,
    Wrong,
    Unreachable,
    /// What could be looked at is right; not all of it could.
    NotAllProved,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub pipeline: String,
    pub chain: String,
    pub commits: Option<SeqRange>,
    /// Log records that are whole and that the records after them follow from.
    pub log_records: u64,
    /// Files with the bytes, the rows and the footer that the log says.
    pub files: u64,
    pub file_rows: u64,
    /// Records that are in their topics once, as they were committed.
    pub sent: u64,
    /// Epochs that were computed again and gave the same rows, books and state.
    pub epochs: u64,
    /// Those of them whose records came from the archive; the others' came from the topics.
    pub from_archive: u64,
    pub records: u64,
    pub rows: u64,
    /// Swaps whose state is the old one as the new function writes it.
    pub swaps: u64,
    /// Records that were left out, as the log says, since a function trapped or ran out of time on them.
    pub set_aside: u64,
    /// Commits that a rollback made void.
    pub void: Vec<SeqRange>,
    /// Files that wait for the end of a probation, or for their publisher.
    pub held: u64,
    /// Points that commits have for databases, which are not read back.
    pub points: u64,
    pub due: u64,
    /// SHA-256 of the components that were run, by role.
    pub functions: BTreeMap<String, BTreeSet<Digest>>,
    pub wrong: Vec<Wrong>,
    pub unprovable: Vec<Unprovable>,
    /// What is older than the topics' retention, if it was not asked for.
    pub beyond: Vec<Unprovable>,
    /// No start was given.
    #[serde(skip)]
    pub open_start: bool,
    /// Why the topics could not be read, and how many commits were not computed again for it.
    pub unreachable: Option<String>,
    pub unread: u64,
}

impl Report {
    pub fn verdict(&self) -> Verdict {
        match self {
            _ if !self.wrong.is_empty() => Verdict::Wrong,
            _ if self.unreachable.is_some() => Verdict::Unreachable,
            _ if !self.unprovable.is_empty() => Verdict::NotAllProved,
            // Something has to be proved to call it so.
            _ if !self.beyond.is_empty() && self.epochs == 0 => Verdict::NotAllProved,
            _ => Verdict::Proved,
        }
    }

    pub fn exit_code(&self) -> u8 {
        match self.verdict() {
            Verdict::Proved => exit::DONE,
            Verdict::Wrong => exit::DATA,
            Verdict::Unreachable => exit::UNAVAILABLE,
            Verdict::NotAllProved => exit::NO_INPUT,
        }
    }

    pub fn wrong(&mut self, commit: u64, part: Part, object: impl Into<String>, why: impl Into<String>) {
        self.wrong.push(Wrong { commit, part, object: object.into(), why: why.into() });
    }

    /// Notes what cannot be proved, together with what lies before it for the same reason.
    pub fn cannot(&mut self, new: Unprovable) {
        let list = match self.open_start && new.by_retention {
            true => &mut self.beyond,
            false => &mut self.unprovable,
        };
        let before = list.iter_mut().rev().find(|old| follows(old, &new));
        let Some(before) = before else { return list.push(new) };
        before.commits.through = new.commits.through;
        if let (Some(before), Some(new)) = (&mut before.offsets, &new.offsets) {
            before.to = new.to;
        }
    }

    /// A clean-up removed records below `oldest` while they were looked at: what was missed of them, and of the state
    /// that `oldest` began with, was not forged.
    pub fn forget_below(&mut self, oldest: u64) {
        let missed =
            |wrong: &Wrong| wrong.commit < oldest || (wrong.commit == oldest && wrong.part == Part::State);
        let (gone, wrong): (Vec<Wrong>, Vec<Wrong>) =
            std::mem::take(&mut self.wrong).into_iter().partition(missed);
        self.wrong = wrong;
        for gone in gone {
            self.cannot(Unprovable::of(
                gone.commit,
                gone.part,
                "a clean-up removed it while it was looked at",
            ));
        }
    }
}

fn follows(old: &Unprovable, new: &Unprovable) -> bool {
    let offsets = match (&old.offsets, &new.offsets) {
        (None, None) => {
            old.commits.through == new.commits.from || old.commits.through + 1 == new.commits.from
        }
        (Some(old), Some(new)) => {
            (&old.topic, old.partition, old.to) == (&new.topic, new.partition, new.from)
        }
        _ => false,
    };
    offsets && old.part == new.part && old.why == new.why
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(commit: u64, partition: i32, from: i64, to: i64) -> Unprovable {
        let offsets = Some(Offsets { topic: "t".into(), partition, from, to });
        Unprovable { offsets, ..Unprovable::of(commit, Part::Rows, "gone") }
    }

    #[test]
    fn what_lies_together_for_one_reason_is_told_together() {
        let mut report = Report::default();
        for unprovable in [gone(2, 0, 0, 10), gone(2, 1, 5, 7), gone(4, 0, 10, 20), gone(4, 1, 9, 10)] {
            report.cannot(unprovable);
        }
        let told: Vec<_> = report
            .unprovable
            .iter()
            .map(|it| (it.commits.from, it.commits.through, it.offsets.as_ref().unwrap()))
            .map(|(from, through, offsets)| (from, through, offsets.partition, offsets.from, offsets.to))
            .collect();
        assert_eq!(told, [(2, 4, 0, 0, 20), (2, 2, 1, 5, 7), (4, 4, 1, 9, 10)]);

        let mut report = Report::default();
        for (commit, why) in [(1, "a"), (2, "a"), (3, "b"), (5, "b")] {
            report.cannot(Unprovable::of(commit, Part::State, why));
        }
        let told: Vec<_> = report.unprovable.iter().map(|it| (it.commits.from, it.commits.through)).collect();
        assert_eq!(told, [(1, 2), (3, 3), (5, 5)]);
    }

    #[test]
    fn wrong_outweighs_unreachable_and_that_what_is_gone() {
        let mut report = Report::default();
        assert_eq!((report.verdict(), report.exit_code()), (Verdict::Proved, 0));
        report.cannot(gone(1, 0, 0, 1));
        assert_eq!((report.verdict(), report.exit_code()), (Verdict::NotAllProved, 66));
        report.unreachable = Some("nobody answers".into());
        assert_eq!((report.verdict(), report.exit_code()), (Verdict::Unreachable, 69));
        report.wrong(1, Part::Files, "x", "it is missing");
        assert_eq!((report.verdict(), report.exit_code()), (Verdict::Wrong, 65));
    }

    #[test]
    fn what_retention_has_passed_is_beyond_what_was_asked_unless_it_was_asked_for() {
        let passed = || Unprovable { by_retention: true, ..gone(1, 0, 0, 9) };
        for (open_start, epochs, verdict) in
            [(true, 1, Verdict::Proved), (true, 0, Verdict::NotAllProved), (false, 1, Verdict::NotAllProved)]
        {
            let mut report = Report { open_start, epochs, ..Report::default() };
            report.cannot(passed());
            assert_eq!((report.verdict(), report.beyond.len()), (verdict, usize::from(open_start)));
            report.cannot(gone(2, 0, 9, 10));
            assert_eq!(report.verdict(), Verdict::NotAllProved, "for another reason");
        }
    }

    #[test]
    fn what_a_clean_up_removed_meanwhile_is_not_called_wrong() {
        let mut report = Report::default();
        report.wrong(3, Part::Files, "x", "it is missing");
        report.wrong(4, Part::Files, "y", "it is missing");
        report.wrong(4, Part::State, "z", "it is missing");
        report.forget_below(4);
        assert_eq!(report.wrong.len(), 1);
        assert_eq!(report.unprovable[0].commits, SeqRange { from: 3, through: 3 });
    }
}
