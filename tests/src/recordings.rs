//! Real market data, where it is there: a clone does not have it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;

use crate::skip;

/// A line of a WebSocket recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The receiver's clock, nanoseconds since 1970-01-01 UTC.
    pub received_ns: i64,
    /// The symbol of its stream, in capitals: `BTCUSDT`.
    pub symbol: String,
    /// The message in the combined-stream envelope.
    pub message: String,
}

/// All messages (trades, book updates, book tickers) of one symbol, oldest first; None after saying so where
/// the recordings are not there.
pub fn trades(test: &str, symbol: &str) -> Option<Vec<Recorded>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/trades"));
    let Ok(entries) = folder.read_dir() else {
        skip(test, &format!("no recordings in {}", folder.display()));
        return None;
    };
    let prefix = format!("{}_", symbol.to_lowercase());
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no recording of {symbol} in {}", folder.display());
    Some(files.iter().flat_map(|file| read(file, symbol)).collect())
}

fn read(file: &PathBuf, symbol: &str) -> Vec<Recorded> {
    let reader = BufReader::new(MultiGzDecoder::new(File::open(file).expect("the recording opens")));
    let lines = reader.lines().map(|line| line.expect("the recording is UTF-8"));
    lines
        .map(|line| {
            let (received, message) = line.split_once(' ').expect("a line is `<receive time> <message>`");
            Recorded {
                received_ns: received.parse().expect("the receive time is a number"),
                symbol: symbol.to_owned(),
                message: message.to_owned(),
            }
        })
        .collect()
}
