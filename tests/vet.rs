//! Vetting: good functions pass, and each rule has a function that breaks it and is told so.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use tallow_engine::{
    Aggregate, Contract, Limits, Operation, ParseOptions, Runtime, Shape, Spec, WantedColumn,
};
use tallow_tests::paths;
use tallow_vet::{Candidate, CompileLimits, Compiler, Refusal, Rule, Vector, Vetted, vet};

const LIMITS: Limits =
    Limits { memory_bytes: 32 << 20, deadline: Duration::from_millis(500), output_bytes: 4 << 20 };

/// Trades in the hostile parser's plain words.
const TRADES: &str = r#"{
    "options": {"kinds": [], "columns": [{"name": "price", "scale": 8}], "settings": {}},
    "records": [
        {"topic": "t", "partition": 0, "offset": 0, "timestamp_us": 0, "key": null, "value": "SYNA 1000000 1.5 17 2"},
        {"topic": "t", "partition": 0, "offset": 1, "timestamp_us": 0, "key": null, "value": "SYNB 2000000 0.5 18 1"}
    ],
    "expected": {
        "rows": [
            {"record": 0, "kind": "trade", "price": "1.50000000"},
            {"record": 1, "kind": "trade", "price": "0.50000000"}
        ],
        "ignored": [], "rejected": [], "rounded": 0
    }
}"#;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new(Some(paths::target().join("tests-cache/compiled"))).unwrap())
}

fn compiler() -> Compiler {
    Compiler { program: paths::program("tallow"), arguments: vec!["compile-function".to_owned()] }
}

fn component(name: &str) -> Vec<u8> {
    let path = paths::functions().join(format!("{name}.wasm"));
    fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; run `tallow-functions-build` and `tallow-functions-build tests`", path.display())
    })
}

fn try_it(candidate: &Candidate<'_>) -> Result<Vetted, Refusal> {
    vet(runtime(), &compiler(), candidate, &mut |_| {})
}

/// A refusal says what was seen and what to do.
fn refusal(candidate: &Candidate<'_>) -> Refusal {
    let Err(refusal) = try_it(candidate) else { panic!("{} was taken", candidate.name) };
    assert!(!refusal.seen.is_empty() && !refusal.remedy.is_empty(), "{refusal}");
    let text = refusal.to_string();
    assert!(text.starts_with(&format!("{} breaks the rule `{}` (", candidate.name, refusal.rule)), "{text}");
    refusal
}

fn vectors(function: &str) -> Vec<Vector> {
    let folder = paths::root().join(format!("functions/{function}/golden"));
    let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| Vector { name: path.display().to_string(), text: fs::read_to_string(path).unwrap() })
        .collect()
}

#[test]
fn the_documentation_lists_every_rule() {
    let page = fs::read_to_string(paths::root().join("docs/functions.md")).unwrap();
    for rule in Rule::ALL {
        let line = format!("\n| `{rule}` | {} |\n", rule.meaning());
        assert!(page.contains(&line), "docs/functions.md lacks{line}");
    }
}

#[test]
fn the_standard_functions_keep_to_every_rule() {
    for (name, rules) in
        [("parse-market", 18), ("parse-json", 18), ("window", 15), ("forecast-naive", 9), ("forecast-ets", 9)]
    {
        let (bytes, golden) = (component(name), vectors(name));
        let vetted = try_it(&Candidate { golden: &golden, ..Candidate::new(name, &bytes) });
        let vetted = vetted.unwrap_or_else(|refusal| panic!("{refusal}"));
        assert!(vetted.passed.len() >= rules, "{:?}", vetted.passed);
        assert_eq!(vetted.component.digest(), tallow_digest::Digest::of(&bytes));
    }
}

/// The rule that the hostile parser breaks under a habit.
fn parse_habit(habit: &str) -> Result<Vetted, Refusal> {
    let columns = ["symbol", "event_time", "price", "id", "quantity", "weight"];
    let options = ParseOptions {
        columns: columns.map(|name| WantedColumn { name: name.to_owned(), scale: 8 }).into(),
        settings: vec![("habit".to_owned(), habit.to_owned())],
        ..ParseOptions::default()
    };
    let (bytes, golden) =
        (component("test/hostile-parse"), [Vector { name: "trades".into(), text: TRADES.into() }]);
    try_it(&Candidate {
        golden: &golden,
        options: Some(&options),
        limits: LIMITS,
        ..Candidate::new("hostile-parse", &bytes)
    })
}

#[test]
fn every_rule_of_parse_has_a_function_that_breaks_it() {
    parse_habit("none").unwrap_or_else(|refusal| panic!("{refusal}"));
    for (habit, rule, seen) in [
        ("trap", Rule::Trap, "unreachable"),
        ("panic", Rule::Trap, "unreachable"),
        ("stack", Rule::Trap, "stack"),
        ("loop", Rule::Deadline, "500 ms"),
        ("quadratic", Rule::Deadline, "a batch of"),
        ("hog", Rule::Memory, "33554432 bytes"),
        ("huge 5", Rule::Output, "4194304 bytes"),
        ("unequal", Rule::Contract, "`price` has 0 entries for 1"),
        ("codes", Rule::Contract, "code 7 of 1"),
        ("lost", Rule::Contract, "is in 0 of rows, ignored and rejected"),
        ("twice", Rule::Contract, "is in 2 of rows, ignored and rejected"),
        ("latin1", Rule::Contract, "not UTF-8"),
        ("refuse", Rule::Contract, "a record asked for it"),
        ("any-column", Rule::Options, "`no such column`"),
        ("no-symbol", Rule::Columns, "did not make it"),
        ("extra-column", Rule::Columns, "`extra`, which was not asked for"),
        ("wrong-type", Rule::Columns, "`event_time` is int64, and described as timestamp-us"),
        ("wrong-scale", Rule::Columns, "scale of 7"),
        ("foreign-kind", Rule::Kinds, "kind `gift`"),
        ("no-reason", Rule::Reasons, "rejected without a reason"),
        ("tombstones", Rule::Tombstones, "null"),
        ("odd-nan", Rule::Nan, "column `weight`, record"),
        ("impure", Rule::Pure, "again, after other records"),
        ("neighbours", Rule::Alone, "beside others"),
    ] {
        let Err(refusal) = parse_habit(habit) else { panic!("`{habit}` was taken") };
        assert_eq!(refusal.rule, rule, "{habit}: {refusal}");
        assert!(refusal.seen.contains(seen), "{habit}: {refusal}");
    }
}

#[test]
fn a_record_that_breaks_a_rule_is_quoted() {
    let Err(refusal) = parse_habit("trap") else { panic!("it was taken") };
    assert!(refusal.seen.contains("(`SYN"), "{refusal}");
}

#[test]
fn a_golden_vector_that_fails_is_reported_with_its_place() {
    let text = TRADES.replace("\"0.50000000\"", "\"0.60000000\"");
    let (bytes, golden) = (component("test/hostile-parse"), [Vector { name: "trades".into(), text }]);
    let refusal = refusal(&Candidate { golden: &golden, ..Candidate::new("it", &bytes) });
    assert_eq!(refusal.rule, Rule::Golden);
    assert_eq!(
        refusal.seen,
        r#"trades: rows[1] (record 1), price: expected "0.60000000", found "0.50000000""#
    );
}

fn spec(name: &str, shape: Shape) -> Spec {
    Spec {
        name: name.to_owned(),
        kinds: vec!["trade".to_owned()],
        keys: vec!["symbol".to_owned()],
        time: "event_time".to_owned(),
        ids: None,
        shape,
        offset_us: 0,
        aggregates: vec![Aggregate {
            name: "trades".to_owned(),
            operation: Operation::Count,
            column: None,
            by: None,
        }],
    }
}

#[test]
fn every_rule_of_windows_has_a_function_that_breaks_it() {
    let bytes = component("test/hostile-window");
    let habit = |habit: &str| {
        let specs =
            [spec("well-behaved", Shape::Tumbling(60_000_000)), spec(habit, Shape::Tumbling(1_000_000))];
        try_it(&Candidate { specs: &specs, limits: LIMITS, ..Candidate::new("hostile-window", &bytes) })
    };
    habit("well-behaved too").unwrap_or_else(|refusal| panic!("{refusal}"));
    for (name, rule, seen) in [
        ("trap-in-update", Rule::Trap, "update"),
        ("trap-in-advance", Rule::Trap, "advance"),
        ("trap-in-changed", Rule::Trap, "changed"),
        ("trap-in-close-all", Rule::Trap, "close-all"),
        ("trap-in-snapshot", Rule::Trap, "snapshot"),
        ("trap-in-stats", Rule::Trap, "stats"),
        ("trap-in-open", Rule::Trap, "open"),
        ("loop-in-advance", Rule::Deadline, "500 ms"),
        ("hog-in-snapshot", Rule::Memory, "33554432 bytes"),
        ("no-report", Rule::Contract, "1 reports for 2 specs"),
        ("foreign-output", Rule::Contract, "spec 1000 of 2"),
        ("miscounts", Rule::Reports, "assignments, of which"),
        ("loses-rows", Rule::Ledger, "were accepted"),
        ("closes-early", Rule::Closing, "after the watermark"),
        ("closes-twice", Rule::Closing, "closed twice"),
        ("unsorted", Rule::Closing, "not sorted"),
        ("no-revision", Rule::Closing, "no column `revision`"),
        ("negative", Rule::Candles, "`trades` is negative"),
        ("odd-nan", Rule::Nan, "column `odd`"),
        ("by-arrival", Rule::Order, "another order"),
        ("forgets", Rule::Snapshot, "differs from the one it is from"),
        ("stale-snapshot", Rule::Snapshot, "the parts that changed"),
        ("trap-in-restore", Rule::Snapshot, "unreachable"),
        ("trusting", Rule::ForeignState, "damaged bytes"),
    ] {
        let Err(refusal) = habit(name) else { panic!("`{name}` was taken") };
        assert_eq!(refusal.rule, rule, "{name}: {refusal}");
        assert!(refusal.seen.contains(seen), "{name}: {refusal}");
    }
}

#[test]
fn a_function_that_cannot_do_what_is_asked_is_refused() {
    let (bytes, specs) = (component("test/hostile-window"), [spec("visits", Shape::Session(1_000_000))]);
    let refusal = refusal(&Candidate { specs: &specs, ..Candidate::new("it", &bytes) });
    assert_eq!(refusal.rule, Rule::Specs);
    assert!(refusal.seen.contains("spec `visits` is not tumbling"), "{refusal}");
}

#[test]
fn a_candidate_must_read_the_state_of_the_function_before_it() {
    let (old, new) = (component("window"), component("test/hostile-window"));
    let specs = [spec("1m", Shape::Tumbling(60_000_000))];
    let predecessor = runtime().load("window", &old, Contract::Window).unwrap();
    let takes_over = |bytes: &[u8]| {
        try_it(&Candidate { specs: &specs, predecessor: Some(&predecessor), ..Candidate::new("it", bytes) })
    };
    let vetted = takes_over(&old).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert!(vetted.passed.iter().any(|(rule, _)| *rule == Rule::OldState));
    let Err(refusal) = takes_over(&new) else { panic!("it was taken") };
    assert_eq!(refusal.rule, Rule::OldState);
    assert!(refusal.seen.contains("the state of spec 0 is not of this function"), "{refusal}");
}

/// A component in WebAssembly text.
fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn a_file_that_is_no_function_is_refused_by_the_rule_it_breaks() {
    let export =
        |interface: &str| format!(r#"(component (instance $i) (export "{interface}" (instance $i)))"#);
    for (bytes, rule, seen) in [
        (b"not wasm".to_vec(), Rule::Component, ""),
        (text("(module)"), Rule::Component, "component"),
        (
            text(
                r#"(component (import "wasi:clocks/wall-clock@0.3.0" (instance (export "now" (func (result u64))))))"#,
            ),
            Rule::Imports,
            "wasi:clocks/wall-clock@0.3.0",
        ),
        (text(r#"(component (import "random" (func (result u64))))"#), Rule::Imports, "`random`"),
        (text("(component)"), Rule::World, "no interface"),
        (text(&export("tallow:parse/parse@0.1.0")), Rule::World, "other types"),
        (text(&export("tallow:parse/parse@0.9.0")), Rule::Version, "newer than this host"),
        (text(&export("tallow:window/window@0.0.1")), Rule::Version, "build it again"),
    ] {
        let refusal = refusal(&Candidate::new("it", &bytes));
        assert_eq!(refusal.rule, rule, "{refusal}");
        assert!(refusal.seen.contains(seen), "{refusal}");
    }
}

#[test]
fn a_trial_ends_when_its_time_in_all_is_over() {
    let compile = CompileLimits { check_time: Duration::from_millis(10), ..CompileLimits::default() };
    for name in ["parse-market", "window"] {
        let bytes = component(name);
        let refusal = refusal(&Candidate { compile, ..Candidate::new("it", &bytes) });
        assert_eq!(refusal.rule, Rule::Time, "{refusal}");
        assert!(refusal.to_string().contains("raise `check-time`"), "{refusal}");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_even_compiled() {
    let bytes = component("window");
    let limits = CompileLimits { size_bytes: 1000, ..CompileLimits::default() };
    let refusal = refusal(&Candidate { compile: limits, ..Candidate::new("it", &bytes) });
    assert_eq!(refusal.rule, Rule::Size);
    assert!(refusal.seen.contains(&format!("{} bytes", bytes.len())), "{refusal}");
}

/// A small file that is large work: in a loop, `size` variables, each set behind a condition, so that the compiler
/// has to know for each of them what each other place left in it.
fn bomb(size: usize) -> Vec<u8> {
    let ifs = (0..size).map(|at| {
        let (read, tested, set) = ((at * 17 + 3) % size, (at * 31) % size, (at * 7919) % size);
        format!("local.get {tested} if local.get {read} local.set {set} end ")
    });
    let reads = (0..size).map(|at| format!("local.get {at} drop "));
    let locals = "i32 ".repeat(size);
    text(&format!(
        "(component (core module (func (local {locals}) loop {} local.get 0 br_if 0 end {})))",
        ifs.collect::<String>(),
        reads.collect::<String>()
    ))
}

#[test]
fn a_compile_bomb_is_stopped_by_time_and_by_memory() {
    let bytes = bomb(5000);
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    // Without a cache: the last of these would be compiled in an earlier run.
    let runtime = Runtime::new(None).unwrap();
    let refused = |compile| {
        let candidate = Candidate { compile, ..Candidate::new("it", &bytes) };
        vet(&runtime, &compiler(), &candidate, &mut |_| {}).err().unwrap()
    };
    let whole = CompileLimits {
        size_bytes: 1 << 20,
        time: Duration::from_secs(120),
        memory_bytes: 64 << 30,
        ..CompileLimits::default()
    };

    let late = refused(CompileLimits { time: Duration::from_millis(100), ..whole });
    assert_eq!((late.rule, late.seen.as_str()), (Rule::CompileTime, "it was not compiled after 100 ms"));
    let large = refused(CompileLimits { memory_bytes: 64 << 20, ..whole });
    assert_eq!(large.rule, Rule::CompileMemory, "{large}");
    // It is a component like any other where it may take that much: its world is what is wrong with it.
    assert_eq!(refused(whole).rule, Rule::World);
}

#[test]
fn what_was_compiled_is_taken_from_the_cache_the_next_time() {
    let bytes = component("test/hostile-window");
    let cache = tempfile::tempdir().unwrap();
    let runtime = Runtime::new(Some(cache.path().join("compiled"))).unwrap();
    let load = |compiler: &Compiler| {
        tallow_vet::load(&runtime, compiler, &Candidate::new("it", &bytes), &mut |_| {})
            .map(|loaded| loaded.component.digest())
    };
    let nothing = Compiler { program: "/nowhere".into(), arguments: Vec::new() };
    assert!(load(&nothing).is_err(), "nothing is compiled in the host itself");
    let first = load(&compiler()).unwrap();
    assert_eq!(load(&nothing).as_ref(), Ok(&first));
    let files: Vec<_> = cache.path().join("compiled").read_dir().unwrap().collect();
    assert_eq!(files.len(), 1);
}
