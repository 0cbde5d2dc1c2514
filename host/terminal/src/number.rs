//! Numbers as people read them: grouped, with the places that matter, short where they are huge.

/// Digits before and after the point that a number is shown with, if it has them.
const SIGNIFICANT: i32 = 7;

/// The smallest coins cost some 10^-12.
const MAX_PLACES: i32 = 12;

/// From here on counts are short.
const LONG: f64 = 1e8;

/// Places that the value needs and that are worth showing.
pub(super) fn places(value: f64) -> usize {
    if !value.is_finite() || value == 0.0 {
        return 0;
    }
    let worth = worth(value);
    let text = format!("{:.worth$}", value.abs());
    match text.split_once('.') {
        Some((_, places)) => places.trim_end_matches('0').len(),
        None => 0,
    }
}

/// Places that are worth showing, needed or not.
fn worth(value: f64) -> usize {
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    (SIGNIFICANT - 1 - magnitude).clamp(0, MAX_PLACES) as usize
}

/// The value with its thousands grouped and so many places, or as many as are worth showing.
pub(super) fn significant(value: f64, places: usize) -> String {
    grouped(value, if value.is_finite() { places.min(worth(value)) } else { 0 })
}

/// The value with so many places and its thousands grouped: `60,123.10`.
pub(super) fn grouped(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value.abs() >= LONG {
        return short(value);
    }
    let text = format!("{:.places$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Four digits and a unit: `412.3k`, `1.234G`.
pub(super) fn short(value: f64) -> String {
    const UNITS: [(f64, &str); 5] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let size = value.abs();
    if size >= 1e18 {
        return format!("{value:.3e}");
    }
    for (unit, name) in UNITS {
        // The next larger unit is due where rounding would give five digits.
        if size >= unit * 0.99995 {
            let scaled = value / unit;
            let places = if scaled.abs() >= 99.995 {
                1
            } else if scaled.abs() >= 9.9995 {
                2
            } else {
                3
            };
            return format!("{scaled:.places$}{name}");
        }
    }
    format!("{value:.0}")
}

/// Four digits, and a unit where there are more before the point.
pub(super) fn brief(value: f64) -> String {
    if !value.is_finite() || value.abs() >= 999.95 {
        return short(value);
    }
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    grouped(value, (3 - magnitude).clamp(0, MAX_PLACES) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let table = [(0.0, 0, "0"), (999.0, 0, "999"), (1000.0, 0, "1,000"), (60_123.1, 2, "60,123.10")];
        for (value, places, text) in table {
            assert_eq!(grouped(value, places), text);
        }
        assert_eq!(grouped(-1_234_567.5, 1), "-1,234,567.5");
        assert_eq!(grouped(f64::NAN, 2), "NaN");
    }

    #[test]
    fn a_price_shows_the_places_that_it_has_and_no_more_than_matter() {
        let table = [
            (60_123.12, 2),
            (60_123.0, 0),
            (6.234, 3),
            (0.000_012_34, 8),
            (1.0 / 3.0, 7),
            (1_234.567_89, 3),
            (f64::INFINITY, 0),
            (1e-300, 0),
        ];
        for (value, wanted) in table {
            assert_eq!(places(value), wanted, "{value}");
        }
    }

    #[test]
    fn places_that_a_smaller_number_needed_are_not_kept_for_larger_ones() {
        assert_eq!(significant(0.052_345_67, 8), "0.05234567");
        assert_eq!(significant(674.5, 8), "674.5000");
        assert_eq!(significant(60_123.1, 2), "60,123.10");
        assert_eq!(significant(0.0, 2), "0.00");
    }

    #[test]
    fn brief_numbers_have_four_digits() {
        let table = [(25.0, "25.00"), (568.4678, "568.5"), (0.001_234_567, "0.001235"), (-25.0, "-25.00")];
        for (value, text) in table {
            assert_eq!(brief(value), text);
        }
        assert_eq!(brief(2_790.3), "2.790k");
        assert_eq!(brief(0.0), "0.000");
    }

    #[test]
    fn huge_numbers_are_short() {
        let table = [
            (999.0, "999"),
            (412_331.0, "412.3k"),
            (999_999.0, "1.000M"),
            (99_999.0, "100.0k"),
            (1_234_567_890.0, "1.235G"),
            (-5e15, "-5.000P"),
            (1e300, "1.000e300"),
        ];
        for (value, text) in table {
            assert_eq!(short(value), text);
        }
        assert_eq!(grouped(1.5e9, 2), "1.500G");
    }
}
