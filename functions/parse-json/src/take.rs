//! What becomes of a value that is written in the common way.

use parse_base::builder::{Builder, Data};
use parse_base::cursor::Cursor;
use parse_base::short_texts::{ShortTexts, is_plain};
use parse_base::swar::{leading_digits, plain_bytes};
use parse_base::time::MAX_US;

use crate::column::Type;
use crate::plan::Plan;
use crate::time::Form;

#[derive(Clone, Copy)]
pub(crate) enum Take {
    /// An object that the schema reads values of.
    Object(usize),
    /// No column, or a text that is not wanted.
    Skip,
    /// Any value, by way of its text: what is not written in a common way, and columns that share a place.
    Any,
    /// The kind of the message.
    Kind,
    /// A text of up to 16 bytes, as its code in the column `into`.
    Text {
        into: usize,
    },
    Integer,
    /// A number of units of so many microseconds, up to `most`.
    Time {
        unit_us: i64,
        most: i64,
    },
    /// As a mantissa.
    Decimal {
        scale: u8,
    },
    Boolean,
}

/// Scale at which a decimal is checked whose column is not wanted.
const UNWANTED_SCALE: u8 = 8;

impl Take {
    /// What the cells of one place take.
    pub fn of(plan: &Plan, cells: &[usize]) -> Self {
        let [cell] = cells else { return Take::Any };
        let Some(index) = plan.cell_columns.get(*cell) else { return Take::Kind };
        let column = &plan.columns[*index];
        match &column.type_ {
            Type::Text => column.wanted.map_or(Take::Skip, |into| Take::Text { into }),
            Type::Int64 => Take::Integer,
            Type::Decimal => {
                Take::Decimal { scale: column.wanted.map_or(UNWANTED_SCALE, |into| plan.wanted[into].scale) }
            }
            Type::Boolean => Take::Boolean,
            Type::Timestamp(Form::Unix { places: places @ ..=6 }) => {
                let unit_us = 10i64.pow(6 - u32::from(*places));
                Take::Time { unit_us, most: MAX_US / unit_us }
            }
            Type::Float64 | Type::Timestamp(_) => Take::Any,
        }
    }

    /// Reads a value up to its closing quote, or to its end. `quoted`: an opening quote has been read. `None`: it is
    /// written otherwise.
    #[inline(always)]
    pub fn read(
        self,
        quoted: bool,
        cursor: &mut Cursor<'_>,
        texts: &mut ShortTexts,
        columns: &mut [Builder],
    ) -> Option<i64> {
        match self {
            Take::Text { into } if quoted => {
                let (words, length) = cursor.short_text(b'"')?;
                texts.code(words, length, |text| code(columns, into, text)).map(i64::from)
            }
            Take::Integer => cursor.integer(),
            Take::Time { unit_us, most } => {
                let time = cursor.integer()?;
                (time <= most).then_some(time.wrapping_mul(unit_us))
            }
            Take::Decimal { scale } => {
                if has_leading_zero(cursor.word()) {
                    None
                } else {
                    cursor.decimal(scale)
                }
            }
            Take::Boolean if !quoted => cursor.boolean().map(i64::from),
            Take::Skip => skip(quoted, cursor).map(|()| 0),
            _ => None,
        }
    }
}

/// The code of a text in a column.
#[cold]
fn code(columns: &mut [Builder], into: usize, text: &[u8]) -> Option<u32> {
    let Data::Text { dictionary, .. } = &mut columns.get_mut(into)?.data else { return None };
    text.iter().all(is_plain).then(|| dictionary.code(text))
}

/// Appends a value that was read to its column.
#[inline(always)]
pub(crate) fn push(column: &mut Builder, value: i64) {
    match &mut column.data {
        Data::Integers(values) => values.push(value),
        Data::Decimals { low, high, .. } => {
            low.push(value);
            if !high.is_empty() {
                high.push(0);
            }
        }
        Data::Booleans(values) => values.push(value != 0),
        Data::Text { codes, .. } => codes.push(value as u32),
        // Read by way of their text.
        Data::Floats(_) => {}
    }
}

/// Whether no more of a number comes.
#[inline(always)]
pub(crate) fn number_ends(cursor: &Cursor<'_>) -> bool {
    let byte = cursor.byte();
    (byte == b',') | (byte == b'}') | (byte <= b' ')
}

/// Whether a number begins with a zero and another digit.
#[inline(always)]
fn has_leading_zero(word: u64) -> bool {
    word as u8 == b'0' && ((word >> 8) as u8).is_ascii_digit()
}

/// Skips 1 to 16 digits.
#[inline(always)]
fn digits(cursor: &mut Cursor<'_>) -> Option<()> {
    let mut digits = leading_digits(cursor.word());
    cursor.skip(digits as usize);
    if digits == 8 {
        digits += leading_digits(cursor.word());
        cursor.skip(digits as usize - 8);
    }
    (digits > 0).then_some(())
}

/// Skips a value that is not an object or array, nor long.
#[inline(always)]
pub(crate) fn skip(quoted: bool, cursor: &mut Cursor<'_>) -> Option<()> {
    if quoted {
        for _ in 0..4 {
            let plain = plain_bytes(cursor.word());
            cursor.skip(plain);
            if plain < 8 {
                return Some(());
            }
        }
        return None;
    }
    match cursor.byte() {
        b'1'..=b'9' => {
            digits(cursor)?;
            if cursor.accept_byte(b'.') { digits(cursor) } else { Some(()) }
        }
        b't' | b'f' => cursor.boolean().map(drop),
        _ => None,
    }
}
