//! Versions of this function: tests patch the last byte of the marker in the built component, and have another one.
//! A byte that is not named here behaves as the one that was built.

/// Counts a row too many.
pub const MISCOUNTS: u8 = b'2';
/// Counts below zero.
pub const NEGATIVE: u8 = b'3';
/// Traps in `update`.
pub const TRAPS: u8 = b'4';
/// Reads no state but its own of another version.
pub const FOREIGN_STATE: u8 = b'5';
/// Traps in `restore`.
pub const TRAPS_IN_RESTORE: u8 = b'6';
/// Never comes back from `restore`.
pub const LOOPS_IN_RESTORE: u8 = b'7';
/// Loses a row in `restore`.
pub const FORGETS: u8 = b'8';
/// Saves other bytes each time.
pub const UNSTABLE: u8 = b'9';
/// Never comes back from `update`.
pub const LOOPS: u8 = b'A';

#[unsafe(no_mangle)]
static TALLOW_TEST_VARIANT: [u8; 21] = *b"tallow-test-variant=0";

/// Read anew each time, so that the compiler does not take the byte for the one that was built.
pub fn is(variant: u8) -> bool {
    // SAFETY: it points into a static.
    unsafe { core::ptr::read_volatile(&raw const TALLOW_TEST_VARIANT[20]) == variant }
}
