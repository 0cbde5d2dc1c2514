//! What a client of the control port must show.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use subtle::ConstantTimeEq;

use super::socket::user;

const SHORTEST: usize = 16;
const LONGEST: u64 = 4096;
const GROUP_OR_OTHERS: u32 = 0o077;
const OTHERS_OR_GROUP_WRITES: u32 = 0o027;

pub struct Token(String);

impl Token {
    /// The first line of a file that only its owner can read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let mode = metadata.mode() & 0o777;
        // A mounted secret belongs to root, and its group is the process's own.
        let open = if metadata.uid() == user() { GROUP_OR_OTHERS } else { OTHERS_OR_GROUP_WRITES };
        if mode & open != 0 {
            return Err(io::Error::other(format!(
                "others can read or change it (mode {mode:03o}), and who has the token can swap functions: \
                 chmod 600 {}",
                path.display()
            )));
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text)?;
        Self::new(text.lines().next().unwrap_or_default())
    }

    pub fn new(token: &str) -> io::Result<Self> {
        let token = token.trim();
        if token.len() < SHORTEST {
            return Err(io::Error::other(format!("a token has {SHORTEST} characters or more")));
        }
        Ok(Self(token.to_owned()))
    }

    /// Whether an `Authorization` header shows it. How long that takes tells nothing of the token.
    pub fn is_shown_by(&self, header: Option<&[u8]>) -> bool {
        let shown = header.and_then(|header| header.strip_prefix(b"Bearer ")).unwrap_or_default();
        shown.ct_eq(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(folder: &Path, mode: u32, text: &str) -> std::path::PathBuf {
        let path = folder.join(format!("token-{mode:o}-{}", text.len()));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_token_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o640, 0o604, 0o622, 0o660] {
            let error = Token::read(&file(folder.path(), mode, "0123456789abcdef\n")).err().unwrap();
            assert!(error.to_string().contains("chmod 600"), "{mode:o}: {error}");
        }
        for mode in [0o600, 0o400] {
            let token = Token::read(&file(folder.path(), mode, "0123456789abcdef\nmore\n")).unwrap();
            assert!(token.is_shown_by(Some(b"Bearer 0123456789abcdef")));
        }
        assert!(Token::read(&file(folder.path(), 0o600, "short")).is_err());
        assert!(Token::read(&file(folder.path(), 0o600, "")).is_err());
    }

    #[test]
    fn only_the_whole_token_behind_bearer_is_the_token() {
        let token = Token::new("0123456789abcdef").unwrap();
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "0123456789abcdef",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdefg",
        ] {
            assert!(!token.is_shown_by(Some(wrong.as_bytes())), "{wrong}");
        }
        assert!(!token.is_shown_by(None));
        assert!(
            !token.is_shown_by(Some(
                b"Bearer \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
            ))
        );
    }
}
