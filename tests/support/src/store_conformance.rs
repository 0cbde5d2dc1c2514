//! What a store has to keep, as one suite for all of them: memory, files, buckets. Run it on a store that you
//! are not sure of; it works in its own folder and leaves nothing behind.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use tallow_env::{Clock, Random};
use tallow_log::record::{Epoch, State};
use tallow_log::{Draft, Log};
use tallow_store::body::SPILL_BYTES;
use tallow_store::{Body, BodyWriter, Create, Digest, Found, Store, StoreError};

type Check = fn(&Bench) -> Result<(), String>;

const CHECKS: &[(&str, Check)] = &[
    ("what was never written is not there", nothing_is_not_there),
    ("what was written is read at once, byte for byte", written_is_read),
    ("a second create is refused and shows the first", second_create_is_refused),
    ("of creates that race one wins, and all others see it", one_racer_wins),
    ("a folder lists its objects with their sizes, sorted, and no others", folder_lists_its_own),
    ("an overwrite replaces the whole object", overwrite_replaces),
    ("a large object is written in parts, appears whole, and has the digest of its bytes", large_is_whole),
    ("a copy is what it is a copy of, over whatever is there, and stays when that changes", copy_is_its_own),
    ("what is larger than it may be is not read", too_large_is_not_read),
    ("what was deleted is gone, and deleting it again is fine", deleted_is_gone),
    ("percent-encoded names stay as they are", encoded_names_stay),
    ("the probe finds the store fit", probe_passes),
    ("a shard has one owner: the second fences the first", second_owner_fences),
];

const LARGE_BYTES: usize = 5 * 1024 * 1024 + 1;
const RACERS: usize = 8;

struct Bench {
    store: Store,
    folder: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Runs all checks. The error names the check that failed and what was seen.
pub fn run(store: &Store, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<(), String> {
    let name = format!("conformance-{:016x}", random.next_u64());
    for (index, (what, check)) in CHECKS.iter().enumerate() {
        let folder = format!("_tallow/jobs/{name}/{index}");
        let bench = Bench { store: store.clone(), folder, clock: clock.clone(), random: random.clone() };
        let checked = check(&bench);
        bench.sweep()?;
        checked.map_err(|seen| format!("{what}: {seen}"))?;
    }
    Ok(())
}

impl Bench {
    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    fn sweep(&self) -> Result<(), String> {
        for (path, _) in self.store.list(&self.folder).map_err(said)? {
            self.store.delete(&path).map_err(said)?;
        }
        Ok(())
    }
}

fn said(error: StoreError) -> String {
    error.to_string()
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, seen: T, wanted: T) -> Result<(), String> {
    if seen == wanted { Ok(()) } else { Err(format!("{what} gave {seen:?}, not {wanted:?}")) }
}

fn nothing_is_not_there(bench: &Bench) -> Result<(), String> {
    expect("reading", bench.store.get(&bench.at("none")).map_err(said)?, None)?;
    expect("listing", bench.store.list(&bench.folder).map_err(said)?, Vec::new())
}

fn written_is_read(bench: &Bench) -> Result<(), String> {
    let large: Vec<u8> = (0..LARGE_BYTES).map(|index| (index * 31 % 251) as u8).collect();
    for (name, bytes) in [("empty", Vec::new()), ("small", b"a\0\n\xff".to_vec()), ("large", large)] {
        let (path, bytes) = (bench.at(name), Bytes::from(bytes));
        expect("creating", bench.store.create(&path, bytes.clone()).map_err(said)?, Create::Created)?;
        if bench.store.get(&path).map_err(said)? != Some(bytes) {
            return Err(format!("the {name} object came back different"));
        }
    }
    Ok(())
}

fn second_create_is_refused(bench: &Bench) -> Result<(), String> {
    let path = bench.at("once");
    let create = |text: &'static str| bench.store.create(&path, text).map_err(said);
    expect("the first create", create("first")?, Create::Created)?;
    expect("the second create", create("second")?, Create::Exists { theirs: "first".into() })?;
    expect("creating the same again", create("first")?, Create::Created)?;
    expect("reading", bench.store.get(&path).map_err(said)?, Some("first".into()))
}

fn one_racer_wins(bench: &Bench) -> Result<(), String> {
    let path = bench.at("race");
    let answers: Vec<(String, Create)> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| {
                let (store, path, text) = (bench.store.clone(), &path, format!("racer {racer}"));
                scope.spawn(move || Ok((text.clone(), store.create(path, text)?)))
            })
            .collect();
        let joined = racers.into_iter().map(|racer| match racer.join() {
            Ok(answer) => answer.map_err(said),
            Err(_) => Err("a racer panicked".to_owned()),
        });
        joined.collect::<Result<_, String>>()
    })?;
    let winners: Vec<_> = answers.iter().filter(|(_, answer)| *answer == Create::Created).collect();
    let [(winner, _)] = winners[..] else { return Err(format!("{} of {RACERS} won", winners.len())) };
    let theirs = Bytes::from(winner.clone());
    expect("reading", bench.store.get(&path).map_err(said)?, Some(theirs.clone()))?;
    let mut lost = answers.iter().filter(|(racer, _)| racer != winner);
    lost.try_for_each(|(_, answer)| expect("losing", answer, &Create::Exists { theirs: theirs.clone() }))
}

fn folder_lists_its_own(bench: &Bench) -> Result<(), String> {
    for name in ["folder/10", "folder/9", "folder/deep/er", "folder-beside/x", "folde"] {
        bench.store.create(&bench.at(name), name).map_err(said)?;
    }
    let listed = bench.store.list(&bench.at("folder")).map_err(said)?;
    let wanted = ["folder/10", "folder/9", "folder/deep/er"].map(|name| (bench.at(name), name.len() as u64));
    expect("listing", listed, wanted.to_vec())
}

fn overwrite_replaces(bench: &Bench) -> Result<(), String> {
    let path = bench.at("table");
    for text in ["a longer first version", "short", "short"] {
        bench.store.put_overwrite(&path, text).map_err(said)?;
        expect("reading", bench.store.get(&path).map_err(said)?, Some(text.into()))?;
    }
    Ok(())
}

/// More than two parts, and more than what is held in memory.
const UPLOAD_BYTES: usize = SPILL_BYTES + 4_321;

fn large_is_whole(bench: &Bench) -> Result<(), String> {
    let path = bench.at("large");
    expect("the digest of nothing", bench.store.digest(&path).map_err(said)?, None)?;
    for factor in [31, 37] {
        let bytes: Vec<u8> = (0..UPLOAD_BYTES).map(|index| (index * factor % 251) as u8).collect();
        let body = scratch(&bytes)?;
        bench.store.put_file(&path, &body).map_err(said)?;
        let digest = bench.store.digest(&path).map_err(said)?;
        expect("the digest", digest, Some((Digest::of(&bytes), UPLOAD_BYTES as u64)))?;
        if bench.store.get(&path).map_err(said)?.as_deref() != Some(&bytes[..]) {
            return Err("the large object came back different".to_owned());
        }
        let fetched = bench.store.get_file(&path, &std::env::temp_dir()).map_err(said)?;
        expect("reading it as a file", fetched, Some(body))?;
    }
    let listed = bench.store.list(&bench.folder).map_err(said)?;
    expect("listing", listed, vec![(path.clone(), UPLOAD_BYTES as u64)])?;
    bench.store.put_file(&path, &Body::of("small")).map_err(said)?;
    let small = bench.store.digest(&path).map_err(said)?;
    expect("the digest of a small one", small, Some((Digest::of(b"small"), 5)))
}

fn scratch(bytes: &[u8]) -> Result<Body, String> {
    let mut writer = BodyWriter::new(&std::env::temp_dir());
    writer.write_all(bytes).map_err(|error| error.to_string())?;
    Ok(writer.finish())
}

fn copy_is_its_own(bench: &Bench) -> Result<(), String> {
    let [from, new, over] = ["from", "deep/new", "over"].map(|name| bench.at(name));
    bench.store.create(&from, "copied").map_err(said)?;
    bench.store.create(&over, "longer, and to be copied over").map_err(said)?;
    for to in [&new, &over] {
        bench.store.copy(&from, to).map_err(said)?;
        expect("reading the copy", bench.store.get(to).map_err(said)?, Some("copied".into()))?;
    }
    let copy_new = |to: &str| bench.store.copy_new(&from, to, || Ok(())).map_err(said);
    copy_new(&bench.at("newest"))?;
    expect("reading it", bench.store.get(&bench.at("newest")).map_err(said)?, Some("copied".into()))?;
    bench.store.put_overwrite(&from, "changed").map_err(said)?;
    copy_new(&over)?;
    expect("reading what was there", bench.store.get(&over).map_err(said)?, Some("copied".into()))?;
    expect("reading after a change", bench.store.get(&new).map_err(said)?, Some("copied".into()))?;
    bench.store.delete(&from).map_err(said)?;
    expect("reading after a delete", bench.store.get(&over).map_err(said)?, Some("copied".into()))?;
    match bench.store.copy(&from, &over) {
        Err(StoreError::Misconfigured { .. }) => {}
        other => return Err(format!("copying what is not there gave {other:?}")),
    }
    expect("reading after that", bench.store.get(&over).map_err(said)?, Some("copied".into()))
}

fn too_large_is_not_read(bench: &Bench) -> Result<(), String> {
    let path = bench.at("sized");
    let read = |most| bench.store.get_up_to(&path, most).map_err(said);
    expect("reading nothing", read(3)?, Found::Nothing)?;
    bench.store.create(&path, "four").map_err(said)?;
    expect("reading up to 3 bytes", read(3)?, Found::Large(4))?;
    expect("reading up to 4 bytes", read(4)?, Found::Whole("four".into()))
}

fn deleted_is_gone(bench: &Bench) -> Result<(), String> {
    let path = bench.at("gone");
    bench.store.create(&path, "x").map_err(said)?;
    for _ in 0..2 {
        bench.store.delete(&path).map_err(said)?;
        nothing_is_not_there(bench)?;
    }
    expect("creating again", bench.store.create(&path, "y").map_err(said)?, Create::Created)
}

fn encoded_names_stay(bench: &Bench) -> Result<(), String> {
    let names = ["symbol=BTC%2FUSDT", "symbol=%2E%2E", "symbol=A%25B", "date=2026-01-02"];
    let paths: BTreeSet<String> = names.iter().map(|name| bench.at(&format!("t/{name}/1.parquet"))).collect();
    for path in &paths {
        bench.store.create(path, path.clone()).map_err(said)?;
    }
    let listed = bench.store.list(&bench.at("t")).map_err(said)?;
    expect("listing", listed.into_iter().map(|(path, _)| path).collect(), paths.clone())?;
    for path in paths {
        expect("reading", bench.store.get(&path).map_err(said)?, Some(path.into()))?;
    }
    Ok(())
}

fn probe_passes(bench: &Bench) -> Result<(), String> {
    bench.store.probe(&*bench.random).map_err(said)
}

fn second_owner_fences(bench: &Bench) -> Result<(), String> {
    let mut parts = bench.folder.rsplit('/');
    let (Some(shard), Some(pipeline)) = (parts.next(), parts.next()) else {
        return Err(format!("{} is no shard's folder", bench.folder));
    };
    let shard = shard.parse().map_err(|_| format!("{shard} is no shard"))?;
    let open = |owner: &str| {
        <Log>::open(&bench.store, pipeline, shard, owner, bench.clock.clone(), bench.random.clone())
            .map_err(|error| error.to_string())
    };
    let draft = || Draft::commit(Epoch::default(), State::default());
    let mut first = open("first owner")?.log;
    first.commit(draft()).map_err(|error| error.to_string())?;
    let mut second = open("second owner")?.log;
    match first.commit(draft()) {
        Err(error) if error.is_fenced() => {}
        Err(error) => return Err(error.to_string()),
        Ok(_) => return Err("the first owner went on committing after it was fenced".to_owned()),
    }
    let record = second.commit(draft()).map_err(|error| error.to_string())?;
    expect("the second owner's commit", (record.seq, record.term), (4, 2))
}
