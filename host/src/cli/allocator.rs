//! How freed memory is kept.

/// Freed memory up to here is kept for the next use.
const KEPT_BYTES: libc::c_int = 64 << 20;
/// Pieces from here on are given back at once.
const LARGE_BYTES: libc::c_int = 4 << 20;

/// Keeps freed memory for the next batch. glibc gives pieces of a hundred kilobytes back to the system one by one, and
/// a batch that is parsed then costs as much in page faults as in parsing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed_memory() {
    // SAFETY: mallopt takes two integers and sets a parameter of the allocator; it may be called at any time.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed_memory() {}
