//! Files to batches: each file is read by its own thread, a few files ahead, and the batches are put into one
//! order before they are parsed side by side.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use tallow_files::{Checksums, File, FileError, Lines};
use tallow_worker::ByteBudget;
use tallow_worker::ParseJob;
use tallow_worker::ParseOutcome;

use crate::beginning::{Beginnings, Reading};
use crate::error::BatchError;
use crate::header_lines::HeaderLines;
use crate::lines_batch::batch;
use crate::position::Position;

/// Bytes of lines in a batch: they stay in a core's cache.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces that are read ahead of a file's turn.
const AHEAD: usize = 8;

/// What a group's feed reads, and what it shares with others.
pub struct Feed<'a> {
    pub files: &'a [File],
    pub checksums: Checksums,
    /// Lines that are not wanted again.
    pub from: Position,
    /// The clock that all lines are judged by, µs.
    pub clock_us: i64,
    /// Counts bytes of files as they are read.
    pub progress: Arc<AtomicU64>,
    pub stop: &'a AtomicBool,
}

/// What a reader says about its file. One that says nothing more without having come to the end has stopped.
enum Read {
    Lines(Lines),
    /// The file was whole.
    End,
    Failed(FileError),
}

/// A batch that is parsed, in its place among the others.
pub struct Turn {
    /// Number of its file.
    pub file: usize,
    /// How the file is read, with its first batch; and whether that is reported for the first time.
    pub begins: Option<(Reading, bool)>,
    pub worked: Receiver<ParseOutcome>,
}

/// Where each file's pieces wait for their turn.
pub struct ReadAhead {
    next: AtomicUsize,
    pieces: Vec<Shelf>,
    closed: AtomicBool,
}

/// A file's pieces. Whoever reads the file takes the sender.
type Shelf = (Mutex<Option<Sender<Read>>>, Receiver<Read>);

impl ReadAhead {
    /// For that many files, of which the first ones are not wanted.
    pub fn new(files: usize, unwanted: usize) -> Self {
        let shelf = |(sender, receiver)| (Mutex::new(Some(sender)), receiver);
        Self {
            next: AtomicUsize::new(unwanted),
            pieces: (0..files).map(|_| shelf(bounded(AHEAD))).collect(),
            closed: AtomicBool::new(false),
        }
    }
}

impl ReadAhead {
    /// Wakes readers that wait with pieces that nobody will take; they stop.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.abandon();
        self.pieces.iter().for_each(|(_, pieces)| while pieces.recv().is_ok() {});
    }

    /// Nobody begins another file: whoever waits for one need not.
    fn abandon(&self) {
        for (sender, _) in &self.pieces {
            drop(sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Feed<'_> {
    /// Reads files, one after the other, as long as there are any that no other reader has begun.
    pub fn read(&self, shelves: &ReadAhead) {
        self.read_all(shelves);
        if self.stop.load(Ordering::Relaxed) {
            shelves.abandon();
        }
    }

    fn read_all(&self, shelves: &ReadAhead) {
        let stopped = || self.stop.load(Ordering::Relaxed) || shelves.closed.load(Ordering::Relaxed);
        while !stopped() {
            let index = shelves.next.fetch_add(1, Ordering::Relaxed);
            let (Some(file), Some((sender, _))) = (self.files.get(index), shelves.pieces.get(index)) else {
                return;
            };
            let Some(sender) = sender.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
            let mut whole = true;
            let mut sink = |lines| {
                whole = !stopped() && sender.send(Read::Lines(lines)).is_ok();
                whole
            };
            let read =
                tallow_files::read(file, self.checksums, PIECE_BYTES, self.progress.clone(), &mut sink);
            // Nobody waits for it where the feed has ended before.
            let _ = match read {
                Ok(()) if whole => sender.send(Read::End),
                Ok(()) => return,
                Err(error) => sender.send(Read::Failed(error)),
            };
        }
    }

    /// Puts the batches of all files into one order. False: it ended before the last file did, since it was stopped, or the
    /// stages behind have.
    pub fn run(
        &self,
        shelves: &ReadAhead,
        beginnings: &mut dyn Beginnings,
        budget: &Arc<ByteBudget>,
        work: &Sender<ParseJob>,
        order: &Sender<Turn>,
    ) -> Result<bool, BatchError> {
        let files = self.files.iter().zip(&shelves.pieces).enumerate().skip(self.from.file);
        for (file, (File { name, .. }, (_, pieces))) in files {
            let mut line = 1;
            let mut unwanted = if file == self.from.file { self.from.lines } else { 0 };
            let (mut begins, mut options, mut headers) = (None, Arc::default(), HeaderLines::default());
            loop {
                let mut lines = match pieces.recv() {
                    Ok(Read::Lines(lines)) => lines,
                    Ok(Read::End) => break,
                    Ok(Read::Failed(error)) => return Err(error.into()),
                    Err(_) => return Ok(false),
                };
                let is_first = lines.first_line.is_some();
                if is_first {
                    let reading = beginnings.of(name, &lines)?;
                    options = reading.options.clone();
                    (begins, headers) = (Some((reading, unwanted == 0)), HeaderLines::default());
                }
                // What headers among them say holds for the pieces after them; within one the function sees to it itself.
                if let Some(before) = headers.before(&lines) {
                    options = beginnings.after(name, options, before)?;
                }
                let under = options.clone();
                if let Some(among) = headers.among(&lines, usize::from(is_first)) {
                    options = beginnings.after(name, options, among)?;
                }
                if unwanted > 0 {
                    let count = unwanted.min(lines.ends.len() as u64);
                    (unwanted, line) = (unwanted - count, line + count as i64);
                    lines.drop_first(count as usize);
                    if lines.ends.is_empty() {
                        continue;
                    }
                }
                let batch = batch(name, lines, line, self.clock_us);
                line += batch.len() as i64;
                let Some(permit) = budget.acquire(batch.size_bytes()) else { return Ok(false) };
                let (reply, worked) = bounded(1);
                let turn = Turn { file, begins: begins.take(), worked };
                let sent = order.send(turn).is_ok()
                    && work
                        .send(ParseJob { batch, permit, reply, options: Some(under), function: None })
                        .is_ok();
                if !sent || self.stop.load(Ordering::Relaxed) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use tallow_engine::ParseOptions;

    use super::*;

    struct Plainly;

    impl Beginnings for Plainly {
        fn of(&mut self, _: &str, _: &Lines) -> Result<Reading, BatchError> {
            Ok(Reading { options: Arc::default(), interval_us: 1, remarks: Vec::new() })
        }

        fn after(
            &mut self,
            _: &str,
            before: Arc<ParseOptions>,
            _: Lines,
        ) -> Result<Arc<ParseOptions>, BatchError> {
            Ok(before)
        }
    }

    #[test]
    fn after_a_stopped_reader_nothing_of_the_next_file_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.csv", "b.csv"] {
            std::fs::write(folder.path().join(name), "1\n").unwrap();
        }
        let files = tallow_files::expand(&["*.csv".to_owned()], folder.path(), &Default::default()).unwrap();
        let lines = || Lines { bytes: b"1\n".to_vec(), ends: vec![2], first_line: None };
        for ended in [false, true] {
            let shelves = ReadAhead::new(2, 0);
            let sender = |index: usize| shelves.pieces[index].0.lock().unwrap().take().unwrap();
            let (first, second) = (sender(0), sender(1));
            first.send(Read::Lines(lines())).unwrap();
            second.send(Read::Lines(lines())).unwrap();
            second.send(Read::End).unwrap();
            if ended {
                first.send(Read::End).unwrap();
            }
            drop(first);
            let stop = AtomicBool::new(false);
            let feed = Feed {
                files: &files,
                checksums: Checksums::Present,
                from: Position::default(),
                clock_us: 0,
                progress: Arc::default(),
                stop: &stop,
            };
            let (work, _works) = bounded(9);
            let (order, orders) = bounded(9);
            let mut reading = Plainly;
            let whole = feed.run(&shelves, &mut reading, &ByteBudget::new(1 << 20), &work, &order).unwrap();
            drop(order);
            let sent: Vec<usize> = orders.iter().map(|turn: Turn| turn.file).collect();
            assert_eq!((whole, sent), if ended { (true, vec![0, 1]) } else { (false, vec![0]) });
        }
    }

    #[test]
    fn a_line_is_placed_by_file_and_number() {
        let lines = Lines { bytes: b"a\nbc\n".to_vec(), ends: vec![2, 5], first_line: None };
        let batch = batch("x.csv", lines, 7, 0);
        assert_eq!(batch.place(1).to_string(), "x.csv/0/8");
        assert_eq!(batch.values.get(1), Some(&b"bc\n"[..]));
        assert_eq!(batch.select([1]).keys.get(0), None);
    }
}
