//! What becomes of a value: how it is mostly written, straight into its column.

use parse_base::builder::{Builder, Data};
use parse_base::cursor::Cursor;
use parse_base::short_texts::{ShortTexts, is_plain};
use parse_base::swar::{leading_digits, plain_bytes};
use parse_base::time::MAX_US;

use crate::column::Type;
use crate::plan::Plan;
use crate::time::Form;

pub(crate) enum Take {
    /// An object that the schema reads values of.
    Object(usize),
    /// No column, or a text that is not wanted.
    Skip,
    /// Any value, by way of its text: what is not written in a common way, and columns that share a place.
    Any,
    /// The kind of the message.
    Kind,
    Text {
        into: usize,
        seen: Box<ShortTexts>,
    },
    Integer {
        into: Option<usize>,
    },
    /// A number of units of so many microseconds.
    Time {
        into: Option<usize>,
        unit_us: i64,
    },
    Decimal {
        into: Option<usize>,
        scale: u8,
    },
    Boolean {
        into: Option<usize>,
    },
}

/// Scale at which a decimal is checked whose column is not wanted.
const UNWANTED_SCALE: u8 = 8;

impl Take {
    /// What the cells of one place take.
    pub fn of(plan: &Plan, cells: &[usize]) -> Self {
        let [cell] = cells else { return Take::Any };
        let Some(index) = plan.cell_columns.get(*cell) else { return Take::Kind };
        let column = &plan.columns[*index];
        let into = column.wanted;
        match &column.type_ {
            Type::Text => into.map_or(Take::Skip, |into| Take::Text { into, seen: Box::default() }),
            Type::Int64 => Take::Integer { into },
            Type::Decimal => {
                let scale = into.map_or(UNWANTED_SCALE, |into| plan.wanted[into].scale);
                Take::Decimal { into, scale }
            }
            Type::Boolean => Take::Boolean { into },
            Type::Timestamp(Form::Unix { places: places @ ..=6 }) => {
                Take::Time { into, unit_us: 10i64.pow(6 - u32::from(*places)) }
            }
            Type::Float64 | Type::Timestamp(_) => Take::Any,
        }
    }

    /// Reads a value that is written in the common way. `None`: it may have been read in part, and no column has it.
    #[inline(always)]
    pub fn read(&mut self, cursor: &mut Cursor<'_>, columns: &mut [Builder]) -> Option<()> {
        match self {
            Take::Text { into, seen } => {
                let (words, length) = short_text(cursor)?;
                let Data::Text { dictionary, codes } = &mut columns.get_mut(*into)?.data else {
                    return None;
                };
                let look_up = |text: &[u8]| text.iter().all(is_plain).then(|| dictionary.code(text));
                codes.push(seen.code(words, length, look_up)?);
            }
            Take::Integer { into } => {
                let value = quoted(cursor, Cursor::integer)?;
                push(columns, *into, value)?;
            }
            Take::Time { into, unit_us } => {
                let time = quoted(cursor, Cursor::integer)?;
                // A division costs more than all else.
                let most = match *unit_us {
                    1 => MAX_US,
                    1_000 => MAX_US / 1_000,
                    _ => MAX_US / 1_000_000,
                };
                if time > most {
                    return None;
                }
                push(columns, *into, time * *unit_us)?;
            }
            Take::Decimal { into, scale } => {
                let mantissa = quoted(cursor, |cursor| {
                    if has_leading_zero(cursor.word()) { None } else { cursor.decimal(*scale) }
                })?;
                push(columns, *into, mantissa)?;
            }
            Take::Boolean { into } => {
                let value = cursor.boolean()?;
                if let Some(into) = *into {
                    let Data::Booleans(values) = &mut columns.get_mut(into)?.data else { return None };
                    values.push(value);
                }
            }
            Take::Skip => skip(cursor)?,
            Take::Any | Take::Kind | Take::Object(_) => return None,
        }
        Some(())
    }
}

/// Appends a number to its column, if that is wanted.
#[inline(always)]
fn push(columns: &mut [Builder], into: Option<usize>, value: i64) -> Option<()> {
    let Some(into) = into else { return Some(()) };
    match &mut columns.get_mut(into)?.data {
        Data::Integers(values) => values.push(value),
        Data::Decimals { low, high, .. } => {
            low.push(value);
            if !high.is_empty() {
                high.push(0);
            }
        }
        _ => return None,
    }
    Some(())
}

/// A string of up to 16 bytes.
#[inline(always)]
pub(crate) fn short_text(cursor: &mut Cursor<'_>) -> Option<([u64; 2], usize)> {
    if !cursor.accept_byte(b'"') {
        return None;
    }
    let text = cursor.short_text(b'"')?;
    cursor.skip(1);
    Some(text)
}

/// A number with or without quotes around it.
#[inline(always)]
fn quoted<'w, T>(cursor: &mut Cursor<'w>, read: impl FnOnce(&mut Cursor<'w>) -> Option<T>) -> Option<T> {
    let quoted = cursor.accept_byte(b'"');
    let value = read(cursor)?;
    let ends = if quoted { cursor.accept_byte(b'"') } else { number_ends(cursor) };
    ends.then_some(value)
}

/// Whether no more of a number comes.
#[inline(always)]
fn number_ends(cursor: &Cursor<'_>) -> bool {
    matches!(cursor.word() as u8, b',' | b'}' | ..=b' ')
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
fn skip(cursor: &mut Cursor<'_>) -> Option<()> {
    match cursor.word() as u8 {
        b'"' => {
            cursor.skip(1);
            for _ in 0..4 {
                let plain = plain_bytes(cursor.word());
                cursor.skip(plain);
                if plain < 8 {
                    return cursor.accept_byte(b'"').then_some(());
                }
            }
            None
        }
        b'1'..=b'9' => {
            digits(cursor)?;
            if cursor.accept_byte(b'.') {
                digits(cursor)?;
            }
            number_ends(cursor).then_some(())
        }
        b't' | b'f' => cursor.boolean().map(drop),
        _ => None,
    }
}
