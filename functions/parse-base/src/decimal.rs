//! Exact decimals: from text straight to a mantissa, never by way of a float.

pub use tallow_contract::number::{Number, Scaled, Unfit};

use crate::swar;

/// A decimal as market data nearly always writes it: `digits [. digits]`, above zero, in at most 18 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    mantissa: u64,
    places: u8,
}

impl Plain {
    /// `None` leaves the text to [`Number`].
    #[inline]
    pub fn read(text: &[u8]) -> Option<Self> {
        if let Some((mantissa @ 1.., places)) = swar::long_decimal(text) {
            return Some(Plain { mantissa, places });
        }
        if text.len() > 18 || text.ends_with(b".") {
            return None;
        }
        let mut mantissa = 0u64;
        let mut point = text.len();
        for (index, &byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
                b'.' if point == text.len() && index > 0 => point = index,
                _ => return None,
            }
        }
        let places = (text.len() - point).saturating_sub(1) as u8;
        (mantissa > 0).then_some(Plain { mantissa, places })
    }

    /// The mantissa at a scale that keeps every place; `None` also if it does not fit.
    #[inline]
    pub fn at_scale(self, scale: u8) -> Option<i64> {
        let missing = scale.checked_sub(self.places)?;
        // The exchange's own scale; a checked product is a call in WebAssembly.
        if missing == 0 {
            return Some(self.mantissa as i64);
        }
        i64::try_from(self.mantissa.checked_mul(10u64.checked_pow(u32::from(missing))?)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_short_way_takes_market_data_and_nothing_odd() {
        let plain = |text: &str, scale| Plain::read(text.as_bytes()).and_then(|plain| plain.at_scale(scale));
        assert_eq!(plain("61837.63000000", 8), Some(6_183_763_000_000));
        assert_eq!(plain("100", 2), Some(10_000));
        for odd in
            ["", ".", "1.", ".5", "1.2.3", "-1", "0.000", "0", "1e2", "0.123", "123456789012345678", "1 "]
        {
            assert_eq!(plain(odd, 2), None, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_one_does(n in 0u64..10u64.pow(18), places in 0u32..18, scale in 0u8..14) {
            let power = 10u64.pow(places);
            let text = format!("{}.{:0width$}", n / power, n % power, width = places.max(1) as usize);
            if let Some(mantissa) = Plain::read(text.as_bytes()).and_then(|plain| plain.at_scale(scale)) {
                let long = Number::read(text.as_bytes()).unwrap().at_scale(scale);
                prop_assert_eq!(Ok(Scaled { mantissa: i128::from(mantissa), rounded: false }), long);
            }
        }
    }
}
