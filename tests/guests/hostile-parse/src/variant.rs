//! Versions of this function: tests patch the last byte of the marker in the built component, and have another one.
//! A byte that is not named here behaves as the one that was built.

/// Rejects every trade.
pub const REJECTS: u8 = b'2';
/// Traps on every batch that holds something.
pub const TRAPS: u8 = b'4';
/// Rejects every third trade.
pub const REJECTS_SOME: u8 = b'6';
/// Asks for the records' headers.
pub const WANTS_HEADERS: u8 = b'5';

#[unsafe(no_mangle)]
static TALLOW_TEST_VARIANT: [u8; 21] = *b"tallow-test-variant=0";

/// Read anew each time, so that the compiler does not take the byte for the one that was built.
pub fn is(variant: u8) -> bool {
    // SAFETY: it points into a static.
    unsafe { core::ptr::read_volatile(&raw const TALLOW_TEST_VARIANT[20]) == variant }
}
