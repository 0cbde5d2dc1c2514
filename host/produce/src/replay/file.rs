//! One recording, read line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::ReplayCounts;
use super::header;
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

pub struct Recording {
    path: PathBuf,
    lines: Box<dyn BufRead + Send>,
    format: Format,
    /// From the file's name.
    symbol: String,
    line: Vec<u8>,
    /// Number of that line in the file.
    number: u64,
    /// Whether `line` holds the next line already.
    peeked: bool,
    /// Time of the newest message, for those that have none.
    time_us: Option<i64>,
    pub counts: ReplayCounts,
    /// The first line that is broken, with its place.
    pub first_broken: Option<String>,
}

impl Recording {
    pub fn open(path: &Path) -> Result<Self, ProduceError> {
        let mut recording = Self {
            path: path.to_owned(),
            lines: read(path).map_err(|error| failed(path, error.to_string()))?,
            format: Format::Json,
            symbol: name::symbol(path),
            line: Vec::new(),
            number: 0,
            peeked: false,
            time_us: None,
            counts: ReplayCounts::default(),
            first_broken: None,
        };
        if !recording.next_line()? {
            return Err(failed(path, "the file holds no lines".to_owned()));
        }
        recording.peeked = true;
        if let Some(what) = no_recording(&recording.line) {
            let line = shown(path, recording.number, &recording.line);
            return Err(failed(path, format!("{what}; it begins with {line}")));
        }
        if let Some(header) = csv(&recording.line) {
            let columns = recording.columns(header.columns)?;
            if header.named {
                let line = String::from_utf8_lossy(&recording.line);
                if let Some(why) = header::misplaced(&line, columns.count()) {
                    return Err(failed(path, why));
                }
                recording.peeked = recording.next_line()?;
            }
            recording.check_order(&columns)?;
            recording.format = Format::Klines(columns);
        }
        Ok(recording)
    }

    /// Whether the first kline can be one with its columns in that order.
    fn check_order(&self, columns: &Columns) -> Result<(), ProduceError> {
        let row = String::from_utf8_lossy(&self.line);
        if !self.peeked || !kline::contradicts(&row, columns) {
            return Ok(());
        }
        let why = format!(
            "line {}: `{row}`: as open time, open, high, low, close and volume its high and low contradict its open and close: \
             its columns are in another order. `tallow batch` reads any order",
            self.number
        );
        Err(failed(&self.path, why))
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
            self.number += 1;
            while self.line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                self.line.pop();
            }
            if !self.line.is_empty() {
                return Ok(true);
            }
        }
    }

    pub fn next_message(&mut self) -> Result<Option<Message>, ProduceError> {
        if !std::mem::take(&mut self.peeked) && !self.next_line()? {
            return Ok(None);
        }
        self.counts.messages += 1;
        let message = match &self.format {
            Format::Json => json(&self.line, &self.symbol),
            Format::Klines(columns) => kline(&self.line, columns, &self.symbol),
        };
        let (mut message, whole) = message;
        if !whole {
            self.counts.broken += 1;
            self.first_broken.get_or_insert_with(|| shown(&self.path, self.number, &self.line));
        }
        message.due_us = message.due_us.or(message.event_us).or(self.time_us);
        self.time_us = message.due_us;
        Ok(Some(message))
    }
}

/// A line with its place, cut where it is long and without what a terminal would take for orders.
fn shown(path: &Path, number: u64, line: &[u8]) -> String {
    const CHARS: usize = 100;
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * CHARS)]);
    let mut shown: String =
        text.chars().take(CHARS).map(|it| if it.is_control() { ' ' } else { it }).collect();
    if line.len() > shown.len() {
        shown.push('…');
    }
    format!("{}:{number}: `{shown}`", path.display())
}

/// The message of a line, and whether it is whole.
fn json(line: &[u8], symbol: &str) -> (Message, bool) {
    let (received_us, value) = split_time(line);
    let about = about(value);
    let whole = about.is_some();
    let about = about.unwrap_or_default();
    let key = about.symbol.as_deref().unwrap_or(symbol).as_bytes().to_vec();
    (
        Message {
            key: Some(key),
            value: value.to_vec(),
            event_us: about.event_us,
            due_us: received_us,
            headers: Vec::new(),
        },
        whole,
    )
}

fn kline(line: &[u8], columns: &Columns, symbol: &str) -> (Message, bool) {
    let row = std::str::from_utf8(line).ok();
    let made = row.and_then(|row| kline::message(row, columns, symbol));
    let whole = made.is_some() && !row.is_some_and(|row| kline::contradicts(row, columns));
    let (value, event_us) = match made {
        Some((json, open_us)) => (json.into_bytes(), Some(open_us)),
        None => (line.to_vec(), None),
    };
    (Message { key: Some(symbol.as_bytes().to_vec()), value, event_us, ..Message::default() }, whole)
}

/// What a file is that cannot be played back, by its first line.
fn no_recording(line: &[u8]) -> Option<&'static str> {
    if line.starts_with(b"<") {
        return Some("it is a page of the web (HTML or XML): fetch the file again");
    }
    let binary = line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    binary.then_some("it is no text, and gzip is the only packing that is known: unpack it, or write it as CSV or JSON lines")
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
