//! A disk of a given size under a lake: full, and then not any more.

use std::path::Path;
use std::process::Command;

use crate::tallow::{self, Finished};

/// `$1` is where the disk is mounted; `$2` its size in KiB; `$3` the folder that keeps what was seen; `$4` how long the
/// first run may take, in s; then the program and its arguments. Ends as the first run did.
const ON_IT: &str = r#"
set -eu
disk=$1 kib=$2 kept=$3 limit=$4
shift 4
cp -r "$disk" "$kept/before"
mount -t tmpfs -o "size=${kib}k" tmpfs "$disk"
cp -r "$kept/before/." "$disk"
timeout -s KILL "$limit" "$@" && status=0 || status=$?
cp -r "$disk" "$kept/full"
mount -o remount,size=1g "$disk"
"$@"
cp -r "$disk" "$kept/grown"
exit "$status"
"#;

/// Runs `tallow` with its lake, which exists, on a disk of `size_bytes` (whole pages count), and again once that disk
/// has grown. What the lake held after the one is in the folder `full` of `kept`, after the other in `grown`. The first
/// run is killed after `limit_s` seconds: on a full disk it tries for two minutes.
pub fn full_and_grown(
    lake: &Path,
    size_bytes: usize,
    kept: &Path,
    limit_s: u32,
    arguments: &[String],
) -> Finished {
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", ON_IT, "sh"]).arg(lake).arg((size_bytes >> 10).to_string()).arg(kept);
    command.arg(limit_s.to_string()).arg(crate::paths::program("tallow")).args(arguments);
    tallow::start_command(command).wait()
}

/// Whether a test may mount a disk of its own here.
pub fn mounts() -> bool {
    let tried = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// What the files of a folder take of such a disk, in bytes.
pub fn bytes_of(folder: &Path) -> usize {
    let entries = folder.read_dir().expect("the folder can be read").map(|entry| entry.expect("an entry"));
    let bytes = entries.map(|entry| match entry.metadata().expect("an entry has a size") {
        folder if folder.is_dir() => bytes_of(&entry.path()),
        file => (file.len() as usize).next_multiple_of(4096),
    });
    bytes.sum()
}
