//! The bytes of a record, format 1: a line `tallow-log 1 <crc32c of the body, 8 hexadecimal digits> <length
//! of the body>`, then the body, JSON. `tail -n +2` of a record is for people and `jq`.
//!
//! Unknown fields are refused: whatever a reader has to know raises the format's number.

use super::{Content, Record};

const MAGIC: &str = "tallow-log";
const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("it does not begin with a line `tallow-log 1 <crc32c> <length>`")]
    NotARecord,
    #[error("it is of format {0}, and this program reads format 1: run the newer one that wrote it")]
    Newer(u32),
    #[error("it should hold {wanted} bytes after its first line, and holds {found}")]
    Length { wanted: u64, found: u64 },
    #[error("its checksum is {found:08x} and should be {wanted:08x}")]
    Checksum { wanted: u32, found: u32 },
    #[error("its body is no record of format 1: {0}")]
    Body(String),
}

impl<C: Content> Record<C> {
    /// The record's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let body = serde_json::to_vec_pretty(self).map_err(|error| FormatError::Body(error.to_string()))?;
        let head = format!("{MAGIC} {FORMAT} {:08x} {}\n", crc32c::crc32c(&body), body.len());
        Ok([head.into_bytes(), body].concat())
    }

    /// The record that has these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or(FormatError::NotARecord)?;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| FormatError::NotARecord)?;
        let body = &bytes[end + 1..];
        let fields: Vec<&str> = head.split(' ').collect();
        if fields.first() != Some(&MAGIC) {
            return Err(FormatError::NotARecord);
        }
        match fields.get(1).and_then(|format| format.parse().ok()) {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => return Err(FormatError::Newer(newer)),
            _ => return Err(FormatError::NotARecord),
        }
        let [_, _, checksum, length] = fields[..] else { return Err(FormatError::NotARecord) };
        let wanted = u32::from_str_radix(checksum, 16).map_err(|_| FormatError::NotARecord)?;
        let length: u64 = length.parse().map_err(|_| FormatError::NotARecord)?;
        if body.len() as u64 != length {
            return Err(FormatError::Length { wanted: length, found: body.len() as u64 });
        }
        let found = crc32c::crc32c(body);
        if found != wanted {
            return Err(FormatError::Checksum { wanted, found });
        }
        serde_json::from_slice(body).map_err(|error| FormatError::Body(error.to_string()))
    }
}
