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
pub fn nearest_double(mantissa: i128, scale: i8) -> f64 {
    if mantissa.unsigned_abs() <= EXACT_INTEGER {
        // Both operands are exact, so the one division rounds once, correctly.
        if let Some(power) = usize::try_from(scale).ok().and_then(|scale| EXACT_POWERS.get(scale)) {
            return mantissa as f64 / power;
        }
    }
    // `mantissa as f64` would round before the division rounds again; the standard library's parser rounds once.
    match format!("{mantissa}e{}", -i32::from(scale)).parse() {
        Ok(double) => double,
        Err(_) => unreachable!("an integer and an exponent are a number"),
    }
}
