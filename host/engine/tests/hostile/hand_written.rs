//! Functions written in WebAssembly text, whose answers no compiler would make: pointers beyond their memory,
//! values that the types do not have, and what a program can do before and after the call itself.

use tallow_engine::{CallError, Component, Contract, Limits, LoadError, ParseFunction, ParseOptions};

use crate::support::{LIMITS, batch, component, runtime};

/// Where the answer of `parse` lies: a `result<parsed, string>`, all zeros being an empty `parsed`.
const ANSWER: u32 = 2048;
/// The payload begins after the discriminant, at the alignment of `parsed`.
const PARSED: u32 = ANSWER + 8;
/// Offsets of fields in `parsed`, each a pointer and a length.
const COLUMNS: u32 = PARSED + 4;
const RECORDS: u32 = PARSED + 12;
/// A column put at this address, 48 bytes: its name, the discriminant of its data, the data, validity.
const COLUMN: u32 = 4096;
const PAGE: u32 = 65536;

/// The parts of a core module that a test may replace.
struct Module {
    memory: &'static str,
    extra: String,
    parse: String,
    realloc: &'static str,
}

impl Default for Module {
    fn default() -> Self {
        Self {
            memory: r#"(memory (export "memory") 1)"#,
            extra: String::new(),
            parse: format!("i32.const {ANSWER}"),
            // Every block lies behind the answer: there is no call with more than a page of input.
            realloc: "i32.const 8192",
        }
    }
}

impl Module {
    fn with(extra: String) -> Self {
        Self { extra, ..Self::default() }
    }

    fn load(&self) -> Result<Component, LoadError> {
        let component = component(&self.text(), &[]);
        runtime().load("hand-written", &component, Contract::Parse)
    }

    fn text(&self) -> String {
        let Self { memory, extra, parse, realloc } = self;
        format!(
            r#"(module
                {memory}
                {extra}
                (func (export "tallow:parse/parse@0.1.0#describe") (result i32) i32.const 1024)
                (func (export "tallow:parse/parse@0.1.0#parse") (param i32) (result i32) {parse})
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc}))"#
        )
    }

    fn instantiate(&self, limits: Limits) -> Result<ParseFunction, CallError> {
        ParseFunction::new(&self.load().unwrap(), limits, ParseOptions::default())
    }

    /// The error of parsing a batch, twice: a bad answer does not make the next call worse.
    fn error(&self) -> CallError {
        self.error_of(&["a record"])
    }

    fn error_of(&self, values: &[&str]) -> CallError {
        let mut function = self.instantiate(LIMITS).unwrap();
        let first = function.parse(&mut batch(values)).unwrap_err();
        assert_eq!(function.parse(&mut batch(values)).unwrap_err(), first);
        first
    }

    fn contract(&self) -> String {
        match self.error() {
            CallError::Contract(why) => why,
            other => panic!("{other:?}"),
        }
    }
}

/// A data segment of 32-bit words.
fn words(address: u32, words: &[u32]) -> String {
    let bytes = words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("\\{byte:02x}"));
    format!("(data (i32.const {address}) \"{}\")", bytes.collect::<String>())
}

/// An answer with one column: its name, the discriminant of its data, and the data's first list.
fn column(name: [u32; 2], discriminant: u32, values: [u32; 2]) -> Module {
    let fields = [name[0], name[1], discriminant, values[0], values[1], 0, 0, 0, 0, 0, 0, 0];
    Module::with(words(COLUMNS, &[COLUMN, 1]) + &words(COLUMN, &fields))
}

#[test]
fn an_answer_of_zeros_is_an_empty_one() {
    let parsed = Module::default().instantiate(LIMITS).unwrap().parse(&mut batch(&[])).unwrap();
    assert_eq!(parsed.rows.table.rows, 0);
}

#[test]
fn an_answer_without_the_batchs_records_breaks_the_contract() {
    assert_eq!(Module::default().contract(), "record 0 of 1 is in 0 of rows, ignored and rejected");
}

#[test]
fn lists_beyond_the_memory_break_the_contract() {
    for (pointer, length) in [
        (PAGE - 4, 2),
        (0, PAGE / 4 + 1),
        (PAGE, 1),
        (0xffff_fffc, 1),
        // These wrap around in 32 bits.
        (0, 1 << 31),
        (4, 0x4000_0000),
        (0, 0x4000_0001),
        (0xffff_fffc, 0xffff_ffff),
    ] {
        let why = Module::with(words(RECORDS, &[pointer, length])).contract();
        assert!(why.contains("out of bounds"), "{pointer:#x} {length:#x}: {why}");
    }
}

#[test]
fn columns_beyond_the_memory_break_the_contract() {
    let why = Module::with(words(COLUMNS, &[PAGE - 8, 1 << 20])).contract();
    assert!(why.contains("out of bounds"), "{why}");
}

#[test]
fn a_list_that_is_not_aligned_breaks_the_contract() {
    assert!(Module::with(words(RECORDS, &[2, 1])).contract().contains("not aligned"));
}

#[test]
fn an_answer_beyond_the_memory_or_not_aligned_breaks_the_contract() {
    for (address, expected) in
        [(PAGE - 8, "out of bounds"), (0xffff_fff0, "out of bounds"), (ANSWER + 1, "align")]
    {
        let why = Module { parse: format!("i32.const {address}"), ..Module::default() }.contract();
        assert!(why.contains(expected), "{address:#x}: {why}");
    }
}

#[test]
fn a_discriminant_that_does_not_exist_breaks_the_contract() {
    assert!(Module::with(words(ANSWER, &[9])).contract().contains("discriminant"));
    assert!(column([0, 0], 200, [0, 0]).contract().contains("discriminant"));
}

#[test]
fn a_name_or_refusal_that_is_not_utf8_breaks_the_contract() {
    let latin1 = words(5000, &[0xe966_6163]);
    let mut named = column([5000, 4], 0, [0, 0]);
    named.extra += &latin1;
    assert!(named.contract().contains("utf-8"), "{}", named.contract());
    let refusal = Module::with(words(ANSWER, &[1, 0, 5000, 4]) + &latin1);
    assert!(refusal.contract().contains("utf-8"));
}

#[test]
fn two_columns_of_one_name_break_the_contract() {
    let answer = words(COLUMNS, &[COLUMN, 2]);
    assert_eq!(Module::with(answer).contract(), "column `` is there twice");
}

#[test]
fn many_small_lists_that_name_the_same_bytes_hit_the_output_cap() {
    // Each column is a page long and all of them lie in the same page: what the host would copy is more than
    // the function's memory holds.
    let fields = [0, 0, 0, 0, PAGE / 8, 0, 0, 0, 0, 0, 0, 0];
    let columns: String = (0..1000).map(|index| words(COLUMN + index * 48, &fields)).collect();
    let module = Module::with(words(COLUMNS, &[COLUMN, 1000]) + &columns);
    assert_eq!(module.error(), CallError::Output { cap_bytes: LIMITS.output_bytes });
}

#[test]
fn memory_handed_out_for_the_input_must_be_the_functions_own() {
    let realloc = |realloc| Module { realloc, ..Module::default() };
    for beyond in ["i32.const 65530", "i32.const -16"] {
        assert!(matches!(realloc(beyond).error(), CallError::Contract(why) if why.contains("realloc")));
    }
    assert!(matches!(realloc("i32.const 8193").error(), CallError::Contract(why) if why.contains("align")));
    assert!(matches!(realloc("unreachable").error(), CallError::Trap(_)));
    assert_eq!(realloc("(loop br 0) unreachable").error(), CallError::Deadline { deadline_ms: 300 });
}

#[test]
fn traps_and_loops_after_the_answer_are_contained() {
    let after = |body: &str| {
        let post = r#"(func (export "cabi_post_tallow:parse/parse@0.1.0#parse") (param i32)"#;
        Module::with(format!("{post} {body})"))
    };
    assert!(matches!(after("unreachable").error_of(&[]), CallError::Trap(_)));
    assert_eq!(after("(loop br 0)").error_of(&[]), CallError::Deadline { deadline_ms: 300 });
}

#[test]
fn traps_and_loops_before_the_first_call_are_contained() {
    let start = |body: &str| Module::with(format!("(func $start {body}) (start $start)"));
    let error = |module: Module| module.instantiate(LIMITS).err().unwrap();
    assert!(matches!(error(start("unreachable")), CallError::Trap(_)));
    assert_eq!(error(start("(loop br 0)")), CallError::Deadline { deadline_ms: 300 });
}

#[test]
fn memory_that_is_there_from_the_start_counts() {
    let module = Module { memory: r#"(memory (export "memory") 65536)"#, ..Module::default() };
    assert_eq!(module.instantiate(LIMITS).err(), Some(CallError::Memory { cap_bytes: LIMITS.memory_bytes }));
}

#[test]
fn many_memories_share_one_cap() {
    // Three times 16 MiB, where 32 MiB are allowed.
    let module = Module::with("(memory 256) (memory 256) (memory 256)".into());
    assert_eq!(module.instantiate(LIMITS).err(), Some(CallError::Memory { cap_bytes: LIMITS.memory_bytes }));
}

#[test]
fn tables_are_no_way_around_the_memory_cap() {
    let module = Module::with("(table 600000 funcref) (table 600000 funcref)".into());
    assert!(
        matches!(module.instantiate(LIMITS).err(), Some(CallError::Contract(why)) if why.contains("table"))
    );
}

#[test]
fn a_function_may_ask_for_more_than_its_own_maximum_and_is_told_no() {
    let grow = "i32.const 1000 memory.grow i32.const -1 i32.ne if unreachable end";
    let module = Module {
        memory: r#"(memory (export "memory") 1 2)"#,
        parse: format!("{grow} i32.const {ANSWER}"),
        ..Module::default()
    };
    assert!(module.instantiate(LIMITS).unwrap().parse(&mut batch(&[])).is_ok());
}

#[test]
fn a_large_function_is_compiled_and_runs() {
    let body = "local.get 0 i32.const 7 i32.mul local.set 0 ".repeat(200);
    let functions: String =
        (0..2000).map(|_| format!("(func (param i32) (result i32) {body} local.get 0)")).collect();
    let mut function = Module::with(functions).instantiate(LIMITS).unwrap();
    assert!(function.parse(&mut batch(&[])).is_ok());
}
