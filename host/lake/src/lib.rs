//! Where everything is in the lake. All paths are made and read here; they are relative to the lake's root:
//!
//! ```text
//! speed/<pipeline>_<window>/date=<day>/<chain>-<shard>-<seq>.parquet    candles, by day of their start
//! late/<pipeline>_<window>/date=<day>/<chain>-<shard>-<seq>.parquet     late rows, by day of the epoch's clock
//! dead-letter/<pipeline>/date=<day>/<chain>-<shard>-<seq>.parquet       dead letters, by day of the epoch's clock
//! dead-letter/<job>/group=<group>/<number>.parquet                      dead letters of a batch
//! batch/<table>/<key>=<value>/year=<year>/data.parquet                  also serving/… and prophet_input/…
//! forecast/<name>/<run>/symbol=<symbol>/…                              results of a forecast; …/<run>/run.json lists them
//! _tallow/forecast/<name>/<digest>.fit                                  fits of a run that is not finished
//! _tallow/jobs/<job>/<shard>/log/<seq>, …/blob/<name>, …/gc/<seq>, …/owner
//! _tallow/backup/<job>/<run>/<path>                                     what a run replaced
//! _tallow/replays/<pipeline>/<number>.json                              dead letters that were sent again
//! _tallow/wanted/<job>                                                  what a served table lacks
//! _tallow/functions/<digest>.wasm, ….json                               components and their cards
//! ```

pub mod forecast;
pub mod hive;
pub mod job;
pub mod partition;
pub mod tables;

use tallow_digest::Digest;

pub use job::Folder;
pub use partition::{Partition, Partitioned};

/// Components and their cards.
pub const FUNCTIONS: &str = "_tallow/functions";

/// File `number` of what is known of a pipeline's dead letters that were sent again.
pub fn replays(pipeline: &str, number: u64) -> String {
    format!("{}/{number:020}.json", replays_of(pipeline))
}

/// All of a pipeline.
pub fn replays_of(pipeline: &str) -> String {
    format!("_tallow/replays/{}", hive::encode(pipeline))
}

/// What served tables lack.
pub const WANTED: &str = "_tallow/wanted";

/// A component's bytes.
pub fn component(digest: Digest) -> String {
    format!("{FUNCTIONS}/{digest}.wasm")
}

/// The component whose bytes have this path.
pub fn component_of(path: &str) -> Option<Digest> {
    path.rsplit('/').next()?.strip_suffix(".wasm")?.parse().ok()
}

/// What is known of a component beside its bytes.
pub fn component_card(digest: Digest) -> String {
    format!("{FUNCTIONS}/{digest}.json")
}

/// What the tables of a job lack.
pub fn wanted(job: &str) -> String {
    format!("{WANTED}/{job}")
}

/// What the runs of a job replaced.
pub fn backups(job: &str) -> String {
    format!("_tallow/backup/{job}")
}

/// The object at `path` as it was before a run.
pub fn backup(job: &str, run: u64, path: &str) -> String {
    format!("{}/{run:020}/{path}", backups(job))
}

/// The run and the path of what is kept under a path of [`backups`].
pub fn backup_of<'a>(job: &str, backup: &'a str) -> Option<(u64, &'a str)> {
    let (run, path) = backup.strip_prefix(&backups(job))?.strip_prefix('/')?.split_once('/')?;
    Some((run.parse().ok()?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_components_and_backups_are_read_back() {
        let digest = Digest::of(b"x");
        assert_eq!(component_of(&component(digest)), Some(digest));
        assert_eq!(component_of(&component_card(digest)), None);
        let path = backup("daily", 7, "serving/daily/a");
        assert_eq!(path, "_tallow/backup/daily/00000000000000000007/serving/daily/a");
        assert_eq!(backup_of("daily", &path), Some((7, "serving/daily/a")));
        assert_eq!(backup_of("dail", &path), None);
    }
}
