//! Trades and aggregate trades in the exchange's own key order, bare or in the combined-stream envelope. What
//! is read here is what `full` would read; at the first surprise the record is left to it.

use crate::cursor::Cursor;
use crate::options::Plan;
use crate::rows::{Rows, Trade};
use crate::schema::{ColumnId, Kind};
use crate::short_texts::{ShortTexts, bytes, is_plain};
use crate::time;
use crate::window::{MAX_MESSAGE_BYTES, Window};

fn is_symbol(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(is_plain)
}

/// Scale at which a decimal is read whose column is not wanted.
const UNWANTED_SCALE: u8 = 8;

/// What the templates know of a call.
pub(crate) struct Templates<'a> {
    plan: &'a Plan<'a>,
    price_scale: u8,
    quantity_scale: u8,
    symbols: ShortTexts,
}

impl<'a> Templates<'a> {
    pub fn new(plan: &'a Plan<'a>) -> Self {
        let scale = |column| plan.scale_of(column).unwrap_or(UNWANTED_SCALE);
        Templates {
            plan,
            price_scale: scale(ColumnId::Price),
            quantity_scale: scale(ColumnId::Quantity),
            symbols: ShortTexts::default(),
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
            self.symbols
                .code(words, symbol_length, |symbol| is_symbol(symbol).then(|| rows.symbol_code(symbol)))?
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
