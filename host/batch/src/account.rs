//! How the account of unfinished work begins: what wrote it, and which group it is of.

/// One of another version of this program is of no use, and the group begins again.
pub const FORMAT: &str = concat!("tallow ", env!("CARGO_PKG_VERSION"), " 2");

/// The group that an account is of. `None` if another version of this program wrote it.
pub fn group_of(bytes: &[u8]) -> Option<String> {
    let ((format, group), _): ((String, String), _) = postcard::take_from_bytes(bytes).ok()?;
    (format == FORMAT).then_some(group)
}
