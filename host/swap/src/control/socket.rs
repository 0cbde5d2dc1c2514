//! The socket: `$XDG_RUNTIME_DIR/tallow/<16 hex of lake and pipeline>.sock`, in a folder that is its owner's alone: who can
//! write there can swap functions.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tallow_store::Digest;

/// Of a folder's mode: others than its owner may write, the sticky bit.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;
const ROOT: u32 = 0;

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

/// The owner of this process, by what the kernel says about it.
pub(super) fn user() -> u32 {
    fs::metadata("/proc/self").map_or(ROOT, |metadata| metadata.uid())
}

/// Listens. What is left of a process that died is removed; another one that listens is an error.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let folder = folder.canonicalize()?;
    check(&folder, user())?;
    let path = folder.join(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    if UnixStream::connect(&path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"));
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The folder is the user's, and no other user can replace it.
fn check(folder: &Path, user: u32) -> io::Result<()> {
    let refuse = |at: &Path, what: &str| {
        let why = format!(
            "{} {what}: who can write there can swap functions. Take a folder of your own, such as one made by \
             `mkdir -m 700`",
            at.display()
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
    };
    let metadata = fs::metadata(folder)?;
    if metadata.uid() != user {
        return refuse(folder, "belongs to another user");
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        return refuse(folder, "can be written by others");
    }
    for above in folder.ancestors().skip(1) {
        let metadata = fs::metadata(above)?;
        if metadata.uid() != user && metadata.uid() != ROOT {
            return refuse(above, "belongs to another user");
        }
        // In a folder with the sticky bit only the owner can replace it.
        if metadata.mode() & OTHERS_WRITE != 0 && metadata.mode() & STICKY == 0 {
            return refuse(above, "can be written by others");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(within: &Path, name: &str, mode: u32) -> PathBuf {
        let path = within.join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_socket_is_made_in_a_folder_of_ones_own_alone() {
        let place = tempfile::tempdir().unwrap();
        let within = place.path().canonicalize().unwrap();
        for (name, mode) in [("shared", 0o777), ("sticky", 0o1777), ("group", 0o770)] {
            let refused = listen(&folder(&within, name, mode).join("x.sock")).unwrap_err();
            assert!(refused.to_string().contains("can be written by others"), "{name}: {refused}");
        }
        let open = folder(&within, "open", 0o777);
        let refused = listen(&folder(&open, "mine", 0o700).join("x.sock")).unwrap_err();
        assert!(refused.to_string().contains("open can be written"), "it can be replaced whole: {refused}");
        let _listens = listen(&folder(&within, "mine", 0o755).join("x.sock")).unwrap();
        let another = check(&within, user() + 1).unwrap_err();
        assert!(another.to_string().contains("belongs to another user"), "{another}");
        assert!(check(Path::new("/tmp"), user()).is_err());
    }

    #[test]
    fn what_a_dead_process_left_is_replaced_and_a_living_one_is_not() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.sock");
        drop(listen(&path).unwrap());
        let _living = listen(&path).unwrap();
        assert_eq!(listen(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
