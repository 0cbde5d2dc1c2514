//! Folders that only this user can write to: their content is trusted, or run.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Makes the folder, or checks that only this user can write to an existing one.
///
/// # Errors
/// It cannot be made, or others can write to it.
pub fn make(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if is_private(folder) {
        return Ok(());
    }
    Err(std::io::Error::other("others can write to the folder: `chmod go-w` it"))
}

pub fn is_private(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 0o022 == 0)
}
