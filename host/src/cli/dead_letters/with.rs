//! `tallow dead-letters replay --with`: the topic is read again from the commit of the first letter on, by another parse
//! function. What comes out otherwise is published as the next revision.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tallow_letters::{Filter, Letters};
use tallow_manifest::{Manifest, Pipeline, Source};
use tallow_pipeline::progress::Progress;
use tallow_pipeline::start;
use tallow_store::{Digest, Store};
use tallow_worker::Unobserved;

use super::{Which, agreed, open};
use crate::cli::compose::{Asked, Host, newest_record};
use crate::cli::report::{counted, grouped};
use crate::cli::{Failure, ownership, stop};

/// What is to be read again.
struct Again {
    letters: u64,
    /// The commit that set the first one aside.
    first: u64,
    newest: u64,
}

/// `given`: whether it is agreed to, and whether JSON is wanted.
pub fn run(which: &Which, file: &Path, given: (bool, bool), own: &ownership::Args) -> Result<(), Failure> {
    let (_, json) = given;
    let (mut manifest, store, filter) = open(which)?;
    let pipeline = which.one(&manifest)?.clone();
    let Some(again) = look(&store, &pipeline, &filter)? else {
        println!("{}: no dead letter matches that its log still knows", pipeline.id);
        return Ok(());
    };
    if pipeline.rekey.is_some() {
        return Err(Failure::usage(
            "records that went out under another key cannot be taken back: a pipeline with `rekey` is not read again; send the \
             letters to its topic with --to",
        ));
    }
    let own_file = replace(&mut manifest, &pipeline, file)?;
    let what = format!(
        "read the topic of `{}` again from commit {} on (the newest is {}), with {}",
        pipeline.id,
        again.first,
        again.newest,
        file.display()
    );
    if !agreed(&what, given)? {
        println!("nothing was changed");
        return Ok(());
    }
    let stop = stop::on_signal()?;
    let host = Host::new(&manifest, stop.clone())?;
    let progress = Arc::new(Progress::new(Vec::new()));
    let services = host.pipeline(&manifest, &pipeline, Asked::default(), progress, Arc::new(Unobserved))?;
    let services = Arc::new(services);
    let Some(_ownership) = ownership::claim(own, std::slice::from_ref(&services), &stop)? else {
        return Ok(());
    };
    let why = format!("{} read again", counted(again.letters, "dead letter"));
    let parse = &services.functions.parse;
    let voided = start::rewind(&services, again.first, (parse, own_file), &why)?;
    if json {
        let shown = json!({ "summary": "replay", "pipeline": pipeline.id, "letters": again.letters, "voided_from": voided.from,
                            "voided_through": voided.through, "parse": parse.digest().to_string() });
        println!("{shown}");
        return Ok(());
    }
    println!(
        "{}: back before commit {}, where the first of {} was set aside; commits {} to {} will be made again",
        pipeline.id,
        voided.from,
        counted(again.letters, "dead letter"),
        grouped(voided.from),
        grouped(voided.through)
    );
    println!("  parse        {} (sha256 {})", file.display(), parse.digest());
    println!(
        "  next         `tallow up` reads the topic from there, and publishes candles that differ as their next revision; name \
         the function in [component.{}] to keep it",
        pipeline.parse
    );
    Ok(())
}

/// The letters that match, of commits that the log still has; `None` if there are none.
fn look(store: &Store, pipeline: &Pipeline, filter: &Filter) -> Result<Option<Again>, Failure> {
    let Some(newest) = newest_record(store, &pipeline.id)? else { return Ok(None) };
    let mut commits = BTreeSet::new();
    let mut letters = 0;
    for kept in Letters::of(store, &pipeline.id, filter)? {
        let commit = kept?.commit;
        let parts: Vec<&str> = commit.split('/').collect();
        if let [chain, shard, seq] = parts[..]
            && chain == newest.chain
            && shard == newest.shard.to_string()
            && let Ok(seq) = seq.parse::<u64>()
        {
            letters += 1;
            commits.insert(seq);
        }
    }
    Ok(commits.first().map(|first| Again { letters, first: *first, newest: newest.seq }))
}

/// Puts the file in the place of the pipeline's parse component; gives the digest of the manifest's own one.
fn replace(manifest: &mut Manifest, pipeline: &Pipeline, file: &Path) -> Result<Digest, Failure> {
    let component = manifest.components.get_mut(&pipeline.parse);
    let Some(Source::Local(path)) = component.map(|component| &mut component.source) else {
        return Err(Failure::usage(format!(
            "the parse function `{}` is no file of this machine: name the other one in the manifest, and write --with the \
             file of that one",
            pipeline.parse
        )));
    };
    let own = fs::read(&*path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    *path = file.to_owned();
    Ok(Digest::of(&own))
}
