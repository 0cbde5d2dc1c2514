//! What writers that were killed leave in a local folder. `object_store` writes `<object>#<number>` beside an object
//! before it is put in its place, and hides such names from listings: a clean-up by listing never meets them.

use std::fs;
use std::io;
use std::path::Path as Folder;
use std::time::{Duration, UNIX_EPOCH};

use super::Store;

/// A file that was written to since may be an upload that continues: longer than any call is tried.
const UNTOUCHED: Duration = Duration::from_secs(3_600);

impl Store {
    /// Removes what writers that were killed left under the folder `prefix`, once nothing has been written to it for an
    /// hour, and gives the number of files. Only a local folder has such files; elsewhere nothing is done.
    ///
    /// # Errors
    /// The folder cannot be read, or a file not be removed. It costs space, not correctness.
    pub fn sweep_staged(&self, prefix: &str) -> io::Result<usize> {
        let Some(root) = &self.root else { return Ok(0) };
        let before_us = self.clock.now_us().saturating_sub(UNTOUCHED.as_micros() as i64);
        sweep(&root.join(prefix), before_us)
    }
}

fn sweep(folder: &Folder, before_us: i64) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            removed += sweep(&entry.path(), before_us)?;
        } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_staged) {
            removed += usize::from(remove(&entry, before_us)?);
        }
    }
    Ok(removed)
}

fn remove(entry: &fs::DirEntry, before_us: i64) -> io::Result<bool> {
    let removed = entry.metadata().and_then(|file| {
        let age = file.modified()?.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
        let old = i64::try_from(age.as_micros()).is_ok_and(|touched_us| touched_us < before_us);
        if old {
            fs::remove_file(entry.path())?;
        }
        Ok(old)
    });
    match removed {
        // Its writer has put it in its place, or another sweep was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other,
    }
}

/// Whether it is such a name, which no object can have.
fn is_staged(name: &str) -> bool {
    let number = name.split_once('#').map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_end_in_a_number_sign_and_digits_are_staged() {
        for (name, staged) in [
            ("a#1", true),
            ("a.parquet#23", true),
            ("a", false),
            ("a#", false),
            ("a#b", false),
            ("a#1b", false),
        ] {
            assert_eq!(is_staged(name), staged, "{name}");
        }
    }
}
