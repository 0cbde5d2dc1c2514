//! `tallow new`: a crate for a function of one's own, which builds wherever it lies. Its files are those of
//! `functions/template`, with the contract's WIT beside them.

use std::path::{Path, PathBuf};

use super::Failure;
use super::report::counted;
use crate::error::exit;

#[derive(clap::Args)]
pub struct Args {
    /// The contract that it keeps to
    #[arg(value_enum)]
    contract: Template,
    /// Its name: words of a-z and 0-9 with `-` between them
    #[arg(value_parser = parse_name)]
    name: String,
    /// Where to make it [default: a folder of its name]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

/// Contracts that there is a template for.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Template {
    Parse,
    Window,
}

struct File {
    path: &'static str,
    /// `{{name}}` and `{{crate}}` stand for the function's name, with `-` and with `_`.
    text: &'static str,
}

const PARSE: &[File] = &[
    File { path: "Cargo.toml", text: include_str!("../../../functions/template/parse/Cargo.toml.in") },
    File { path: "README.md", text: include_str!("../../../functions/template/parse/README.md.in") },
    File { path: ".gitignore", text: include_str!("../../../functions/template/parse/gitignore.in") },
    File {
        path: "golden/trades.json",
        text: include_str!("../../../functions/template/parse/golden/trades.json"),
    },
    File { path: "sample.jsonl", text: include_str!("../../../functions/template/parse/sample.jsonl") },
    File { path: "src/adapter.rs", text: include_str!("../../../functions/template/parse/src/adapter.rs") },
    File { path: "src/lib.rs", text: include_str!("../../../functions/template/parse/src/lib.rs") },
    File { path: "src/message.rs", text: include_str!("../../../functions/template/parse/src/message.rs") },
    File { path: "src/number.rs", text: include_str!("../../../functions/template/parse/src/number.rs") },
    File {
        path: "tests/message.rs",
        text: include_str!("../../../functions/template/parse/tests/message.rs.in"),
    },
    File { path: "wit/types/types.wit", text: include_str!("../../../wit/types/types.wit") },
    File { path: "wit/parse/parse.wit", text: include_str!("../../../wit/parse/parse.wit") },
];

const WINDOW: &[File] = &[
    File { path: "Cargo.toml", text: include_str!("../../../functions/template/window/Cargo.toml.in") },
    File { path: "README.md", text: include_str!("../../../functions/template/window/README.md.in") },
    File { path: ".gitignore", text: include_str!("../../../functions/template/window/gitignore.in") },
    File {
        path: "golden/minutes.json",
        text: include_str!("../../../functions/template/window/golden/minutes.json"),
    },
    File { path: "src/adapter.rs", text: include_str!("../../../functions/template/window/src/adapter.rs") },
    File {
        path: "src/adapter/columns.rs",
        text: include_str!("../../../functions/template/window/src/adapter/columns.rs"),
    },
    File {
        path: "src/adapter/output.rs",
        text: include_str!("../../../functions/template/window/src/adapter/output.rs"),
    },
    File { path: "src/cell.rs", text: include_str!("../../../functions/template/window/src/cell.rs") },
    File { path: "src/lib.rs", text: include_str!("../../../functions/template/window/src/lib.rs") },
    File { path: "src/state.rs", text: include_str!("../../../functions/template/window/src/state.rs") },
    File { path: "src/windows.rs", text: include_str!("../../../functions/template/window/src/windows.rs") },
    File {
        path: "tests/windows.rs",
        text: include_str!("../../../functions/template/window/tests/windows.rs.in"),
    },
    File { path: "wit/types/types.wit", text: include_str!("../../../wit/types/types.wit") },
    File { path: "wit/window/window.wit", text: include_str!("../../../wit/window/window.wit") },
];

pub fn run(args: Args) -> Result<(), Failure> {
    let folder = args.path.unwrap_or_else(|| PathBuf::from(&args.name));
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let text = format!("{}: there is something in it; name another folder with --path", folder.display());
        return Err(Failure::new(exit::USAGE, text));
    }
    let files = match args.contract {
        Template::Parse => PARSE,
        Template::Window => WINDOW,
    };
    for file in files {
        write(&folder.join(file.path), &filled(file.text, &args.name)).map_err(|error| {
            Failure::new(exit::FAILED, format!("{}: {error}", folder.join(file.path).display()))
        })?;
    }
    let (name, folder) = (&args.name, folder.display());
    let made = counted(files.len() as u64, "file");
    println!("made {folder}: {made}; README.md says which one to change");
    println!("  tallow functions build {folder}");
    println!("  tallow functions check {folder}/target/{name}.wasm --golden '{folder}/golden/*.json'");
    Ok(())
}

fn filled(text: &str, name: &str) -> String {
    text.replace("{{name}}", name).replace("{{crate}}", &name.replace('-', "_"))
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

/// Names that both cargo and Spin take.
fn parse_name(name: &str) -> Result<String, String> {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    match name.split('-').all(is_word) {
        true => Ok(name.to_owned()),
        false => {
            Err("write words of a-z and 0-9 with `-` between them, each beginning with a letter".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_cargo_and_spin_take() {
        for name in ["parse-coinbase", "p", "v2-parse"] {
            assert_eq!(parse_name(name).as_deref(), Ok(name));
        }
        for name in ["", "-", "Parse", "parse_it", "parse--it", "2nd", "parse/it", "p-2"] {
            assert!(parse_name(name).is_err(), "{name}");
        }
    }
}
