//! Plain lines: unsigned numbers with up to eight places, nothing quoted, nothing empty. What is read here is
//! what `full` would read; at the first surprise the line is left to it.

mod time;

use parse_base::cursor::{Cursor, short_decimal};
use parse_base::interval::{Interval, SHORTEST_MONTH_US};
use parse_base::time::from_unix_integer;
use parse_base::window::{MAX_MESSAGE_BYTES, Window, places_of};
use time::{RecentTime, whole_time};

use crate::block::{BLOCK, Block};
use crate::cells::without_end;
use crate::layout::Layout;
use crate::names::Field;
use crate::options::Plan;
use crate::rows::Rows;
use crate::schema::{COLUMNS, ColumnId};
use crate::shapes::Shapes;

/// Reads the plain lines of a call.
pub struct Template<'p> {
    layout: Layout,
    delimiter: u8,
    scales: [u8; 8],
    /// Code of the setting `symbol`, once it has been asked for.
    symbol: Option<(&'p str, Option<u32>)>,
    /// Symbol of the line before, as words, and its code.
    recent: ([u64; 2], u32),
    /// Interval of the lines: as asked for, or that of the last line that was read with care.
    pub interval: Option<Interval>,
    length_us: i64,
    has_close_time: bool,
    /// Whether lines hold a time and decimals of eight places alone.
    side_by_side: bool,
    shapes: Shapes,
    recent_time: RecentTime,
    block: Box<Block>,
}

impl<'p> Template<'p> {
    /// `None` if no line of such columns is plain.
    pub fn new(plan: &'p Plan<'_>, layout: &Layout) -> Option<Self> {
        let in_two = layout.has(Field::Day) || layout.has(Field::TimeOfDay);
        let symbol_column = layout.has(Field::Cell(ColumnId::Symbol)) && plan.symbol.is_none();
        let one_scale = plan.scales[..4].iter().all(|scale| *scale == plan.scales[0]);
        if in_two
            || plan.id_unit_us.is_some()
            || layout.has(Field::Cell(ColumnId::Interval))
            || !one_scale
            || plan.symbol.is_none() && !symbol_column
        {
            return None;
        }
        let mut present = [false; COLUMNS.len()];
        for field in &layout.fields {
            if let Field::Cell(column) = field {
                present[*column as usize] = true;
            }
        }
        let delimiter = plan.separator();
        Some(Template {
            layout: layout.clone(),
            delimiter,
            scales: plan.scales,
            symbol: plan.symbol.map(|symbol| (symbol, None)),
            recent: ([0; 2], 0),
            interval: plan.interval,
            length_us: 0,
            has_close_time: layout.has(Field::CloseTime),
            side_by_side: layout.fields.iter().all(|field| match field {
                Field::Time => true,
                Field::Cell(column) => {
                    ColumnId::DECIMALS.contains(column) && plan.scales[column.decimal()] == 8
                }
                _ => false,
            }),
            shapes: Shapes::new(
                delimiter,
                layout.fields.iter().position(|field| *field == Field::Time).unwrap_or_default(),
            ),
            recent_time: RecentTime::NONE,
            block: Box::new(Block::new(present)),
        })
    }

    /// Whether the line could be read; it is at the window's start.
    #[inline]
    pub fn read(&mut self, window: &Window, line: &[u8], record: u32, rows: &mut Rows) -> bool {
        let length = without_end(line).len();
        if length > MAX_MESSAGE_BYTES {
            return false;
        }
        if self.block.length == BLOCK {
            self.flush(rows);
        }
        if self.block.length == 0 && !self.begin() {
            return false;
        }
        let read = match self.side_by_side && length <= 64 {
            true => self.short_line(window, length, record, rows),
            false => self.kline(window, length, record, rows),
        };
        read.is_some()
    }

    /// Begins a block; false if lines cannot be plain now.
    fn begin(&mut self) -> bool {
        self.block.interval = self.interval;
        self.length_us = match self.interval {
            Some(Interval::Fixed(length_us)) if length_us < SHORTEST_MONTH_US => length_us,
            // What may be a calendar month is for the careful way, as is the first line with a close time.
            Some(_) => return false,
            None => 0,
        };
        self.length_us != 0 || !self.has_close_time
    }

    #[inline(always)]
    fn kline(&mut self, window: &Window, length: usize, record: u32, rows: &mut Rows) -> Option<()> {
        let mut cursor = Cursor::new(window);
        let at = self.block.length & (BLOCK - 1);
        let last = self.layout.fields.len() - 1;
        let (mut time_us, mut close_us, mut close_in_ms, mut words) = (0, 0, false, ([0; 2], 0));
        for (index, field) in self.layout.fields.iter().enumerate() {
            match *field {
                Field::Time => time_us = whole_time(&mut cursor)?.0,
                Field::CloseTime => (close_us, close_in_ms) = whole_time(&mut cursor)?,
                Field::Day | Field::TimeOfDay => return None,
                Field::Skipped if index == last => self.skip_rest(&mut cursor, &window[..length])?,
                Field::Skipped => cursor.skip_to(self.delimiter)?,
                Field::Cell(ColumnId::Symbol) => {
                    words = cursor.short_text(if index == last { b'\n' } else { self.delimiter })?;
                }
                Field::Cell(ColumnId::Trades) => self.block.trades[at] = cursor.integer()?,
                Field::Cell(column) => {
                    let slot = column.decimal() & 7;
                    self.block.decimals[slot][at] = cursor.decimal(self.scales[slot])?;
                }
            }
            if index < last && !cursor.accept_byte(self.delimiter) {
                return None;
            }
        }
        if !cursor.is_at(length) {
            return None;
        }
        if self.has_close_time {
            let unit_us = if close_in_ms { 1_000 } else { 1 };
            if close_us + unit_us != time_us + self.length_us {
                return None;
            }
        }
        self.accept(at, record, time_us, words, rows)
    }

    /// [`Template::kline`] of a line of up to 64 bytes that holds a time and decimals alone.
    #[inline(always)]
    fn short_line(&mut self, window: &Window, length: usize, record: u32, rows: &mut Rows) -> Option<()> {
        let at = self.block.length & (BLOCK - 1);
        let Some(numbers) = self.shapes.read(window, length) else {
            return self.strange_line(window, length, record, rows);
        };
        let mut time_us = 0;
        for (field, number) in self.layout.fields.iter().zip(numbers) {
            match *field {
                Field::Cell(column) => self.block.decimals[column.decimal() & 7][at] = number,
                _ => time_us = from_unix_integer(number).ok()?,
            }
        }
        self.accept(at, record, time_us, ([0; 2], 0), rows)
    }

    /// [`Template::short_line`] of one that looks like none before it.
    #[inline(never)]
    fn strange_line(&mut self, window: &Window, length: usize, record: u32, rows: &mut Rows) -> Option<()> {
        let at = self.block.length & (BLOCK - 1);
        let last = self.layout.fields.len() - 1;
        let delimiters = places_of(window, self.delimiter) & (u64::MAX >> (64 - length.max(1)));
        if delimiters.count_ones() as usize != last {
            return None;
        }
        let mut ends = delimiters;
        let (mut start, mut time_us) = (0, 0);
        for (index, field) in self.layout.fields.iter().enumerate() {
            let end = if index < last { ends.trailing_zeros() as usize } else { length };
            ends &= ends.wrapping_sub(1);
            match *field {
                Field::Cell(column) => {
                    let mantissa = match short_decimal(window, start, end) {
                        Some(mantissa) => mantissa,
                        None => {
                            let mut cursor = Cursor::starting_at(window, start);
                            let mantissa = cursor.decimal(8)?;
                            cursor.is_at(end).then_some(mantissa)?
                        }
                    };
                    self.block.decimals[column.decimal() & 7][at] = mantissa;
                }
                _ => time_us = self.recent_time.between(window, start, end)?,
            }
            start = end + 1;
        }
        self.shapes.see(window, length, delimiters);
        self.accept(at, record, time_us, ([0; 2], 0), rows)
    }

    /// Takes the line in whose decimals are at `at`.
    #[inline(always)]
    fn accept(
        &mut self,
        at: usize,
        record: u32,
        time_us: i64,
        words: ([u64; 2], usize),
        rows: &mut Rows,
    ) -> Option<()> {
        let [open, high, low, close, ..] = self.block.decimals.each_ref().map(|values| values[at]);
        if open == 0 || high == 0 || low == 0 || close == 0 {
            return None;
        }
        self.block.flagged[at] = i64::from(high < open.max(close).max(low) || low > open.min(close));
        self.block.times_us[at] = time_us;
        self.block.records[at] = record;
        self.block.ids[at] = self.number(at, time_us);
        self.block.symbols[at] = self.symbol_of(words, rows)?;
        self.block.length += 1;
        Some(())
    }

    /// Reads the rest of a line whose last field is of no interest.
    #[inline(always)]
    fn skip_rest(&self, cursor: &mut Cursor<'_>, line: &[u8]) -> Option<()> {
        let rest = line.get(cursor.position()..)?;
        cursor.skip(rest.len());
        (!rest.iter().any(|byte| [self.delimiter, b'"'].contains(byte))).then_some(())
    }

    /// Open time / interval. The line before is mostly the interval before, which saves a division.
    #[inline(always)]
    fn number(&self, at: usize, time_us: i64) -> i64 {
        if at > 0 && time_us == self.block.times_us[at - 1] + self.length_us {
            return self.block.ids[at - 1] + 1;
        }
        if self.length_us == 0 { 0 } else { time_us / self.length_us }
    }

    #[inline(always)]
    fn symbol_of(&mut self, (words, length): ([u64; 2], usize), rows: &mut Rows) -> Option<u32> {
        match &mut self.symbol {
            Some((_, Some(code))) => Some(*code),
            // No symbol has zero words, so that the first line's is looked up.
            None if self.recent.0 == words && length > 0 => Some(self.recent.1),
            Some((symbol, code)) => Some(*code.insert(rows.symbol_code(symbol.as_bytes()))),
            None => self.first_sight(words, length, rows),
        }
    }

    /// Letters and digits are plain; other symbols are for the careful way.
    #[cold]
    fn first_sight(&mut self, words: [u64; 2], length: usize, rows: &mut Rows) -> Option<u32> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&words[0].to_le_bytes());
        bytes[8..].copy_from_slice(&words[1].to_le_bytes());
        let symbol = &bytes[..length];
        if length == 0 || !symbol.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        self.recent = (words, rows.symbol_code(symbol));
        Some(self.recent.1)
    }

    /// Hands the klines so far on.
    pub fn flush(&mut self, rows: &mut Rows) {
        if self.block.length > 0 {
            rows.extend(&self.block);
            self.block.length = 0;
        }
    }
}
