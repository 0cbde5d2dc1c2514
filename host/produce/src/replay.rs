//! Recordings, played back: see [`Replay`].

mod file;
mod header;
mod kline;
mod line;
mod name;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::{Message, ProduceError};
use file::Recording;

/// What a replay has read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayCounts {
    /// Messages, one a line; headers of CSV files and empty lines are none.
    pub messages: u64,
    /// Those among them that are broken; they are given as they are, for the pipeline to judge.
    pub broken: u64,
}

/// Messages of recordings, gzipped or not, line by line; memory does not grow with the files.
///
/// - lines of JSON, given untouched;
/// - lines of `<receive time, ns> <JSON>`, given without the time;
/// - klines as CSV: of 12 columns, given as the arrays of Binance's REST API; of 6 (open time, open, high, low, close,
///   volume), given as final klines of its WebSocket API, without what is not known. The file's name has to begin with
///   the symbol, and with 6 columns to hold the interval: `BTCUSDT-1m-2024-08.csv.gz`. A file whose header or first
///   kline says that its columns are in another order is refused.
///
/// The key is the message's symbol, or else the one of the file's name. Several files are merged by time, so that no
/// symbol runs ahead of another.
pub struct Replay {
    files: Vec<Recording>,
    /// The next message of each file, by time, then by number of the file.
    heads: BTreeMap<(i64, usize), Message>,
    failure: Option<ProduceError>,
}

impl Replay {
    /// Opens the files and reads the beginning of each.
    ///
    /// # Errors
    /// A file that cannot be read, is empty, or is no recording.
    pub fn open(paths: &[PathBuf]) -> Result<Self, ProduceError> {
        let files = paths.iter().map(|path| Recording::open(path)).collect::<Result<Vec<_>, _>>()?;
        let mut replay = Self { heads: BTreeMap::new(), failure: None, files };
        for file in 0..replay.files.len() {
            replay.advance(file)?;
        }
        Ok(replay)
    }

    pub fn counts(&self) -> ReplayCounts {
        let unread = self.heads.len() as u64;
        let (messages, broken) = self.files.iter().fold((0, 0), |(messages, broken), file| {
            (messages + file.counts.messages, broken + file.counts.broken)
        });
        ReplayCounts { messages: messages - unread, broken }
    }

    /// The first line of each file that is broken, as far as they have been read: its place and text.
    pub fn first_broken(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter_map(|file| file.first_broken.as_deref())
    }

    fn advance(&mut self, file: usize) -> Result<(), ProduceError> {
        if let Some(message) = self.files[file].next_message()? {
            let time_us = message.due_us.unwrap_or(i64::MIN);
            self.heads.insert((time_us, file), message);
        }
        Ok(())
    }
}

impl Iterator for Replay {
    type Item = Result<Message, ProduceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(failure) = self.failure.take() {
            self.heads.clear();
            return Some(Err(failure));
        }
        let ((_, file), message) = self.heads.pop_first()?;
        // What was read before a failure is still given.
        self.failure = self.advance(file).err();
        Some(Ok(message))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn replay(files: &[(&str, &[u8])]) -> Result<Vec<Message>, ProduceError> {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = files
            .iter()
            .map(|(name, bytes)| {
                let path = folder.path().join(name);
                std::fs::write(&path, bytes).unwrap();
                path
            })
            .collect();
        Replay::open(&paths)?.collect()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn texts(messages: &[Message]) -> Vec<(&str, &str)> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        messages.iter().map(|message| (text(message.key.as_deref().unwrap()), text(&message.value))).collect()
    }

    #[test]
    fn gzipped_and_plain_files_give_the_same_messages() {
        let lines =
            b"1723161253937085768 {\"data\":{\"s\":\"BTCUSDT\"}}\r\n\n{\"symbol\":\"ETHUSDT\"}\n{\"x\":1}";
        let want = [
            ("BTCUSDT", r#"{"data":{"s":"BTCUSDT"}}"#),
            ("ETHUSDT", r#"{"symbol":"ETHUSDT"}"#),
            ("MIXED", r#"{"x":1}"#),
        ];
        for bytes in [lines.to_vec(), gzipped(lines), [gzipped(&lines[..50]), gzipped(&lines[50..])].concat()]
        {
            let messages = replay(&[("mixed_1.gz", &bytes)]).unwrap();
            assert_eq!(texts(&messages), want);
        }
    }

    #[test]
    fn several_files_are_merged_by_time() {
        let file = |times: [i64; 3], symbol: &str| {
            times.map(|time| format!("{{\"s\":\"{symbol}\",\"T\":{time}}}\n")).concat().into_bytes()
        };
        let (a, b) = (
            file([1_700_000_000_001, 1_700_000_000_004, 1_700_000_000_005], "A"),
            file([1_700_000_000_002, 1_700_000_000_003, 1_700_000_000_009], "B"),
        );
        let messages = replay(&[("a.jsonl", &a), ("b.jsonl", &b)]).unwrap();
        let keys: Vec<_> = texts(&messages).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["A", "B", "B", "A", "A", "B"]);
    }

    #[test]
    fn broken_lines_are_given_untouched_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("BTCUSDT-1m.csv");
        std::fs::write(&path, "1364774820000,1,1,1,1,1\n1364774880000,1,1\n\u{fffd}\n").unwrap();
        let mut replay = Replay::open(&[path]).unwrap();
        let messages: Vec<_> = replay.by_ref().map(Result::unwrap).collect();
        assert_eq!(messages[1].value, b"1364774880000,1,1");
        assert_eq!(replay.counts(), ReplayCounts { messages: 3, broken: 2 });
        let first: Vec<&str> = replay.first_broken().collect();
        assert_eq!(first.len(), 1);
        assert!(first[0].ends_with("BTCUSDT-1m.csv:2: `1364774880000,1,1`"), "{first:?}");
    }

    #[test]
    fn files_that_are_no_recordings_are_refused_by_name() {
        for (name, bytes, why) in [
            ("empty.jsonl", &b""[..], "no lines"),
            ("page.jsonl", b"<html>\n<p>Not found\n", "a page of the web"),
            ("a.parquet", b"PAR1\x15\x04\x15\x10", "it is no text"),
            ("BTCUSD-1d.csv", b"a,b,c,d,e,f,g\n", "7 columns"),
            ("BTCUSD.csv", b"1364774820000,1,1,1,1,1\n", "BTCUSDT-1m"),
            ("BTCUSD-1m.csv", b"MTS,OPEN,CLOSE,HIGH,LOW,VOLUME\n1364774820000,1,1,1,1,1\n", "not the high"),
            ("BTCUSD-1m.csv", b"1646092800000,40000,40007,40030,39975,1.5\n", "in another order"),
        ] {
            let error = replay(&[(name, bytes)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(why), "{error}");
        }
        assert!(matches!(Replay::open(&["/no/such/file".into()]), Err(ProduceError::File { .. })));
    }

    #[test]
    fn a_truncated_gzip_gives_what_it_held_and_then_an_error() {
        let lines: String = (0..20_000).map(|n| format!("{{\"s\":\"A\",\"n\":{n}}}\n")).collect();
        let mut bytes = gzipped(lines.as_bytes());
        bytes.truncate(bytes.len() / 2);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gz");
        std::fs::write(&path, &bytes).unwrap();
        let items: Vec<_> = Replay::open(&[path]).unwrap().collect();
        let good = items.iter().take_while(|item| item.is_ok()).count();
        assert!(good > 1_000);
        assert_eq!(good + 1, items.len());
    }
}
