//! Lines on a terminal, rewritten in place.

use std::io::{self, BufWriter, IsTerminal, Write};

use crossterm::cursor::{Hide, MoveToColumn, MoveUp, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use unicode_width::UnicodeWidthStr;

use super::style::Palette;

/// What standard output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A terminal that can move its cursor.
    Terminal(Palette),
    /// A file, a pipe, or a terminal that cannot.
    Lines,
}

impl Output {
    /// Looks at standard output, `TERM` and `NO_COLOR` (<https://no-color.org>).
    pub fn detect() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match io::stdout().is_terminal() && !dumb {
            true if is_set("NO_COLOR") => Self::Terminal(Palette::Plain),
            true => Self::Terminal(Palette::Ansi),
            false => Self::Lines,
        }
    }
}

/// Keeps the newest lines at the end of what the terminal shows, without taking the whole of it: what was
/// there before stays, and the last lines stay after the end.
pub struct Screen<W: Write> {
    out: W,
    /// Columns of each line drawn last, to be drawn over.
    drawn: Vec<usize>,
}

/// Moves to the next line's start, and scrolls at the bottom. The terminal's driver does not know this code, unlike
/// `\r\n`, where it splits what is written: on Ctrl-C it drops what waits, and the other half of a drawing would follow.
const NEXT_LINE: &[u8] = b"\x1bE";

/// A drawing is written at once.
const BUFFER: usize = 64 << 10;

impl Screen<BufWriter<io::Stdout>> {
    pub fn stdout() -> Self {
        Self::new(BufWriter::with_capacity(BUFFER, io::stdout()))
    }
}

impl Screen<BufWriter<io::Stderr>> {
    pub fn stderr() -> Self {
        Self::new(BufWriter::with_capacity(BUFFER, io::stderr()))
    }
}

impl<W: Write> Screen<W> {
    /// Columns and lines to render for, now: one line of the terminal stays free for the cursor.
    pub fn size(&self) -> (usize, usize) {
        let (width, height) = crossterm::terminal::size().unwrap_or((80, 24));
        (width.into(), usize::from(height).saturating_sub(1))
    }

    pub fn new(out: W) -> Self {
        Self { out, drawn: Vec::new() }
    }

    /// Replaces the lines drawn last, on a terminal that is now `width` columns wide.
    pub fn draw(&mut self, lines: &[String], width: usize) -> io::Result<()> {
        queue!(self.out, BeginSynchronizedUpdate, Hide)?;
        self.rewind(width)?;
        for line in lines {
            queue!(self.out, Clear(ClearType::UntilNewLine))?;
            self.out.write_all(line.as_bytes())?;
            self.out.write_all(NEXT_LINE)?;
        }
        queue!(self.out, Clear(ClearType::FromCursorDown), Show, EndSynchronizedUpdate)?;
        self.drawn = lines.iter().map(|line| columns(line)).collect();
        self.out.flush()
    }

    /// Prints lines above the view, which is to be drawn again after them.
    pub fn say(&mut self, lines: &[String], width: usize) -> io::Result<()> {
        self.rewind(width)?;
        queue!(self.out, Clear(ClearType::FromCursorDown))?;
        for line in lines {
            self.out.write_all(line.as_bytes())?;
            self.out.write_all(NEXT_LINE)?;
        }
        self.drawn.clear();
        self.out.flush()
    }

    /// A terminal made narrower has folded the lines drawn before.
    fn rewind(&mut self, width: usize) -> io::Result<()> {
        let rows: usize = self.drawn.iter().map(|line| line.div_ceil(width.max(1)).max(1)).sum();
        queue!(self.out, MoveToColumn(0))?;
        match u16::try_from(rows) {
            Ok(0) | Err(_) => Ok(()),
            Ok(rows) => queue!(self.out, MoveUp(rows)),
        }
    }
}

/// Columns that a line takes, its colours aside.
fn columns(line: &str) -> usize {
    line.split('\x1b')
        .enumerate()
        .map(|(at, part)| if at == 0 { part.width() } else { after_code(part).width() })
        .sum()
}

/// What follows a colour code, which ends in `m`.
fn after_code(part: &str) -> &str {
    part.split_once('m').map_or(part, |(_, rest)| rest)
}
