//! Exit codes, after sysexits.h.

pub const DONE: u8 = 0;
pub const FAILED: u8 = 1;
/// Bad usage or manifest.
pub const USAGE: u8 = 2;
/// Bad data where fail-fast was asked for.
pub const DATA: u8 = 65;
/// What is needed for a proof is gone.
pub const NO_INPUT: u8 = 66;
/// A service is unreachable.
pub const UNAVAILABLE: u8 = 69;
/// A mistake of the program itself.
pub const INTERNAL: u8 = 70;
/// Fenced by another owner.
pub const FENCED: u8 = 78;
