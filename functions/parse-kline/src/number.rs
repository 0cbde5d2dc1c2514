//! Numbers as files write them: `+1.5`, `.5`, `5.`, `1'234.5`, `42,950.0`, `$3`, `29.5K`.

use parse_base::decimal::Number;

/// Longest number that is not plain.
const MOST_BYTES: usize = 64;
/// Digits of a number that a spreadsheet has shortened, at most: `1.62164E+12`.
const SHORTENED_DIGITS: usize = 7;

/// Room for a number that has to be rewritten before it is read.
pub struct Rewritten([u8; MOST_BYTES]);

impl Default for Rewritten {
    fn default() -> Self {
        Self([0; MOST_BYTES])
    }
}

/// Reads a number in any of the forms above. `None` for any other text.
pub fn read<'a>(cell: &'a [u8], room: &'a mut Rewritten) -> Option<Number<'a>> {
    match Number::read(cell) {
        Some(number) => Some(number),
        None => {
            let length = rewrite(cell, &mut room.0)?;
            Number::read(&room.0[..length])
        }
    }
}

/// The double nearest to a number; `None` for any other text, `NaN` and `inf` too.
pub fn value(cell: &[u8]) -> Option<f64> {
    let plain = cell.first().is_some_and(|first| b"0123456789-.".contains(first));
    let parsed = std::str::from_utf8(cell).ok().filter(|_| plain).and_then(|text| text.parse().ok());
    parsed.or_else(|| {
        let mut room = Rewritten::default();
        let length = rewrite(cell, &mut room.0)?;
        std::str::from_utf8(&room.0[..length]).ok()?.parse().ok()
    })
}

/// Writes a number plainly; its length.
fn rewrite(cell: &[u8], room: &mut [u8; MOST_BYTES]) -> Option<usize> {
    let (sign, rest) = match cell {
        [b'-', rest @ ..] => (&b"-"[..], rest),
        [b'+', rest @ ..] => (&b""[..], rest),
        rest => (&b""[..], rest),
    };
    let rest = rest.strip_prefix(b"$").unwrap_or(rest);
    let (rest, exponent) = match rest {
        [rest @ .., b'K' | b'k'] => (rest, &b"e3"[..]),
        [rest @ .., b'M'] => (rest, &b"e6"[..]),
        [rest @ .., b'B'] => (rest, &b"e9"[..]),
        [rest @ .., b'T'] => (rest, &b"e12"[..]),
        rest => (rest, &b""[..]),
    };
    let places = |byte: &u8| !byte.is_ascii_digit() && !b",'".contains(byte);
    let (integer, rest) = rest.split_at(rest.iter().position(places).unwrap_or(rest.len()));
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest.split_at(digits)
        }
        rest => (&rest[..0], rest),
    };
    let no_digit = integer.is_empty() && fraction.is_empty();
    if no_digit || !is_grouped(integer) || rest.first() == Some(&b'.') {
        return None;
    }
    let mut writer = Writer { room, length: 0 };
    writer.put(sign)?;
    writer.put(if integer.is_empty() { b"0" } else { b"" })?;
    integer.split(|byte| b",'".contains(byte)).try_for_each(|group| writer.put(group))?;
    if !fraction.is_empty() {
        writer.put(b".")?;
        writer.put(fraction)?;
    }
    // What is left is an exponent, or no part of a number.
    writer.put(rest)?;
    writer.put(exponent)?;
    Some(writer.length)
}

/// Whether thousands are separated as they should be, if at all: by one kind of mark, three digits after each, and no
/// leading zero, so that no decimal comma is taken for one.
fn is_grouped(integer: &[u8]) -> bool {
    let Some(mark) = integer.iter().find(|byte| !byte.is_ascii_digit()) else { return true };
    let mut groups = integer.split(|byte| byte == mark);
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len())
        && first[0] != b'0'
        && first.iter().all(u8::is_ascii_digit)
        && groups.all(|group| group.len() == 3 && group.iter().all(u8::is_ascii_digit))
}

struct Writer<'r> {
    room: &'r mut [u8; MOST_BYTES],
    length: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.length + bytes.len();
        self.room.get_mut(self.length..end)?.copy_from_slice(bytes);
        self.length = end;
        Some(())
    }
}

/// Whether a time has lost its last digits in a spreadsheet: an exponent, few digits, and the last of them stands for more
/// than a unit.
pub fn is_shortened(cell: &[u8], number: &Number<'_>) -> bool {
    let exponent = cell.windows(2).any(|pair| pair.eq_ignore_ascii_case(b"e+"));
    exponent && number.digits() <= SHORTENED_DIGITS && number.last_place() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_scale_8(cell: &str) -> Option<i128> {
        let mut room = Rewritten::default();
        read(cell.as_bytes(), &mut room).map(|number| number.at_scale(8).unwrap().mantissa)
    }

    #[test]
    fn numbers_are_read_however_files_write_them() {
        for (cell, mantissa) in [
            (".00012", 12_000),
            ("5.", 500_000_000),
            ("+1.5", 150_000_000),
            ("-.5", -50_000_000),
            ("1.2E+03", 120_000_000_000),
            (".5e1", 500_000_000),
            ("1'234.5", 123_450_000_000),
            ("42,950.0", 4_295_000_000_000),
            ("1,234,567", 123_456_700_000_000),
            ("$1,234.50", 123_450_000_000),
            ("29.5K", 2_950_000_000_000),
            ("1.25M", 125_000_000_000_000),
            ("2B", 200_000_000_000_000_000),
        ] {
            assert_eq!(at_scale_8(cell), Some(mantissa), "{cell}");
        }
    }

    #[test]
    fn a_decimal_comma_is_no_separator_of_thousands() {
        for cell in [
            "0,123",
            "1,5",
            "12,34",
            "1,2345",
            "1.234,5",
            "1,234'567",
            ",123",
            "1,,234",
            "1 234",
            "K",
            ".",
            "+",
            "-$",
            "1..5",
            "1K5",
        ] {
            assert_eq!(at_scale_8(cell), None, "{cell}");
        }
    }

    #[test]
    fn only_times_that_a_spreadsheet_has_shortened_are_so() {
        for (cell, shortened) in [
            ("1.62164E+12", true),
            ("1.6216E+12", true),
            ("1.621642e+12", true),
            ("1.6216416E12", false),
            ("1.621641600000e+12", false),
            ("1621641600000", false),
        ] {
            let number = Number::read(cell.as_bytes()).unwrap();
            assert_eq!(is_shortened(cell.as_bytes(), &number), shortened, "{cell}");
        }
    }
}
