//! The socket: `$XDG_RUNTIME_DIR/tallow/<16 hex of lake and pipeline>.sock`, in a folder that is its owner's alone.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tallow_log::Digest;

use super::protocol::{Answer, Request};
use super::serve::Desk;

/// A component of tens of megabytes, in Base64.
pub const LARGEST_REQUEST_BYTES: u64 = 256 << 20;
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Somebody who connects and says nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// Where a pipeline's socket is.
pub fn path(lake: &str, pipeline: &str) -> PathBuf {
    let digest = Digest::of(format!("{lake}\n{pipeline}").as_bytes()).to_string();
    folder().join(format!("{}.sock", &digest[..16]))
}

fn folder() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("tallow"),
        None => std::env::temp_dir().join(format!("tallow-{}", user())),
    }
}

/// The owner of this process, by what the kernel says of it.
fn user() -> u32 {
    fs::metadata("/proc/self").map_or(0, |metadata| metadata.uid())
}

/// Listens. What is left of a process that died is removed; another one that listens is an error.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let metadata = fs::metadata(folder)?;
    let mode = metadata.permissions().mode();
    // In a folder with the sticky bit nobody replaces another's file.
    let others_can_write = mode & 0o022 != 0 && mode & 0o1000 == 0;
    if others_can_write || (metadata.uid() != user() && mode & 0o1000 == 0) {
        return Err(io::Error::other(format!(
            "others own {} or can write to it: who can write there can swap functions",
            folder.display()
        )));
    }
    if UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers whoever connects, until the pipeline is over.
pub fn serve<'scope, 'env>(
    scope: &'scope std::thread::Scope<'scope, 'env>,
    listener: &UnixListener,
    path: &Path,
    desk: &'env Desk<'env>,
) {
    while !(desk.over)() {
        match listener.accept() {
            Ok((stream, _)) => {
                scope.spawn(move || {
                    if let Err(error) = converse(stream, desk) {
                        tracing::warn!(%error, "a request by the control socket was cut off");
                    }
                });
            }
            Err(_) => desk.wiring.clock.sleep(LOOK_EVERY),
        }
    }
    let _ = fs::remove_file(path);
}

fn converse(stream: UnixStream, desk: &Desk<'_>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut line = String::new();
    BufReader::new(&stream).take(LARGEST_REQUEST_BYTES).read_line(&mut line)?;
    let mut tell = |answer: Answer| write_line(&stream, &answer).is_ok();
    match serde_json::from_str::<Request>(&line) {
        Ok(request) => desk.serve(request, &mut tell),
        Err(error) => _ = tell(Answer::Refused { why: format!("not a request: {error}") }),
    }
    Ok(())
}

fn write_line(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Asks, and hears every answer.
pub fn ask(path: &Path, request: &Request, mut hear: impl FnMut(serde_json::Value)) -> io::Result<()> {
    let mut stream = UnixStream::connect(path)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    for line in BufReader::new(stream).lines() {
        hear(serde_json::from_str(&line?)?);
    }
    Ok(())
}
