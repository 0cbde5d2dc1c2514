//! Reading ASCII a word at a time ("SIMD within a register"): keys are compared and digits converted eight
//! bytes at once. Everything here is safe Rust: a message lies in a window of fixed size, and the position is
//! masked into it, so that no load needs a bounds check.

/// Bytes of a [`Window`]: positions are masked to 256, and a load there takes eight.
pub(crate) const WINDOW_BYTES: usize = 264;
/// Longest message that a window takes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 240;

/// A message and whatever comes after it.
pub(crate) type Window = [u8; WINDOW_BYTES];

const POWERS_OF_10: [u64; 16] = {
    let mut powers = [1; 16];
    let mut index = 1;
    while index < 16 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

pub(crate) fn power_of_10(exponent: u32) -> u64 {
    POWERS_OF_10[exponent as usize & 15]
}

/// A reading position in a window. Positions only grow, so whoever ends where the message ends has read
/// nothing but the message; until then, nothing read is certain.
pub(crate) struct Cursor<'w> {
    window: &'w Window,
    at: usize,
}

impl<'w> Cursor<'w> {
    pub fn new(window: &'w Window) -> Self {
        Cursor { window, at: 0 }
    }

    /// Whether exactly the first `length` bytes have been read.
    pub fn is_at(&self, length: usize) -> bool {
        self.at == length
    }

    #[inline(always)]
    fn word_at(&self, at: usize) -> u64 {
        let at = at & 255;
        let mut word = [0; 8];
        word.copy_from_slice(&self.window[at..at + 8]);
        u64::from_le_bytes(word)
    }

    /// The next eight bytes, the first in the lowest byte.
    #[inline(always)]
    pub fn word(&self) -> u64 {
        self.word_at(self.at)
    }

    #[inline(always)]
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Whether `text` comes next.
    #[inline(always)]
    pub fn sees<const N: usize>(&self, text: &[u8; N]) -> bool {
        let mut different = 0;
        let mut done = 0;
        while done + 8 <= N {
            different |= self.word_at(self.at + done) ^ first_bytes(text, done);
            done += 8;
        }
        if done < N {
            different |=
                (self.word_at(self.at + done) ^ first_bytes(text, done)) & low_bytes((N - done) as u32);
        }
        different == 0
    }

    /// Reads `text`.
    #[inline(always)]
    pub fn expect<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        let seen = self.sees(text);
        self.at += N;
        seen.then_some(())
    }

    /// Reads `text` if it comes next.
    #[inline(always)]
    pub fn accept<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        let seen = self.sees(text);
        self.at += if seen { N } else { 0 };
        seen
    }

    /// Reads an integer as JSON writes it: no sign, no leading zero, up to 18 digits.
    #[inline(always)]
    pub fn integer(&mut self) -> Option<i64> {
        let word = self.word();
        let count = leading_digits(word);
        if count == 0 || (count > 1 && word as u8 == b'0') {
            return None;
        }
        self.at += count as usize;
        let mut value = first_digits(word, count);
        if count == 8 {
            let word = self.word();
            let more = leading_digits(word);
            if more > 0 {
                value = value * power_of_10(more) + first_digits(word, more);
                self.at += more as usize;
            }
            if more == 8 {
                let word = self.word();
                let most = leading_digits(word);
                if most > 2 {
                    return None;
                }
                if most > 0 {
                    value = value * power_of_10(most) + first_digits(word, most);
                    self.at += most as usize;
                }
            }
        }
        Some(value as i64)
    }

    /// Reads `digits [. digits]` with up to ten digits before the point and up to eight after it, as a mantissa
    /// of `scale` places; `None` also where places would be lost or the mantissa does not fit.
    #[inline(always)]
    pub fn decimal(&mut self, scale: u8) -> Option<i64> {
        let word = self.word();
        let count = leading_digits(word);
        if count == 0 {
            return None;
        }
        self.at += count as usize;
        let mut integer = first_digits(word, count);
        if count == 8 {
            let word = self.word();
            let more = leading_digits(word);
            if more > 2 {
                return None;
            }
            if more > 0 {
                integer = integer * power_of_10(more) + first_digits(word, more);
                self.at += more as usize;
            }
        }
        let mut fraction = 0;
        let word = self.word();
        if word as u8 == b'.' {
            let word = self.word_at(self.at + 1);
            let places = leading_digits(word);
            if places == 0 {
                return None;
            }
            fraction = eight_digits(word & low_bytes(places));
            self.at += 1 + places as usize;
        }
        // Ten digits before the point and eight after it stay below 10^18.
        if scale == 8 {
            return Some((integer * 100_000_000 + fraction) as i64);
        }
        rescale(integer, fraction, scale)
    }

    /// Reads `true` or `false`.
    #[inline(always)]
    pub fn boolean(&mut self) -> Option<bool> {
        if self.accept(b"true") {
            return Some(true);
        }
        self.expect(b"false").map(|()| false)
    }

    /// Reads up to the next quote: up to 16 bytes, as two words filled up with zeros, and their number.
    #[inline(always)]
    pub fn short_text(&mut self) -> Option<([u64; 2], usize)> {
        let first = self.word();
        let quote = matching(first, b'"');
        if quote < 8 {
            self.at += quote as usize;
            return Some(([first & low_bytes(quote), 0], quote as usize));
        }
        let second = self.word_at(self.at + 8);
        let quote = matching(second, b'"');
        if quote == 8 && self.word_at(self.at + 16) as u8 != b'"' {
            return None;
        }
        self.at += 8 + quote as usize;
        Some(([first, second & low_bytes(quote)], 8 + quote as usize))
    }
}

/// A text of 8 to 16 digits as a number; `None` for any other.
#[inline]
pub(crate) fn long_digits(text: &[u8]) -> Option<u64> {
    let first = u64::from_le_bytes(*text.first_chunk()?);
    let rest = text.len() as u32 - 8;
    let last = u64::from_le_bytes(*text.last_chunk()?);
    if rest > 8 || leading_digits(first) < 8 || leading_digits(last) < 8 {
        return None;
    }
    let tail = last & !low_bytes(8 - rest);
    Some(eight_digits(first) * power_of_10(rest) + eight_digits(tail))
}

/// A text of at least 8 bytes, `digits . digits` with 1 to 7 digits before the point and 1 to 8 after it, as a
/// mantissa and its places; `None` for any other.
#[inline]
pub(crate) fn long_decimal(text: &[u8]) -> Option<(u64, u8)> {
    let first = u64::from_le_bytes(*text.first_chunk()?);
    let last = u64::from_le_bytes(*text.last_chunk()?);
    let point = leading_digits(first);
    let places = text.len() as u32 - point - 1;
    if !(1..8).contains(&point) || text[point as usize] != b'.' || !(1..=8).contains(&places) {
        return None;
    }
    let fraction = last >> (64 - 8 * places);
    if leading_digits(fraction) < places {
        return None;
    }
    let mantissa = first_digits(first, point) * power_of_10(places) + first_digits(fraction, places);
    Some((mantissa, places as u8))
}

/// `integer.fraction` (`fraction` of eight places) at any scale that keeps all of it.
#[cold]
fn rescale(integer: u64, fraction: u64, scale: u8) -> Option<i64> {
    if scale < 8 {
        let unit = power_of_10(8 - u32::from(scale));
        let kept = fraction.is_multiple_of(unit).then_some(fraction / unit)?;
        return Some((integer * power_of_10(u32::from(scale)) + kept) as i64);
    }
    let factor = 10i64.checked_pow(u32::from(scale) - 8)?;
    let at_8 = (integer * 100_000_000 + fraction) as i64;
    at_8.checked_mul(factor)
}

const fn first_bytes<const N: usize>(text: &[u8; N], from: usize) -> u64 {
    let mut word = 0;
    let mut index = from;
    while index < N && index < from + 8 {
        word |= (text[index] as u64) << (8 * (index - from));
        index += 1;
    }
    word
}

/// All bits of the first `count` bytes, 0 to 8.
#[inline(always)]
fn low_bytes(count: u32) -> u64 {
    if count >= 8 { u64::MAX } else { (1 << (8 * count)) - 1 }
}

/// How many of the first bytes are digits, 0 to 8. A sum may carry into the byte after a non-digit; the first
/// non-digit itself is marked right.
#[inline(always)]
pub(crate) fn leading_digits(word: u64) -> u32 {
    let offset = word ^ 0x3030_3030_3030_3030;
    let marks = (offset.wrapping_add(0x7676_7676_7676_7676) | offset) & 0x8080_8080_8080_8080;
    marks.trailing_zeros() / 8
}

/// Index of the first byte that is `byte`, 8 where there is none.
#[inline(always)]
fn matching(word: u64, byte: u8) -> u32 {
    let zeroed = word ^ (0x0101_0101_0101_0101 * byte as u64);
    let marks = zeroed.wrapping_sub(0x0101_0101_0101_0101) & !zeroed & 0x8080_8080_8080_8080;
    marks.trailing_zeros() / 8
}

/// How many of the first bytes stand for themselves in a JSON string, 0 to 8: no quote, backslash or control
/// character. As above, only the first mark is right, and it is all that counts.
#[inline(always)]
pub(crate) fn plain_bytes(word: u64) -> usize {
    let zero = |bytes: u64| bytes.wrapping_sub(0x0101_0101_0101_0101) & !bytes;
    let control = word.wrapping_sub(0x2020_2020_2020_2020) & !word;
    let quote = zero(word ^ 0x2222_2222_2222_2222);
    let backslash = zero(word ^ 0x5c5c_5c5c_5c5c_5c5c);
    let marks = (control | quote | backslash) & 0x8080_8080_8080_8080;
    marks.trailing_zeros() as usize / 8
}

/// Number that the first `count` digits write, 1 to 8.
#[inline(always)]
fn first_digits(word: u64, count: u32) -> u64 {
    eight_digits(word << (64 - 8 * count))
}

/// Number that eight digits write; zero bytes count as zeros. Neighbours are joined to pairs, pairs to fours,
/// fours to eight.
#[inline(always)]
fn eight_digits(word: u64) -> u64 {
    let digits = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(text: &str) -> Window {
        let mut window = [b'x'; WINDOW_BYTES];
        window[..text.len()].copy_from_slice(text.as_bytes());
        window
    }

    proptest! {
        #[test]
        fn integers_agree_with_the_standard_library(value in 0i64..10i64.pow(18), digits in 1u32..19) {
            let value = value % 10i64.pow(digits);
            let text = value.to_string();
            let window = window(&text);
            let mut cursor = Cursor::new(&window);
            prop_assert_eq!(cursor.integer(), Some(value));
            prop_assert!(cursor.is_at(text.len()));
        }

        #[test]
        fn decimals_agree_with_the_full_reader_or_are_left_to_it(integer in 0u64..10_000_000_000, fraction in 0u64..100_000_000, places in 0usize..9, scale in 0u8..12) {
            let text = match places {
                0 => integer.to_string(),
                _ => format!("{integer}.{:0places$}", fraction % 10u64.pow(places as u32)),
            };
            let exact = crate::decimal::Number::read(text.as_bytes()).unwrap().at_scale(scale);
            let window = window(&text);
            let mut cursor = Cursor::new(&window);
            match (cursor.decimal(scale), exact) {
                (Some(mantissa), Ok(exact)) => {
                    prop_assert_eq!((i128::from(mantissa), false), (exact.mantissa, exact.rounded));
                    prop_assert!(cursor.is_at(text.len()));
                }
                (Some(mantissa), Err(_)) => prop_assert!(false, "{} read as {}", text, mantissa),
                (None, exact) => prop_assert!(exact.is_err_and(|_| true) || exact.is_ok_and(|exact| exact.rounded || exact.mantissa > i128::from(i64::MAX))),
            }
        }

        #[test]
        fn long_digits_agree_with_the_standard_library(text in "[0-9]{0,18}[0-9.a]?[0-9]{0,8}") {
            if let Some(value) = long_digits(text.as_bytes()) {
                prop_assert_eq!(Ok(value), text.parse());
            } else {
                prop_assert!(!(8..=16).contains(&text.len()) || text.parse::<u64>().is_err());
            }
        }

        #[test]
        fn long_decimals_agree_with_the_standard_library(text in "[0-9]{0,8}[.0a]?[0-9]{0,9}[0-9.x]?") {
            let (integer, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let digits = format!("{integer}{fraction}");
            if let Some((mantissa, places)) = long_decimal(text.as_bytes()) {
                prop_assert_eq!((Ok(mantissa), usize::from(places)), (digits.parse(), fraction.len()));
            } else {
                let fits = (1..8).contains(&integer.len()) && (1..9).contains(&fraction.len()) && text.len() >= 8;
                prop_assert!(!fits || digits.bytes().any(|byte| !byte.is_ascii_digit()));
            }
        }

        #[test]
        fn text_ends_at_the_first_quote(text in "[ -!#-~é]{0,16}") {
            prop_assume!(text.len() <= 16);
            let window = window(&format!("{text}\"\""));
            let (words, length) = Cursor::new(&window).short_text().unwrap();
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).take(length).collect();
            prop_assert_eq!(bytes, text.as_bytes());
        }
    }

    #[test]
    fn bytes_around_the_digits_are_no_digits() {
        for byte in 0..=255u8 {
            let word = u64::from_le_bytes([b'1', byte, b'2', b'3', b'4', b'5', b'6', b'7']);
            assert_eq!(leading_digits(word), if byte.is_ascii_digit() { 8 } else { 1 }, "{byte}");
        }
    }

    #[test]
    fn a_leading_zero_or_a_nineteenth_digit_is_no_integer_here() {
        for text in ["01", "1234567890123456789", "-1", "", ".5"] {
            assert_eq!(Cursor::new(&window(text)).integer(), None, "{text}");
        }
        assert_eq!(Cursor::new(&window("0")).integer(), Some(0));
    }
}
