//! `tallow schema`: the JSON schema of a manifest, for editors; `tallow schema infer`: a schema of messages.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use tallow_infer::{Sample, messages};

use super::Failure;

/// Of the tables that are Tallow's; made by the manifest's reader.
const SCHEMA: &str = include_str!("../../../docs/manifest.schema.json");

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Propose [trigger.kafka.schema] from a sample of messages
    Infer {
        /// A file of JSON: a message a line, or an array of messages; `-` is standard input
        sample: PathBuf,
        /// Look at so many messages at most
        #[arg(long, default_value_t = 100_000)]
        messages: usize,
    },
}

pub fn run(args: Args) -> Result<(), Failure> {
    let text = match args.command {
        None => SCHEMA.to_owned(),
        Some(Command::Infer { sample, messages }) => infer(&sample, messages)?,
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // The reader may stop early, as `head` does.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::failed(error)),
        _ => Ok(()),
    }
}

fn infer(path: &Path, most: usize) -> Result<String, Failure> {
    let mut text = Vec::new();
    let read = match path.to_str() {
        Some("-") => io::stdin().lock().read_to_end(&mut text).map(drop),
        _ => std::fs::read(path).map(|read| text = read),
    };
    read.map_err(|error| Failure::file(path, error))?;
    let messages = messages(&text);
    let mut sample = Sample::default();
    messages.iter().take(most).for_each(|message| sample.see(message));
    if sample.is_empty() {
        let why = sample.first_fault().unwrap_or("it has no messages");
        return Err(Failure::file(path, format!("there is no JSON object or array in it: {why}")));
    }
    if messages.len() > most {
        eprintln!("{} of {} messages were looked at (--messages)", most, messages.len());
    }
    let name = path.file_name().map_or("standard input".into(), |name| name.to_string_lossy());
    Ok(sample.to_toml(if name == "-" { "standard input" } else { &name }))
}
