//! Numbers and texts of the state as bytes: variable-length integers, least significant first. Reading
//! never panics, whatever the bytes are.

use tallow_contract::{Refusal, refuse};

#[derive(Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn unsigned(&mut self, value: u64) {
        self.wide_unsigned(u128::from(value));
    }

    pub fn signed(&mut self, value: i64) {
        self.wide(i128::from(value));
    }

    /// A signed number of up to 128 bits, small ones short on both sides of zero.
    pub fn wide(&mut self, value: i128) {
        self.wide_unsigned(((value << 1) ^ (value >> 127)) as u128);
    }

    pub fn wide_unsigned(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub fn flag(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    pub fn text(&mut self, text: &[u8]) {
        self.unsigned(text.len() as u64);
        self.fixed(text);
    }

    pub fn option(&mut self, value: Option<i64>) {
        self.flag(value.is_some());
        if let Some(value) = value {
            self.signed(value);
        }
    }
}

/// Reads what [`Writer`] wrote. Errors say what is wrong with the bytes.
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { left: bytes }
    }

    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    pub fn fixed(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let Some((bytes, left)) = self.left.split_at_checked(length) else {
            refuse!("it ends too early");
        };
        self.left = left;
        Ok(bytes)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        self.fixed(N).map(|bytes| std::array::from_fn(|at| bytes[at]))
    }

    pub fn unsigned(&mut self) -> Result<u64, Refusal> {
        u64::try_from(self.wide_unsigned()?).map_err(|_| "a number is too large".into())
    }

    pub fn signed(&mut self) -> Result<i64, Refusal> {
        i64::try_from(self.wide()?).map_err(|_| "a number is too large".into())
    }

    pub fn wide(&mut self) -> Result<i128, Refusal> {
        let folded = self.wide_unsigned()?;
        Ok((folded >> 1) as i128 ^ -((folded & 1) as i128))
    }

    pub fn wide_unsigned(&mut self) -> Result<u128, Refusal> {
        let mut value = 0u128;
        for shift in (0..128).step_by(7) {
            let byte = self.fixed(1)?[0];
            let part = u128::from(byte & 0x7f);
            if part << shift >> shift != part {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                let minimal = byte != 0 || shift == 0;
                return if minimal { Ok(value) } else { refuse!("a number is longer than it needs") };
            }
        }
        refuse!("a number is too long")
    }

    pub fn flag(&mut self) -> Result<bool, Refusal> {
        match self.fixed(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            other => refuse!("a flag is {}", other[0]),
        }
    }

    pub fn text(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.unsigned()?;
        self.fixed(usize::try_from(length).unwrap_or(usize::MAX))
    }

    pub fn option(&mut self) -> Result<Option<i64>, Refusal> {
        if self.flag()? { self.signed().map(Some) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(wide: i128, unsigned: u64, signed: i64, text: Vec<u8>, option: Option<i64>) {
            let mut writer = Writer::default();
            writer.wide(wide);
            writer.unsigned(unsigned);
            writer.signed(signed);
            writer.text(&text);
            writer.option(option);
            let mut reader = Reader::new(&writer.bytes);
            prop_assert_eq!(reader.wide(), Ok(wide));
            prop_assert_eq!(reader.unsigned(), Ok(unsigned));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.text(), Ok(text.as_slice()));
            prop_assert_eq!(reader.option(), Ok(option));
            prop_assert!(reader.is_done());
        }

        #[test]
        fn reading_anything_does_not_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while !reader.is_done() && reader.wide().is_ok() && reader.text().is_ok() && reader.option().is_ok() {}
        }
    }

    #[test]
    fn the_ends_of_128_bits_are_read_back() {
        for value in [i128::MIN, i128::MAX, 0, -1, 1] {
            let mut writer = Writer::default();
            writer.wide(value);
            assert_eq!(Reader::new(&writer.bytes).wide(), Ok(value));
        }
    }
}
