//! Functions that take all they can get, again and again, in a process of their own whose memory is looked at.

#![allow(clippy::unwrap_used)]

#[path = "hostile/support.rs"]
#[allow(dead_code)]
mod support;

use tallow_engine::{CallError, Limits};

use support::{GOOD, LIMITS, batch, parse_function};

#[test]
fn the_hosts_memory_stays_flat_under_functions_that_take_all_they_can_get() {
    let limits = Limits { memory_bytes: 64 << 20, output_bytes: 12 << 20, ..LIMITS };
    let mut function = parse_function(limits);
    let mut round = || {
        let hog = function.parse(&mut batch(&["hog"])).unwrap_err();
        assert!(matches!(hog, CallError::Memory { .. }), "{hog:?}");
        function.parse(&mut batch(&["huge 10"])).unwrap();
        let huge = function.parse(&mut batch(&["huge 20"])).unwrap_err();
        assert!(matches!(huge, CallError::Output { .. }), "{huge:?}");
        function.parse(&mut batch(&["trap"])).unwrap_err();
        function.parse(&mut batch(&[GOOD])).unwrap();
    };
    for _ in 0..5 {
        round();
    }
    let before = peak_bytes();
    for _ in 0..50 {
        round();
    }
    let grown = peak_bytes() - before;
    assert!(grown < limits.memory_bytes, "the peak grew by {grown} bytes in 50 rounds");
}

/// The most memory that this process has had.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
