//! `tallow batch` over files, and what it says and leaves.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::lake::{self, Row};
use crate::{paths, skip, tallow};

/// A folder with a manifest of one batch, `days`, its files and its lake.
pub struct Job {
    pub folder: TempDir,
}

impl Job {
    /// `keys`: lines of the batch's table.
    pub fn new(keys: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let functions = paths::functions();
        let component = |name: &str| {
            format!(
                "[component.{name}]\nsource = '{}'\n",
                functions.join(name).with_extension("wasm").display()
            )
        };
        let manifest = format!(
            "spin_manifest_version = 2\n[application]\nname = \"test\"\n[application.trigger.kafka]\n\
             brokers = \"nobody\"\nlake = \"lake\"\n[application.trigger.kafka.batch.days]\n{keys}\n\
             [[trigger.none]]\ncomponent = \"window\"\n{}{}{}",
            component("parse-kline"),
            component("window"),
            component("merge"),
        );
        fs::write(folder.path().join("spin.toml"), manifest).expect("a manifest can be written");
        Self { folder }
    }

    /// A file beside the manifest.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        fs::write(&path, content).expect("a file can be written");
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    pub fn arguments(&self) -> Vec<String> {
        let manifest = self.path("spin.toml").display().to_string();
        ["batch", "days", "--json", "-f", &manifest].map(str::to_owned).to_vec()
    }

    /// Runs to its end, and gives the summary.
    pub fn run(&self) -> Value {
        summary(&tallow::run(&self.arguments()).success().stdout)
    }

    /// The table by `window_start`.
    pub fn days(&self) -> Vec<Row> {
        let mut rows = lake::table(&self.lake(), "batch/days");
        rows.sort_by_key(|row| (row["symbol"].clone(), row["window_start"].clone()));
        rows
    }

    pub fn dead_letters(&self) -> Vec<Row> {
        lake::table(&self.lake(), "dead-letter/batch-days")
    }

    /// Every object of the tables, by its path: what a reader sees.
    pub fn objects(&self) -> Vec<(PathBuf, Vec<u8>)> {
        objects(&self.lake())
    }
}

/// Every object of a lake's batch tables and dead letters, by its path.
pub fn objects(lake: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["batch", "dead-letter"] {
        collect(lake, &lake.join(folder), &mut found);
    }
    found.sort();
    found
}

/// The last of the JSON lines that a run printed.
pub fn summary(stdout: &str) -> Value {
    let last = stdout.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"))
}

fn collect(lake: &Path, folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    let Ok(entries) = folder.read_dir() else { return };
    for entry in entries {
        let path = entry.expect("the lake can be read").path();
        if path.is_dir() {
            collect(lake, &path, found);
        } else {
            let name = path.strip_prefix(lake).expect("it is in the lake").to_owned();
            found.push((name, fs::read(&path).expect("an object can be read")));
        }
    }
}

/// A folder of the recordings; None after saying so where they are not there.
pub fn recordings(test: &str, folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(folder);
    let there = path.canonicalize().ok().filter(|path| path.is_dir());
    if there.is_none() {
        skip(test, &format!("no recordings in {}", path.display()));
    }
    there
}
