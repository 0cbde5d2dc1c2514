//! One recording, read line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::ReplayCounts;
use super::kline::{self, Columns};
use super::line::{about, split_time};
use super::name;
use crate::{Message, ProduceError};

/// No message of an exchange comes near; a longer line is no recording.
const LONGEST_LINE_BYTES: u64 = 64 << 20;
const BUFFER_BYTES: usize = 1 << 18;

enum Format {
    Json,
    Klines(Columns),
}

pub(super) struct Recording {
    path: PathBuf,
    lines: Box<dyn BufRead + Send>,
    format: Format,
    /// From the file's name.
    symbol: String,
    line: Vec<u8>,
    /// Whether `line` holds the next line already.
    peeked: bool,
    /// Time of the newest message, for those that have none.
    time_us: Option<i64>,
    pub(super) counts: ReplayCounts,
}

impl Recording {
    pub(super) fn open(path: &Path) -> Result<Self, ProduceError> {
        let mut recording = Self {
            path: path.to_owned(),
            lines: read(path).map_err(|error| failed(path, error.to_string()))?,
            format: Format::Json,
            symbol: name::symbol(path),
            line: Vec::new(),
            peeked: false,
            time_us: None,
            counts: ReplayCounts::default(),
        };
        if !recording.next_line()? {
            return Err(failed(path, "the file holds no lines".to_owned()));
        }
        recording.peeked = true;
        if let Some(header) = csv(&recording.line) {
            recording.format = Format::Klines(recording.columns(header.columns)?);
            recording.peeked = !header.named;
        }
        Ok(recording)
    }

    fn columns(&self, count: usize) -> Result<Columns, ProduceError> {
        match (count, name::interval(&self.path)) {
            (12, _) => Ok(Columns::Twelve),
            (6, Some(interval)) => Ok(Columns::Six(interval)),
            (6, None) => Err(failed(
                &self.path,
                "klines of 6 columns do not say how long they are: put it into the file's name, as in \
                 `BTCUSDT-1m-2024-08.csv`"
                    .to_owned(),
            )),
            _ => Err(failed(
                &self.path,
                format!(
                    "{count} columns: klines have 6 (open time, open, high, low, close, volume) or Binance's 12"
                ),
            )),
        }
    }

    /// The next line that is not empty, into `line`. Returns whether there is one.
    fn next_line(&mut self) -> Result<bool, ProduceError> {
        loop {
            self.line.clear();
            let mut lines = (&mut self.lines).take(LONGEST_LINE_BYTES);
            let read = lines.read_until(b'\n', &mut self.line);
            let read = read.map_err(|error| failed(&self.path, error.to_string()))?;
            if read as u64 == LONGEST_LINE_BYTES {
                return Err(failed(&self.path, format!("a line of more than {LONGEST_LINE_BYTES} bytes")));
            }
            if read == 0 {
                return Ok(false);
            }
            while self.line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                self.line.pop();
            }
            if !self.line.is_empty() {
                return Ok(true);
            }
        }
    }

    pub(super) fn next_message(&mut self) -> Result<Option<Message>, ProduceError> {
        if !std::mem::take(&mut self.peeked) && !self.next_line()? {
            return Ok(None);
        }
        self.counts.messages += 1;
        let message = match &self.format {
            Format::Json => json(&self.line, &self.symbol),
            Format::Klines(columns) => kline(&self.line, columns, &self.symbol),
        };
        let (mut message, whole) = message;
        self.counts.broken += u64::from(!whole);
        message.due_us = message.due_us.or(message.event_us).or(self.time_us);
        self.time_us = message.due_us;
        Ok(Some(message))
    }
}

/// The message of a line, and whether it is whole.
fn json(line: &[u8], symbol: &str) -> (Message, bool) {
    let (received_us, value) = split_time(line);
    let about = about(value);
    let whole = about.is_some();
    let about = about.unwrap_or_default();
    let key = about.symbol.as_deref().unwrap_or(symbol).as_bytes().to_vec();
    (Message { key: Some(key), value: value.to_vec(), event_us: about.event_us, due_us: received_us }, whole)
}

fn kline(line: &[u8], columns: &Columns, symbol: &str) -> (Message, bool) {
    let made = std::str::from_utf8(line).ok().and_then(|row| kline::message(row, columns, symbol));
    let whole = made.is_some();
    let (value, event_us) = match made {
        Some((json, open_us)) => (json.into_bytes(), Some(open_us)),
        None => (line.to_vec(), None),
    };
    (Message { key: Some(symbol.as_bytes().to_vec()), value, event_us, due_us: None }, whole)
}

struct Header {
    columns: usize,
    /// Whether the line names the columns, rather than being the first row.
    named: bool,
}

/// What the first line of a file says, if that is CSV.
fn csv(line: &[u8]) -> Option<Header> {
    let (received, _) = split_time(line);
    if received.is_some() || line.starts_with(b"{") || line.starts_with(b"[") || !line.contains(&b',') {
        return None;
    }
    let columns = line.split(|byte| *byte == b',').count();
    Some(Header { columns, named: !line[0].is_ascii_digit() })
}

/// The file's bytes, unpacked if it is gzipped, whatever its name.
fn read(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    Ok(match file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        true => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file))),
        false => Box::new(file),
    })
}

fn failed(path: &Path, why: String) -> ProduceError {
    ProduceError::File { path: path.to_owned(), why }
}
