//! `tallow new`: a folder for a user's function, which builds wherever it lies. Its files are those of
//! `functions/template`, with the contract's WIT beside them.

mod files;

use std::path::{Path, PathBuf};

use super::Failure;
use super::again::quoted;
use super::report::counted;

#[derive(clap::Args)]
pub struct Args {
    /// The contract that it keeps to
    #[arg(value_enum)]
    contract: Template,
    /// Its name: words of a-z and 0-9 with `-` between them
    #[arg(value_parser = parse_name)]
    name: String,
    /// The language to write it in; window, feed and forecast functions are in Rust only
    #[arg(long, value_enum, default_value = "rust")]
    language: Language,
    /// Where to make it [default: a folder of its name]
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

/// Contracts that there is a template for.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Template {
    Parse,
    Window,
    Feed,
    Forecast,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    Rust,
    /// JavaScript, by componentize-js
    Js,
    /// Python, by componentize-py
    Python,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let folder = args.path.unwrap_or_else(|| PathBuf::from(&args.name));
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let text = format!("{}: the folder is not empty; name another one with --path", folder.display());
        return Err(Failure::usage(text));
    }
    let files = match (args.contract, args.language) {
        (Template::Parse, Language::Rust) => files::RUST_PARSE,
        (Template::Window, Language::Rust) => files::RUST_WINDOW,
        (Template::Feed, Language::Rust) => files::RUST_FEED,
        (Template::Forecast, Language::Rust) => files::RUST_FORECAST,
        (Template::Parse, Language::Js) => files::JS_PARSE,
        (Template::Parse, Language::Python) => files::PYTHON_PARSE,
        (Template::Window, _) => return Err(rust_only("window")),
        (Template::Feed, _) => return Err(rust_only("feed")),
        (Template::Forecast, _) => return Err(rust_only("forecast")),
    };
    for file in files {
        write(&folder.join(file.path), &filled(file.text, &args.name))
            .map_err(|error| Failure::failed(format!("{}: {error}", folder.join(file.path).display())))?;
    }
    let made = counted(files.len() as u64, "file");
    println!("made {}: {made}; README.md says which one to change", folder.display());
    print!("{}", next_steps(&args.name, &folder, args.language));
    Ok(())
}

fn rust_only(contract: &str) -> Failure {
    Failure::usage(format!("{contract} functions can be made in Rust only: leave --language out"))
}

/// What builds and checks it.
fn next_steps(name: &str, folder: &Path, language: Language) -> String {
    let path = |file: &str| folder.join(file).display().to_string();
    let golden = format!("--golden '{}'", path("golden/*.json").replace('\'', r"'\''"));
    let place = quoted(&folder.display().to_string());
    // The runtime of the language is in the component.
    let large = "--max-size 64MiB --compile-time 2m --compile-memory 4GiB";
    let component = quoted(&path(&format!("{name}.wasm")));
    match language {
        Language::Rust => format!(
            "  tallow functions build {place}\n  tallow functions check {} {golden}\n",
            quoted(&path(&format!("target/{name}.wasm")))
        ),
        Language::Js => format!(
            "  (cd {place} && npm install && npm run build)\n  tallow functions check {component} {large} {golden}\n"
        ),
        Language::Python => format!(
            "  (cd {place} && pip install -r requirements.txt && python build.py)\n  tallow functions check {component} \
             {large} {golden}\n"
        ),
    }
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
