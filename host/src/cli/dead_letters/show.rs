//! `tallow dead-letters show`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use tallow_letters::Letters;
use tallow_sink::KeptLetter;

use super::bytes::{dump, plain, text};
use super::{Which, open};
use crate::cli::Failure;
use crate::cli::report::{counted, time};
use crate::say;

/// Bytes of a key, value or header that are shown without `--whole`.
const SHOWN: usize = 512;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Stop after this many
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Show all bytes of large records
    #[arg(long)]
    whole: bool,
    /// Print a line of JSON per dead letter, with all bytes in base64
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let (manifest, store, filter) = open(&args.which)?;
    let pipeline = &args.which.one(&manifest)?.id;
    let mut letters = Letters::of(&store, pipeline, &filter)?;
    let mut shown = 0;
    for kept in letters.by_ref().take(args.limit) {
        let kept = kept?;
        match args.json {
            true => println!("{}", as_json(&kept)),
            false => print(&kept, if args.whole { usize::MAX } else { SHOWN }),
        }
        shown += 1;
        if say::is_unheard() {
            return Ok(());
        }
    }
    let more = letters.next().transpose()?.is_some();
    if !args.json && shown == 0 {
        println!("{pipeline}: no such dead letter");
    }
    if more {
        eprintln!("{pipeline}: {} shown, and there are more: `--limit N`", counted(shown, "dead letter"));
    }
    Ok(())
}

fn print(kept: &KeptLetter, most: usize) {
    let letter = &kept.letter;
    let when = if letter.timestamp_us == -1 { "no time".to_owned() } else { time(letter.timestamp_us) };
    println!("{}  {when}  {}: {}", letter.place, letter.kind.as_str(), plain(&letter.reason));
    if let Some(window) = &letter.window {
        println!("  window   {window}");
    }
    if let Some(row) = letter.row {
        println!("  row      {row}");
    }
    println!("  commit   {}", kept.commit);
    bytes("key", letter.key.as_deref(), most);
    bytes("value", letter.value.as_deref(), most);
    for (name, value) in &letter.headers {
        println!("  header   {} = {}", plain(name), value.as_deref().map_or_else(|| "null".to_owned(), text));
    }
}

fn bytes(what: &str, bytes: Option<&[u8]>, most: usize) {
    let Some(bytes) = bytes else {
        println!("  {what:<8} null");
        return;
    };
    println!("  {what:<8} {}", counted(bytes.len() as u64, "byte"));
    let some = &bytes[..bytes.len().min(most)];
    dump(some).iter().for_each(|line| println!("    {line}"));
    if some.len() < bytes.len() {
        println!("    … and {} (--whole)", counted((bytes.len() - some.len()) as u64, "byte"));
    }
}

fn as_json(kept: &KeptLetter) -> Value {
    let letter = &kept.letter;
    let base64 = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| BASE64_STANDARD.encode(bytes));
    let headers =
        letter.headers.iter().map(|(name, value)| json!({ "name": name, "value_base64": base64(value) }));
    json!({
        "topic": *letter.place.topic,
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "timestamp_us": (letter.timestamp_us != -1).then_some(letter.timestamp_us),
        "kind": letter.kind.as_str(),
        "reason": letter.reason,
        "window": letter.window,
        "row": letter.row,
        "commit": kept.commit,
        "key_base64": base64(&letter.key),
        "value_base64": base64(&letter.value),
        "value": letter.value.as_deref().and_then(|value| std::str::from_utf8(value).ok()),
        "headers": headers.collect::<Vec<_>>(),
    })
}
