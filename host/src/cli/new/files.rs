//! The files of the functions that `tallow new` makes.

/// A file of a new function.
pub struct File {
    pub path: &'static str,
    /// `{{name}}` and `{{crate}}` stand for the function's name, with `-` and with `_`.
    pub text: &'static str,
}

/// Each file, and which one of the repository it is.
macro_rules! files {
    ($($path:literal = $of:literal,)*) => {
        &[$(File { path: $path, text: include_str!(concat!("../../../../", $of)) }),*]
    };
}

pub const RUST_PARSE: &[File] = files![
    "Cargo.toml" = "functions/template/parse/Cargo.toml.in",
    "README.md" = "functions/template/parse/README.md.in",
    ".gitignore" = "functions/template/parse/gitignore.in",
    "golden/trades.json" = "functions/template/parse/golden/trades.json",
    "sample.jsonl" = "functions/template/parse/sample.jsonl",
    "src/adapter.rs" = "functions/template/parse/src/adapter.rs",
    "src/lib.rs" = "functions/template/parse/src/lib.rs",
    "src/message.rs" = "functions/template/parse/src/message.rs",
    "src/number.rs" = "functions/template/parse/src/number.rs",
    "tests/message.rs" = "functions/template/parse/tests/message.rs.in",
    "wit/types/types.wit" = "wit/types/types.wit",
    "wit/parse/parse.wit" = "wit/parse/parse.wit",
];

pub const RUST_WINDOW: &[File] = files![
    "Cargo.toml" = "functions/template/window/Cargo.toml.in",
    "README.md" = "functions/template/window/README.md.in",
    ".gitignore" = "functions/template/window/gitignore.in",
    "golden/minutes.json" = "functions/template/window/golden/minutes.json",
    "src/adapter.rs" = "functions/template/window/src/adapter.rs",
    "src/adapter/columns.rs" = "functions/template/window/src/adapter/columns.rs",
    "src/adapter/output.rs" = "functions/template/window/src/adapter/output.rs",
    "src/cell.rs" = "functions/template/window/src/cell.rs",
    "src/lib.rs" = "functions/template/window/src/lib.rs",
    "src/state.rs" = "functions/template/window/src/state.rs",
    "src/windows.rs" = "functions/template/window/src/windows.rs",
    "tests/windows.rs" = "functions/template/window/tests/windows.rs.in",
    "wit/types/types.wit" = "wit/types/types.wit",
    "wit/window/window.wit" = "wit/window/window.wit",
];

pub const RUST_FEED: &[File] = files![
    "Cargo.toml" = "functions/template/feed/Cargo.toml.in",
    "README.md" = "functions/template/feed/README.md.in",
    ".gitignore" = "functions/template/feed/gitignore.in",
    "golden/trades.json" = "functions/template/feed/golden/trades.json",
    "src/adapter.rs" = "functions/template/feed/src/adapter.rs",
    "src/exchange.rs" = "functions/template/feed/src/exchange.rs",
    "src/lib.rs" = "functions/template/feed/src/lib.rs",
    "tests/exchange.rs" = "functions/template/feed/tests/exchange.rs.in",
    "wit/types/types.wit" = "wit/types/types.wit",
    "wit/feed/feed.wit" = "wit/feed/feed.wit",
];

pub const RUST_FORECAST: &[File] = files![
    "Cargo.toml" = "functions/template/forecast/Cargo.toml.in",
    "README.md" = "functions/template/forecast/README.md.in",
    ".gitignore" = "functions/template/forecast/gitignore.in",
    "golden/weeks.json" = "functions/template/forecast/golden/weeks.json",
    "src/adapter.rs" = "functions/template/forecast/src/adapter.rs",
    "src/lib.rs" = "functions/template/forecast/src/lib.rs",
    "src/model.rs" = "functions/template/forecast/src/model.rs",
    "tests/model.rs" = "functions/template/forecast/tests/model.rs.in",
    "wit/types/types.wit" = "wit/types/types.wit",
    "wit/forecast/forecast.wit" = "wit/forecast/forecast.wit",
];

// componentize-js and componentize-py want a WIT package with those that it uses under `deps`. Messages, golden vectors
// and sample are those of the parse function in Rust.

pub const JS_PARSE: &[File] = files![
    "package.json" = "functions/template/parse-js/package.json.in",
    "README.md" = "functions/template/parse-js/README.md.in",
    ".gitignore" = "functions/template/parse-js/gitignore.in",
    "build.js" = "functions/template/parse-js/build.js.in",
    "adapter.js" = "functions/template/parse-js/adapter.js",
    "message.js" = "functions/template/parse-js/message.js.in",
    "golden/trades.json" = "functions/template/parse/golden/trades.json",
    "sample.jsonl" = "functions/template/parse/sample.jsonl",
    "wit/deps/types/types.wit" = "wit/types/types.wit",
    "wit/parse.wit" = "wit/parse/parse.wit",
];

pub const PYTHON_PARSE: &[File] = files![
    "requirements.txt" = "functions/template/parse-py/requirements.txt",
    "README.md" = "functions/template/parse-py/README.md.in",
    ".gitignore" = "functions/template/parse-py/gitignore.in",
    "build.py" = "functions/template/parse-py/build.py.in",
    "app.py" = "functions/template/parse-py/app.py",
    "message.py" = "functions/template/parse-py/message.py.in",
    "golden/trades.json" = "functions/template/parse/golden/trades.json",
    "sample.jsonl" = "functions/template/parse/sample.jsonl",
    "wit/deps/types/types.wit" = "wit/types/types.wit",
    "wit/parse.wit" = "wit/parse/parse.wit",
];
