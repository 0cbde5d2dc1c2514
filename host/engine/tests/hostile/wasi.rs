//! WASI grants nothing: each function here traps where an answer is another one.

use tallow_engine::{CallError, Contract, Limits, ParseFunction, ParseOptions};

use crate::support::{LIMITS, batch, component, runtime};

const RANDOM: (&str, &str) = (
    "wasi:random/random@0.2.6",
    "package wasi:random@0.2.6; interface random {
        get-random-u64: func() -> u64; get-random-bytes: func(len: u64) -> list<u8>; }",
);
const CLOCK: (&str, &str) = (
    "wasi:clocks/wall-clock@0.2.6",
    "package wasi:clocks@0.2.6; interface wall-clock {
        record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }",
);
const EXIT: (&str, &str) =
    ("wasi:cli/exit@0.2.6", "package wasi:cli@0.2.6; interface exit { exit: func(status: result); }");
const STREAMS: (&str, &str) = (
    "wasi:io/streams@0.2.6",
    "package wasi:io@0.2.6; interface streams {
        variant stream-error { failed(string), closed }
        resource output-stream { check-write: func() -> result<u64, stream-error>; }
        resource input-stream { read: func(len: u64) -> result<list<u8>, stream-error>; }
        open: func() -> output-stream; open-input: func() -> input-stream; }",
);
const FILES: (&str, &str) = (
    "wasi:filesystem/preopens@0.2.6",
    "package wasi:filesystem@0.2.6; interface preopens {
        enum error-code { access, other } get-directories: func() -> list<string>;
        remove: func(path: string) -> result<_, error-code>; }",
);

/// Where answers are written that do not fit a result; behind the empty answer of `parse`.
const AT: u32 = 4096;

/// A function that does `body` whenever it parses, and then answers an empty batch.
fn function(import: (&str, &str), functions: &[(&str, &str)], body: &str, limits: Limits) -> ParseFunction {
    let imported = functions.iter().enumerate().map(|(index, (name, signature))| {
        format!(r#"(import "{}" "{name}" (func $f{index} {signature}))"#, import.0)
    });
    let wat = format!(
        r#"(module
            {}
            (memory (export "memory") 2)
            (global $kept (mut i64) (i64.const 0))
            (func (export "tallow:parse/parse@0.1.0#describe") (result i32) i32.const 1024)
            (func (export "tallow:parse/parse@0.1.0#parse") (param i32) (result i32) (local $handle i32) {body} i32.const 2048)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 8192))"#,
        imported.collect::<String>()
    );
    let component = runtime().load("it", &component(&wat, &[import]), Contract::Parse).unwrap();
    assert_eq!(component.wasi(), [import.0]);
    ParseFunction::new(&component, limits, ParseOptions::default()).unwrap()
}

/// Parses twice in one instance and once in another.
fn holds(import: (&str, &str), functions: &[(&str, &str)], body: &str) {
    let mut one = function(import, functions, body, LIMITS);
    one.parse(&mut batch(&[])).unwrap();
    one.parse(&mut batch(&[])).unwrap();
    function(import, functions, body, LIMITS).parse(&mut batch(&[])).unwrap();
}

fn fails(import: (&str, &str), functions: &[(&str, &str)], body: &str) -> CallError {
    function(import, functions, body, LIMITS).parse(&mut batch(&[])).unwrap_err()
}

#[test]
fn every_call_begins_with_the_same_randomness_and_draws_other_numbers_from_it() {
    let draw = ("get-random-u64", "(result i64)");
    // The first number of a call is the one of the call before, or 0 before that.
    let same = "(if (i64.ne (global.get $kept) (i64.const 0))
            (then (if (i64.ne (global.get $kept) (call $f0)) (then unreachable)))
            (else (global.set $kept (call $f0))))
        (if (i64.eq (global.get $kept) (call $f0)) (then unreachable))";
    holds(RANDOM, &[draw], same);
    let error = fails(RANDOM, &[draw], "(if (i64.ne (call $f0) (call $f0)) (then unreachable))");
    assert!(matches!(error, CallError::Trap(_)), "the test itself can fail");
}

#[test]
fn random_bytes_are_as_many_as_were_asked_for_and_not_without_end() {
    let draw = ("get-random-bytes", "(param i64 i32)");
    let sixteen = format!(
        "(call $f0 (i64.const 16) (i32.const {AT})) (if (i32.ne (i32.load offset=4 (i32.const {AT})) (i32.const 16)) (then unreachable))"
    );
    holds(RANDOM, &[draw], &sixteen);
    let error = fails(RANDOM, &[draw], &format!("(call $f0 (i64.const -1) (i32.const {AT}))"));
    assert_eq!(error, CallError::Contract("it wants more than 65536 random bytes at once".into()));
}

#[test]
fn the_clock_stands_at_1970() {
    let now = ("now", "(param i32)");
    let body = format!(
        "(i64.store (i32.const {AT}) (i64.const -1)) (call $f0 (i32.const {AT}))
         (if (i64.ne (i64.load (i32.const {AT})) (i64.const 0)) (then unreachable))"
    );
    holds(CLOCK, &[now], &body);
}

#[test]
fn leaving_is_a_trap() {
    let error = fails(EXIT, &[("exit", "(param i32)")], "(call $f0 (i32.const 0))");
    assert!(matches!(error, CallError::Trap(_)), "{error}");
}

#[test]
fn what_is_written_goes_nowhere_and_what_is_read_has_ended() {
    let functions = [
        ("open", "(result i32)"),
        ("[method]output-stream.check-write", "(param i32 i32)"),
        ("[resource-drop]output-stream", "(param i32)"),
        ("open-input", "(result i32)"),
        ("[method]input-stream.read", "(param i32 i64 i32)"),
        ("[resource-drop]input-stream", "(param i32)"),
    ];
    let body = format!(
        "(local.set $handle (call $f0)) (call $f1 (local.get $handle) (i32.const {AT})) (call $f2 (local.get $handle))
         (if (i32.load8_u (i32.const {AT})) (then unreachable))
         (if (i64.eqz (i64.load offset=8 (i32.const {AT}))) (then unreachable))
         (local.set $handle (call $f3)) (call $f4 (local.get $handle) (i64.const 9) (i32.const {AT})) (call $f5 (local.get $handle))
         (if (i32.ne (i32.load8_u (i32.const {AT})) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load8_u offset=4 (i32.const {AT})) (i32.const 1)) (then unreachable))"
    );
    holds(STREAMS, &functions, &body);
}

#[test]
fn streams_without_end_do_not_take_the_hosts_memory() {
    let error = fails(STREAMS, &[("open", "(result i32)")], "(loop (drop (call $f0)) (br 0))");
    let expected = "it holds more than 10000 streams, pollables and the like";
    assert_eq!(error, CallError::Contract(expected.into()));
}

#[test]
fn there_is_no_file_and_what_is_done_to_one_fails() {
    let functions = [("get-directories", "(param i32)"), ("remove", "(param i32 i32 i32)")];
    let body = format!(
        "(i64.store (i32.const {AT}) (i64.const -1)) (call $f0 (i32.const {AT}))
         (if (i32.load offset=4 (i32.const {AT})) (then unreachable))
         (call $f1 (i32.const 0) (i32.const 4) (i32.const {AT}))
         (if (i32.ne (i32.load8_u (i32.const {AT})) (i32.const 1)) (then unreachable))"
    );
    holds(FILES, &functions, &body);
}
