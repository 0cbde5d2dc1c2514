//! ASCII by the word ("SIMD within a register"): eight bytes at once, the first in the lowest byte.

const POWERS_OF_10: [u64; 16] = {
    let mut powers = [1; 16];
    let mut index = 1;
    while index < 16 {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// 10 to a power of 0 to 15.
#[inline(always)]
pub fn power_of_10(exponent: u32) -> u64 {
    POWERS_OF_10[exponent as usize & 15]
}

/// Up to eight bytes of a text as a word, zeros after its end.
pub const fn first_bytes<const N: usize>(text: &[u8; N], from: usize) -> u64 {
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
pub fn low_bytes(count: u32) -> u64 {
    if count >= 8 { u64::MAX } else { (1 << (8 * count)) - 1 }
}

/// How many of the first bytes are digits, 0 to 8. A sum may carry into the byte after a non-digit; the first
/// non-digit itself is marked right.
#[inline(always)]
pub fn leading_digits(word: u64) -> u32 {
    let offset = word ^ 0x3030_3030_3030_3030;
    let marks = (offset.wrapping_add(0x7676_7676_7676_7676) | offset) & 0x8080_8080_8080_8080;
    marks.trailing_zeros() / 8
}

/// A mark (the highest bit) for each byte that is no digit, each of them right.
#[inline(always)]
pub fn non_digits(word: u64) -> u64 {
    let offset = word ^ 0x3030_3030_3030_3030;
    ((offset & 0x7f7f_7f7f_7f7f_7f7f).wrapping_add(0x7676_7676_7676_7676) | offset) & 0x8080_8080_8080_8080
}

/// A mark (the highest bit) for each byte that is `byte`, each of them right.
#[inline(always)]
pub fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let zeroed = word ^ (0x0101_0101_0101_0101 * byte as u64);
    !((zeroed & LOW).wrapping_add(LOW) | zeroed | LOW)
}

/// The marks as eight bits, the lowest for the first byte.
#[inline(always)]
pub fn gathered(marks: u64) -> u64 {
    (marks >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Index of the first byte that is `byte`, 8 if there is none.
#[inline(always)]
pub fn matching(word: u64, byte: u8) -> u32 {
    let zeroed = word ^ (0x0101_0101_0101_0101 * byte as u64);
    let marks = zeroed.wrapping_sub(0x0101_0101_0101_0101) & !zeroed & 0x8080_8080_8080_8080;
    marks.trailing_zeros() / 8
}

/// How many of the first bytes mean themselves in a JSON string, 0 to 8: no quote, backslash or control
/// character. As above, only the first mark is right, and it is all that counts.
#[inline(always)]
pub fn plain_bytes(word: u64) -> usize {
    let zero = |bytes: u64| bytes.wrapping_sub(0x0101_0101_0101_0101) & !bytes;
    let control = word.wrapping_sub(0x2020_2020_2020_2020) & !word;
    let quote = zero(word ^ 0x2222_2222_2222_2222);
    let backslash = zero(word ^ 0x5c5c_5c5c_5c5c_5c5c);
    let marks = (control | quote | backslash) & 0x8080_8080_8080_8080;
    marks.trailing_zeros() as usize / 8
}

/// Number that the first `count` digits write, 1 to 8.
#[inline(always)]
pub fn first_digits(word: u64, count: u32) -> u64 {
    eight_digits(word << (64 - 8 * count))
}

/// Number that eight digits write; zero bytes count as zeros. Neighbours are joined to pairs, pairs to fours,
/// fours to eight.
#[inline(always)]
pub fn eight_digits(word: u64) -> u64 {
    let digits = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

/// A text of 8 to 16 digits as a number; `None` for any other.
#[inline]
pub fn long_digits(text: &[u8]) -> Option<u64> {
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
pub fn long_decimal(text: &[u8]) -> Option<(u64, u8)> {
    let first = u64::from_le_bytes(*text.first_chunk()?);
    let last = u64::from_le_bytes(*text.last_chunk()?);
    let point = leading_digits(first);
    if !(1..8).contains(&point) || text[point as usize] != b'.' {
        return None;
    }
    let places = text.len() as u32 - point - 1;
    if !(1..=8).contains(&places) {
        return None;
    }
    let fraction = last >> (64 - 8 * places);
    if leading_digits(fraction) < places {
        return None;
    }
    let mantissa = first_digits(first, point) * power_of_10(places) + first_digits(fraction, places);
    Some((mantissa, places as u8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
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
    }

    #[test]
    fn every_byte_that_is_no_digit_is_marked() {
        for byte in 0..=255u8 {
            let word = u64::from_le_bytes([byte, b'1', byte, byte, b'9', b'0', byte, b'5']);
            let each = if byte.is_ascii_digit() { 0 } else { 0x0080_0000_8080_0080 };
            assert_eq!(non_digits(word), each, "{byte}");
        }
    }

    #[test]
    fn bytes_around_the_digits_are_no_digits() {
        for byte in 0..=255u8 {
            let word = u64::from_le_bytes([b'1', byte, b'2', b'3', b'4', b'5', b'6', b'7']);
            assert_eq!(leading_digits(word), if byte.is_ascii_digit() { 8 } else { 1 }, "{byte}");
        }
    }
}
