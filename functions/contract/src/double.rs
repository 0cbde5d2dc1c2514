//! Exact decimals to binary doubles.

/// Integers up to here are doubles without rounding.
const EXACT_INTEGER: u128 = 1 << 53;

/// Powers of ten that are doubles without rounding.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The double nearest to `mantissa / 10^scale`, half to even: what Python's `float(Decimal(…))` gives, and what
/// reading the number's text gives anywhere.
pub fn nearest_double(mantissa: i128, scale: impl Into<i32>) -> f64 {
    let scale = scale.into();
    if mantissa.unsigned_abs() <= EXACT_INTEGER {
        // Both operands are exact, so the one division rounds once, correctly.
        if let Some(power) = usize::try_from(scale).ok().and_then(|scale| EXACT_POWERS.get(scale)) {
            return mantissa as f64 / power;
        }
    }
    // `mantissa as f64` would round before the division rounds again; the standard library's parser rounds once.
    format!("{mantissa}e{}", -scale).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Python 3: `float(Decimal(mantissa).scaleb(-scale))`, as bits. Midpoints between two doubles, their
    /// neighbours, the ends of 128 bits, and numbers that `mantissa as f64 / 10^scale` gets wrong.
    #[allow(clippy::unreadable_literal)]
    const BY_PYTHON: &[(i128, i8, u64)] = &[
        (9007199254740993, 0, 0x4340000000000000),
        (9007199254740995, 0, 0x4340000000000002),
        (90071992547409930, 1, 0x4340000000000000),
        (45035996273704975, 1, 0x4330000000000002),
        (225179981368524825, 2, 0x4320000000000000),
        (-225179981368524825, 2, 0xc320000000000000),
        (6012312345678, 8, 0x40ed5b63f35ba212),
        (1, 8, 0x3e45798ee2308c3a),
        (-1, 8, 0xbe45798ee2308c3a),
        (0, 8, 0x0000000000000000),
        (170141183460469231731687303715884105727, 0, 0x47e0000000000000),
        (-170141183460469231731687303715884105728, 0, 0xc7e0000000000000),
        (170141183460469231731687303715884105727, 38, 0x3ffb38fb9daa78e4),
        (-170141183460469231731687303715884105728, 38, 0xbffb38fb9daa78e4),
        (170141183460469231731687303715884105727, 127, 0x2d81544581b7dec2),
        (1, 127, 0x2591544581b7dec2),
        (9007199254740992, 22, 0x3eae392010175ee6),
        (9007199254740991, 23, 0x3e782db34012b251),
        (12345678901234567890123456789, 18, 0x4206fee0e1a9e065),
        (9007199254740993000000000000000001, 18, 0x4340000000000001),
        (9007199254740992999999999999999999, 18, 0x4340000000000000),
        (9007199254740993000000000000000000, 18, 0x4340000000000000),
        (53647719907092690743720073397751872547, 36, 0x404ad2e87c64f734),
        (-15982299311562175850378568547443130257, 6, 0xc6693733044e2ede),
        (-36375530566688551472581882502463161636, 29, 0xc1b5ae7729aab902),
        (29098890036121273077533620345196124392, 31, 0x4146336080765cb8),
        (-22963893810870595760638213259547648254, 4, 0xc6dc4e2091ba1a69),
        (-26338482527565662469879496642117765131, 18, 0xc3f6d85164fc2625),
        (-46807503385091720836664719397481108185, 26, 0xc25b3edc8d3ebab4),
        (12871043401078363307442057793216102589, 14, 0x44bb41681783b3aa),
        (1211704905999189455, 2, 0x434586322a7930ab),
        (2611787911877405431, 2, 0x43573284a6ca4fca),
        (4395388374392801525, 8, 0x422477b614bfdb25),
        (2848143850583744634, 8, 0x421a86810ca7598c),
        (3118422469055865282, 18, 0x4008f2877abda6f0),
        (748491344205114417, 18, 0x3fe7f3a41e9666c6),
    ];

    #[test]
    fn doubles_are_those_of_python() {
        for (mantissa, scale, bits) in BY_PYTHON {
            let double = nearest_double(*mantissa, *scale);
            assert_eq!(double.to_bits(), *bits, "{mantissa}e-{scale} gave {double:?}");
        }
    }

    #[test]
    fn a_negative_scale_multiplies() {
        assert_eq!(nearest_double(123, -3i8), 123_000.0);
        assert_eq!(nearest_double(1, -22i8), 1e22);
    }

    proptest! {
        #[test]
        fn a_price_is_the_double_that_its_text_reads_as(mantissa in any::<i64>(), scale in 0u8..20) {
            let parsed: f64 = crate::decimal::text(mantissa.into(), scale).parse().unwrap();
            prop_assert_eq!(nearest_double(mantissa.into(), scale), parsed);
        }

        #[test]
        fn so_is_a_volume_of_128_bits(mantissa in any::<i128>(), scale in 0u8..39) {
            let parsed: f64 = crate::decimal::text(mantissa, scale).parse().unwrap();
            prop_assert_eq!(nearest_double(mantissa, scale), parsed);
        }
    }
}
