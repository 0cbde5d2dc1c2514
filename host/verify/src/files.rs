//! Does the lake hold what a commit gave it: every file, as it was committed, and no other under the commit's name?

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tallow_lake::tables;
use tallow_log::Record;
use tallow_log::record::{Outgoing, SeqRange};
use tallow_sink::{EpochOutput, LakeFile, claims, rows_digest};
use tallow_store::Digest;

use super::Verifier;
use super::publication_state::PublicationState;
use super::report::{Part, Report};
use tallow_pipeline::PipelineError;
use tallow_pipeline::commit::provenance;
use tallow_pipeline::epoch::Chunk;

/// The blob in which a commit's output waited; `None`, with what is wrong reported, if it is not what was committed.
pub fn blob(
    verifier: &Verifier,
    commit: &Record,
    outgoing: &Outgoing,
    report: &mut Report,
) -> Result<Option<Bytes>, PipelineError> {
    let mut faults = Faults { seq: commit.seq, object: &outgoing.name, report };
    let path = verifier.folder.blob(&outgoing.blob.name);
    let blob = verifier.store.get(&path)?;
    let before = faults.report.wrong.len();
    match &blob {
        None => faults.of(&path, "it is missing"),
        Some(bytes) if Digest::of(bytes) != outgoing.blob.name.sha256 => {
            let found = Digest::of(bytes);
            faults.of(&path, &format!("its sha256 is {found}, not the one in its name"));
        }
        Some(_) if outgoing.blob.name.sha256 != outgoing.digest => {
            faults.of(&path, "it is another file's: the log names another sha256 for it");
        }
        Some(_) => {}
    }
    Ok(blob.filter(|_| faults.report.wrong.len() == before))
}

/// Looks at one file of a commit.
pub fn check(
    verifier: &Verifier,
    commit: &Record,
    outgoing: &Outgoing,
    state: PublicationState,
    listed: &BTreeSet<String>,
    report: &mut Report,
) -> Result<(), PipelineError> {
    let seq = commit.seq;
    let mut faults = Faults { seq, object: &outgoing.name, report };
    if !outgoing.name.ends_with(&format!("/{}.parquet", commit.commit_id())) {
        faults.add("its name is not the commit's");
    }
    blob(verifier, commit, outgoing, faults.report)?;
    let file = match state {
        PublicationState::Published | PublicationState::Due => verifier.store.get(&outgoing.name)?,
        PublicationState::Held | PublicationState::Dropped => {
            // As it was before the log was read: the owner may have let it out since.
            if listed.contains(&outgoing.name) {
                faults.add(match state {
                    PublicationState::Held => "it is there, though its function's probation is not over",
                    _ => "it is there, though a rollback came before it was published",
                });
            }
            report.held += u64::from(state == PublicationState::Held);
            return Ok(());
        }
    };
    let Some(bytes) = file else {
        match state {
            PublicationState::Due => report.due += 1,
            _ => faults.add("it is missing"),
        }
        return Ok(());
    };
    let before = faults.report.wrong.len();
    let found = Digest::of(&bytes);
    if found != outgoing.digest {
        faults.add(&format!("it was changed: its sha256 is {found}, and {} was committed", outgoing.digest));
    }
    judge_content(commit, outgoing, bytes, &mut faults);
    if faults.report.wrong.len() == before {
        report.files += 1;
        report.file_rows += outgoing.rows;
    }
    Ok(())
}

struct Faults<'a> {
    seq: u64,
    object: &'a str,
    report: &'a mut Report,
}

impl Faults<'_> {
    fn add(&mut self, why: &str) {
        self.report.wrong(self.seq, Part::Files, self.object, why);
    }

    fn of(&mut self, object: &str, why: &str) {
        self.report.wrong(self.seq, Part::Files, object, why);
    }
}

/// The file's rows, and what its footer says about where they come from.
fn judge_content(commit: &Record, outgoing: &Outgoing, bytes: Bytes, faults: &mut Faults<'_>) {
    let read = LakeFile::open(&outgoing.name, bytes).and_then(|mut file| Ok((file.rows()?, file)));
    let (rows, file) = match read {
        Ok(read) => read,
        Err(error) => return faults.add(&format!("it cannot be read: {}", error.why)),
    };
    match rows_digest(&rows) {
        Ok(digest) if digest == outgoing.rows_digest => {}
        Ok(digest) => faults.add(&format!(
            "its {} rows are not those that were committed (digest {digest}, and {} in the log)",
            rows.num_rows(),
            outgoing.rows_digest
        )),
        Err(error) => faults.add(&format!("its rows have no digest: {error}")),
    }
    if rows.num_rows() as u64 != outgoing.rows {
        faults.add(&format!("it holds {} rows, and {} in the log", rows.num_rows(), outgoing.rows));
    }
    for (key, expected) in claims(&provenance_of(commit), outgoing.rows_digest) {
        match file.footer().get(key) {
            Some(said) if *said == expected => {}
            Some(said) => faults.add(&format!("its footer says `{key}` = {said}, and it is {expected}")),
            None => faults.add(&format!("its footer does not say `{key}`")),
        }
    }
}

/// What the footers of a commit's files follow from.
fn provenance_of(commit: &Record) -> EpochOutput<'_> {
    let chunks: Vec<Chunk> = commit.epoch.chunks.iter().map(Chunk::recorded).collect();
    EpochOutput {
        pipeline: "",
        chain: &commit.chain,
        shard: commit.shard,
        seq: commit.seq,
        clock_us: 0,
        provenance: provenance(&commit.state.functions, &chunks),
        closed: Vec::new(),
        open: Vec::new(),
        repeated: Vec::new(),
        whole: Vec::new(),
        late: Vec::new(),
        dead: Vec::new(),
        rekeyed: Vec::new(),
    }
}

/// Every object in the tables that the pipeline writes.
pub fn list(verifier: &Verifier) -> Result<BTreeSet<String>, PipelineError> {
    let pipeline = verifier.plan.name();
    let mut folders = vec![tables::dead_letters(pipeline)];
    for spec in &verifier.plan.specs {
        folders.extend([tables::speed(pipeline, &spec.name), tables::late(pipeline, &spec.name)]);
    }
    let mut listed = BTreeSet::new();
    for folder in folders {
        listed.extend(verifier.store.list(&folder)?.into_iter().map(|(path, _)| path));
    }
    Ok(listed)
}

/// Files that bear the name of one of the chain's commits and that no commit of this name gave, with the seq.
///
/// `expected`: the files of each commit that can be read; a commit `within` the range without an entry had none.
/// `newest`: there are no commits after it.
pub fn extra(
    listed: &BTreeSet<String>,
    (chain, shard): (&str, u32),
    within: SeqRange,
    newest: u64,
    expected: &BTreeMap<u64, BTreeSet<&str>>,
) -> Vec<(u64, String)> {
    let seq_of = |path: &str| tables::seq_of(path, chain, shard);
    let named = listed.iter().filter_map(|path| Some((seq_of(path)?, path)));
    let ours = |seq: u64| within.contains(seq) || (within.through == newest && seq > newest);
    let known = |seq: u64, path: &str| expected.get(&seq).is_some_and(|files| files.contains(path));
    named
        .filter(|(seq, path)| ours(*seq) && !known(*seq, path))
        .map(|(seq, path)| (seq, path.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_under_a_commits_name_that_no_commit_gave_is_found() {
        let path = |folder: &str, chain: &str, shard: u32, seq: u64| {
            format!("{folder}/date=2024-08-09/{chain}-{shard}-{seq:020}.parquet")
        };
        let ours = path("speed/a_1m", "c0ffee", 0, 7);
        let listed: BTreeSet<String> = [
            ours.clone(),
            path("speed/a_5m", "c0ffee", 0, 7),
            path("speed/a_1m", "c0ffee", 0, 3),
            path("speed/a_1m", "c0ffee", 0, 10),
            path("speed/a_1m", "c0ffee", 1, 7),
            path("speed/a_1m", "0ther", 0, 7),
            "speed/a_1m/date=2024-08-09/c0ffee-0-7.parquet".to_owned(),
            "speed/a_1m/date=2024-08-09/notes.txt".to_owned(),
        ]
        .into();
        let expected = BTreeMap::from([(7, BTreeSet::from([ours.as_str()]))]);
        let extra = |from, through, newest| {
            let found = extra(&listed, ("c0ffee", 0), SeqRange { from, through }, newest, &expected);
            found.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>()
        };
        assert_eq!(extra(5, 9, 9), [10, 7]);
        assert_eq!(extra(5, 8, 9), [7], "commit 10 was not asked about");
        assert_eq!(extra(1, 6, 12), [3]);
    }
}
