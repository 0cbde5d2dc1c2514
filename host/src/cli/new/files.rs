//! The files of the functions that `tallow new` makes.

/// A file of a new function.
pub struct File {
    pub path: &'static str,
    /// `{{name}}` and `{{crate}}` stand for the function's name, with `-` and with `_`.
    pub text: &'static str,
}

pub const RUST_PARSE: &[File] = &[
    File { path: "Cargo.toml", text: include_str!("../../../../functions/template/parse/Cargo.toml.in") },
    File { path: "README.md", text: include_str!("../../../../functions/template/parse/README.md.in") },
    File { path: ".gitignore", text: include_str!("../../../../functions/template/parse/gitignore.in") },
    File {
        path: "golden/trades.json",
        text: include_str!("../../../../functions/template/parse/golden/trades.json"),
    },
    File { path: "sample.jsonl", text: include_str!("../../../../functions/template/parse/sample.jsonl") },
    File {
        path: "src/adapter.rs",
        text: include_str!("../../../../functions/template/parse/src/adapter.rs"),
    },
    File { path: "src/lib.rs", text: include_str!("../../../../functions/template/parse/src/lib.rs") },
    File {
        path: "src/message.rs",
        text: include_str!("../../../../functions/template/parse/src/message.rs"),
    },
    File { path: "src/number.rs", text: include_str!("../../../../functions/template/parse/src/number.rs") },
    File {
        path: "tests/message.rs",
        text: include_str!("../../../../functions/template/parse/tests/message.rs.in"),
    },
    File { path: "wit/types/types.wit", text: include_str!("../../../../wit/types/types.wit") },
    File { path: "wit/parse/parse.wit", text: include_str!("../../../../wit/parse/parse.wit") },
];

pub const RUST_WINDOW: &[File] = &[
    File { path: "Cargo.toml", text: include_str!("../../../../functions/template/window/Cargo.toml.in") },
    File { path: "README.md", text: include_str!("../../../../functions/template/window/README.md.in") },
    File { path: ".gitignore", text: include_str!("../../../../functions/template/window/gitignore.in") },
    File {
        path: "golden/minutes.json",
        text: include_str!("../../../../functions/template/window/golden/minutes.json"),
    },
    File {
        path: "src/adapter.rs",
        text: include_str!("../../../../functions/template/window/src/adapter.rs"),
    },
    File {
        path: "src/adapter/columns.rs",
        text: include_str!("../../../../functions/template/window/src/adapter/columns.rs"),
    },
    File {
        path: "src/adapter/output.rs",
        text: include_str!("../../../../functions/template/window/src/adapter/output.rs"),
    },
    File { path: "src/cell.rs", text: include_str!("../../../../functions/template/window/src/cell.rs") },
    File { path: "src/lib.rs", text: include_str!("../../../../functions/template/window/src/lib.rs") },
    File { path: "src/state.rs", text: include_str!("../../../../functions/template/window/src/state.rs") },
    File {
        path: "src/windows.rs",
        text: include_str!("../../../../functions/template/window/src/windows.rs"),
    },
    File {
        path: "tests/windows.rs",
        text: include_str!("../../../../functions/template/window/tests/windows.rs.in"),
    },
    File { path: "wit/types/types.wit", text: include_str!("../../../../wit/types/types.wit") },
    File { path: "wit/window/window.wit", text: include_str!("../../../../wit/window/window.wit") },
];

/// A parse function in JavaScript; messages, golden vectors and sample are those of the one in Rust.
pub const JS_PARSE: &[File] = &[
    File {
        path: "package.json",
        text: include_str!("../../../../functions/template/parse-js/package.json.in"),
    },
    File { path: "README.md", text: include_str!("../../../../functions/template/parse-js/README.md.in") },
    File { path: ".gitignore", text: include_str!("../../../../functions/template/parse-js/gitignore.in") },
    File { path: "build.js", text: include_str!("../../../../functions/template/parse-js/build.js.in") },
    File { path: "adapter.js", text: include_str!("../../../../functions/template/parse-js/adapter.js") },
    File { path: "message.js", text: include_str!("../../../../functions/template/parse-js/message.js.in") },
    GOLDEN,
    SAMPLE,
    WIT_TYPES,
    WIT_PARSE,
];

/// The same in Python.
pub const PYTHON_PARSE: &[File] = &[
    File {
        path: "requirements.txt",
        text: include_str!("../../../../functions/template/parse-py/requirements.txt"),
    },
    File { path: "README.md", text: include_str!("../../../../functions/template/parse-py/README.md.in") },
    File { path: ".gitignore", text: include_str!("../../../../functions/template/parse-py/gitignore.in") },
    File { path: "build.py", text: include_str!("../../../../functions/template/parse-py/build.py.in") },
    File { path: "app.py", text: include_str!("../../../../functions/template/parse-py/app.py") },
    File { path: "message.py", text: include_str!("../../../../functions/template/parse-py/message.py.in") },
    GOLDEN,
    SAMPLE,
    WIT_TYPES,
    WIT_PARSE,
];

const GOLDEN: File = File {
    path: "golden/trades.json",
    text: include_str!("../../../../functions/template/parse/golden/trades.json"),
};
const SAMPLE: File =
    File { path: "sample.jsonl", text: include_str!("../../../../functions/template/parse/sample.jsonl") };
// The layout that these tools want: a package, and those that it uses under `deps`.
const WIT_PARSE: File = File { path: "wit/parse.wit", text: include_str!("../../../../wit/parse/parse.wit") };
const WIT_TYPES: File =
    File { path: "wit/deps/types/types.wit", text: include_str!("../../../../wit/types/types.wit") };
