//! Trades and aggregate trades in the exchange's own key order, bare or in the combined-stream envelope. What
//! is read here is what `full` would read; at the first surprise the record is left to it.

use crate::cursor::Cursor;
use crate::options::Plan;
use crate::rows::{Rows, Trade};
use crate::schema::{ColumnId, Kind};
use crate::time;
use crate::window::{MAX_MESSAGE_BYTES, Window};

/// Symbols of the call by their words, so that a symbol costs one probe; two that share a slot evict each other.
struct Symbols {
    slots: Box<[([u64; 2], u32); SYMBOL_SLOTS]>,
}

const SYMBOL_SLOTS: usize = 512;

impl Symbols {
    /// Code of a symbol. `None`: not plain text, or empty.
    #[inline(always)]
    fn code(&mut self, words: [u64; 2], length: usize, rows: &mut Rows) -> Option<u32> {
        let mixed = (words[0] ^ words[1].rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = &mut self.slots[(mixed >> 55) as usize & (SYMBOL_SLOTS - 1)];
        // No symbol has zero words (it would be empty or hold a NUL), so an unused slot matches none.
        if slot.0 == words && length > 0 {
            return Some(slot.1);
        }
        *slot = (words, first_sight(words, length, rows)?);
        Some(slot.1)
    }
}

#[cold]
fn first_sight(words: [u64; 2], length: usize, rows: &mut Rows) -> Option<u32> {
    let bytes = bytes(words);
    let symbol = &bytes[..length];
    is_symbol(symbol).then(|| rows.symbol_code(symbol))
}

fn bytes(words: [u64; 2]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&words[0].to_le_bytes());
    bytes[8..].copy_from_slice(&words[1].to_le_bytes());
    bytes
}

fn is_symbol(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(is_plain)
}

/// ASCII that means itself in a JSON string.
fn is_plain(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~' if !matches!(byte, b'"' | b'\\'))
}

/// Scale at which a decimal is read whose column is not wanted.
const UNWANTED_SCALE: u8 = 8;

/// What the templates know of a call.
pub(crate) struct Templates<'a> {
    plan: &'a Plan<'a>,
    price_scale: u8,
    quantity_scale: u8,
    symbols: Symbols,
}

impl<'a> Templates<'a> {
    pub fn new(plan: &'a Plan<'a>) -> Self {
        let scale = |column| plan.scale_of(column).unwrap_or(UNWANTED_SCALE);
        Templates {
            plan,
            price_scale: scale(ColumnId::Price),
            quantity_scale: scale(ColumnId::Quantity),
            symbols: Symbols { slots: Box::new([([0; 2], 0); SYMBOL_SLOTS]) },
        }
    }

    /// Reads the first `length` bytes of the window. `None`: left to the full parser.
    #[inline]
    pub fn read(&mut self, window: &Window, length: usize, record: u32, rows: &mut Rows) -> Option<Trade> {
        if length > MAX_MESSAGE_BYTES {
            return None;
        }
        let mut cursor = Cursor::new(window);
        let enveloped = cursor.accept(b"{\"stream\":\"");
        if enveloped {
            stream_name(&mut cursor)?;
            cursor.expect(b"\",\"data\":")?;
        }
        let kind = if cursor.accept(b"{\"e\":\"trade\",\"E\":") {
            Kind::Trade
        } else {
            cursor.expect(b"{\"e\":\"aggTrade\",\"E\":")?;
            Kind::AggTrade
        };
        cursor.integer()?;
        cursor.expect(b",\"s\":\"")?;
        let (words, symbol_length) = cursor.short_text(b'"')?;
        let ((id, last_id), price, quantity) = match kind {
            Kind::Trade => self.trade(&mut cursor)?,
            _ => self.aggregate(&mut cursor)?,
        };
        cursor.expect(b",\"T\":")?;
        let event_time_us = time::from_exchange(cursor.integer()?).ok()?;
        cursor.expect(b",\"m\":")?;
        let buyer_maker = cursor.boolean()?;
        if cursor.accept(b",\"M\":") {
            cursor.boolean()?;
        }
        cursor.expect(b"}")?;
        if enveloped {
            cursor.expect(b"}")?;
        }
        if !cursor.is_at(length) || price == 0 || id > last_id {
            return None;
        }
        // Last, so that only symbols of rows go into the dictionary.
        let symbol = if self.plan.wants(kind) {
            self.symbols.code(words, symbol_length, rows)?
        } else {
            is_symbol(&bytes(words)[..symbol_length]).then_some(0)?
        };
        Some(Trade { kind, buyer_maker, record, symbol, event_time_us, id, last_id, price, quantity })
    }

    /// What a trade has between symbol and time: id, price, quantity.
    #[inline(always)]
    fn trade(&self, cursor: &mut Cursor<'_>) -> Option<((i64, i64), i64, i64)> {
        cursor.expect(b"\",\"t\":")?;
        let id = cursor.integer()?;
        let (price, quantity) = self.price_and_quantity(cursor)?;
        // Order ids of both sides, in older messages.
        if cursor.accept(b",\"b\":") {
            cursor.integer()?;
            cursor.expect(b",\"a\":")?;
            cursor.integer()?;
        }
        Some(((id, id), price, quantity))
    }

    /// What an aggregate trade has there: its own id, price, quantity, the ids of its trades.
    #[inline(always)]
    fn aggregate(&self, cursor: &mut Cursor<'_>) -> Option<((i64, i64), i64, i64)> {
        cursor.expect(b"\",\"a\":")?;
        cursor.integer()?;
        let (price, quantity) = self.price_and_quantity(cursor)?;
        cursor.expect(b",\"f\":")?;
        let first = cursor.integer()?;
        cursor.expect(b",\"l\":")?;
        let last = cursor.integer()?;
        Some(((first, last), price, quantity))
    }

    #[inline(always)]
    fn price_and_quantity(&self, cursor: &mut Cursor<'_>) -> Option<(i64, i64)> {
        cursor.expect(b",\"p\":\"")?;
        let price = cursor.decimal(self.price_scale)?;
        cursor.expect(b"\",\"q\":\"")?;
        let quantity = cursor.decimal(self.quantity_scale)?;
        cursor.expect(b"\"")?;
        Some((price, quantity))
    }
}

/// Reads a stream's name (`btcusdt@trade`), up to the quote.
#[inline(always)]
fn stream_name(cursor: &mut Cursor<'_>) -> Option<()> {
    for _ in 0..8 {
        let word = cursor.word().to_le_bytes();
        match word.iter().position(|byte| !is_plain(byte)) {
            None => cursor.skip(8),
            Some(end) => {
                cursor.skip(end);
                return (word[end] == b'"').then_some(());
            }
        }
    }
    None
}
