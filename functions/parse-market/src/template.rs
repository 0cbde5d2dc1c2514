//! Trades and aggregate trades in the exchange's own key order, bare or in the combined-stream envelope. What
//! is read here is what `full` would read; at the first surprise the record is left to it.

use crate::rows::Rows;
use crate::schema::Kind;
use crate::swar::{Cursor, MAX_MESSAGE_BYTES, Window};
use crate::time;

/// A trade as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    pub kind: Kind,
    pub buyer_maker: bool,
    pub record: u32,
    pub symbol: u32,
    pub event_time_us: i64,
    pub id: i64,
    pub last_id: i64,
    /// Mantissas at the columns' scales.
    pub price: i64,
    pub quantity: i64,
}

/// Symbols of the call by their words, so that a symbol costs one probe; two that share a slot evict each other.
pub(crate) struct Symbols {
    slots: Box<[([u64; 2], u32); SYMBOL_SLOTS]>,
}

const SYMBOL_SLOTS: usize = 512;

impl Symbols {
    pub fn new() -> Self {
        Symbols { slots: Box::new([([0; 2], 0); SYMBOL_SLOTS]) }
    }

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
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&words[0].to_le_bytes());
    bytes[8..].copy_from_slice(&words[1].to_le_bytes());
    let symbol = bytes.get(..length).filter(|symbol| !symbol.is_empty())?;
    symbol.iter().all(is_plain).then(|| rows.symbol_code(symbol))
}

/// ASCII that stands for itself in a JSON string.
fn is_plain(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~' if !matches!(byte, b'"' | b'\\'))
}

/// Scales of the two decimals.
#[derive(Clone, Copy)]
pub(crate) struct Scales {
    pub price: u8,
    pub quantity: u8,
}

/// Reads the first `length` bytes of the window. `None`: left to the full parser.
#[inline]
pub(crate) fn read(
    window: &Window,
    length: usize,
    record: u32,
    scales: Scales,
    symbols: &mut Symbols,
    rows: &mut Rows,
) -> Option<Trade> {
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
    let (words, symbol_length) = cursor.short_text()?;
    let symbol = symbols.code(words, symbol_length, rows)?;
    let (id, last_id, price, quantity) = match kind {
        Kind::Trade => {
            cursor.expect(b"\",\"t\":")?;
            let id = cursor.integer()?;
            let (price, quantity) = price_and_quantity(&mut cursor, scales)?;
            // Order ids of both sides, in messages before 2023-12.
            if cursor.accept(b",\"b\":") {
                cursor.integer()?;
                cursor.expect(b",\"a\":")?;
                cursor.integer()?;
            }
            (id, id, price, quantity)
        }
        _ => {
            cursor.expect(b"\",\"a\":")?;
            cursor.integer()?;
            let (price, quantity) = price_and_quantity(&mut cursor, scales)?;
            cursor.expect(b",\"f\":")?;
            let id = cursor.integer()?;
            cursor.expect(b",\"l\":")?;
            (id, cursor.integer()?, price, quantity)
        }
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
    let sound = cursor.is_at(length) && price > 0 && id <= last_id;
    sound.then_some(Trade { kind, buyer_maker, record, symbol, event_time_us, id, last_id, price, quantity })
}

#[inline(always)]
fn price_and_quantity(cursor: &mut Cursor<'_>, scales: Scales) -> Option<(i64, i64)> {
    cursor.expect(b",\"p\":\"")?;
    let price = cursor.decimal(scales.price)?;
    cursor.expect(b"\",\"q\":\"")?;
    let quantity = cursor.decimal(scales.quantity)?;
    cursor.expect(b"\"")?;
    Some((price, quantity))
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
