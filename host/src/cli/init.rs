//! `tallow init`: a folder to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::again::{in_double_quotes, quoted};
use super::{Failure, settings};

/// The manifest; `{{name}}` stands for the application's name.
pub const MANIFEST: &str = include_str!("init/spin.toml.in");

/// What is made beside it.
const SAMPLE: (&str, &str) = ("sample.jsonl", include_str!("init/sample.jsonl"));
const GITIGNORE: (&str, &str) = (".gitignore", include_str!("init/gitignore.in"));

/// The newest candles, in the quick start's columns.
const QUERY: &str = "SELECT symbol, window_start, open, high, low, close, volume, trades, complete \
     FROM 'lake/speed/candles_1m/*/*.parquet' \
     QUALIFY row_number() OVER (PARTITION BY symbol, window_start ORDER BY revision DESC) = 1 \
     ORDER BY window_start DESC, symbol LIMIT 16";

#[derive(clap::Args)]
pub struct Args {
    /// The folder to make; without it the current one
    #[arg(value_name = "NAME")]
    name: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let folder = args.name.as_deref().unwrap_or(Path::new("."));
    let failed = |path: &Path, error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    if let Some(there) =
        [settings::MANIFEST, SAMPLE.0].map(|name| folder.join(name)).iter().find(|it| it.exists())
    {
        let text = format!(
            "{} already exists, and nothing is overwritten: name a new folder, as in `tallow init market`",
            there.display()
        );
        return Err(Failure::usage(text));
    }
    if folder.exists() && !folder.is_dir() {
        let text = format!("{} is a file: name a folder that can be made", folder.display());
        return Err(Failure::usage(text));
    }
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let manifest = MANIFEST.replace("{{name}}", &application(folder));
    let mut made = Vec::new();
    for (name, text) in [(settings::MANIFEST, manifest.as_str()), SAMPLE, GITIGNORE] {
        let path = folder.join(name);
        match write_new(&path, text) {
            Ok(()) => made.push(name),
            // A project's own list of what to ignore stays as it is.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && name == GITIGNORE.0 => {
                println!("{} is left as it is; add `/lake/` to it", path.display());
            }
            Err(error) => return Err(failed(&path, error)),
        }
    }
    println!("made {}: {}", folder.display(), made.join(", "));
    print!("{}", next_steps(args.name.as_deref()));
    if settings::installed_functions().is_none() {
        println!();
        println!("No functions were found beside this program: `--functions DIR` says where they are,");
        println!(
            "parse-market.wasm and window.wasm; or put them into {}.",
            folder.join("functions").display()
        );
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// What to type next.
fn next_steps(folder: Option<&Path>) -> String {
    let enter =
        folder.map_or_else(String::new, |folder| format!("  cd {}\n", quoted(&folder.display().to_string())));
    format!(
        "next:\n{enter}  \
         tallow functions run parse-market --input sample.jsonl --candles   # the sample's candles\n  \
         tallow demo                                                        # a market, with a broker inside\n\
         with a Kafka on localhost:9092 that has a topic `trades`:\n  \
         tallow produce --source demo --seconds 10                          # a market into the topic\n  \
         tallow up --available-now                                          # candles of what it holds\n  \
         tallow status\n  \
         duckdb -c {}\n",
        in_double_quotes(QUERY)
    )
}

/// A name that Spin takes, after the folder's.
fn application(folder: &Path) -> String {
    let name = std::path::absolute(folder).ok();
    let name = name.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().to_lowercase());
    let name: String = name
        .unwrap_or_default()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    let name = name.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    if name.starts_with(|first: char| first.is_ascii_lowercase()) { name } else { "market".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_named_after_its_folder() {
        for (folder, name) in [
            ("market", "market"),
            ("a/My Market_2", "my-market-2"),
            ("/", "market"),
            ("2nd", "market"),
            ("é-x", "x"),
        ] {
            assert_eq!(application(Path::new(folder)), name, "{folder}");
        }
    }

    #[test]
    fn a_folder_of_that_name_is_entered_as_a_shell_wants_it() {
        assert!(next_steps(Some(Path::new("my market"))).contains("\n  cd 'my market'\n"));
        assert!(!next_steps(None).contains("cd "));
    }
}
