//! How far apart the rows of a file are.

use tallow_engine::{ColumnData, Rows};

/// Units of fixed length, longest first.
const UNITS: [(char, i64); 5] = [
    ('w', 604_800_000_000),
    ('d', 86_400_000_000),
    ('h', 3_600_000_000),
    ('m', 60_000_000),
    ('s', 1_000_000),
];

/// What rows are made of, longest first: the intervals that exchanges have.
const PLAUSIBLE: [&str; 15] =
    ["1w", "3d", "1d", "12h", "8h", "6h", "4h", "2h", "1h", "30m", "15m", "5m", "3m", "1m", "1s"];

/// Of so many distances one may be no multiple of the interval: after an outage an exchange may continue off its grid.
const OFF_GRID: usize = 20;

/// The column in which a parse function names it.
pub const COLUMN: &str = "interval";

/// The interval that most rows name, of those that name one.
pub fn named(rows: &Rows) -> Option<String> {
    let column = rows.table.column(COLUMN).ok()?;
    let ColumnData::Text(text) = &column.data else { return None };
    let mut counts = vec![0usize; text.ends.len()];
    let named = (0..text.codes.len()).filter(|row| column.is_valid(*row));
    named.for_each(|row| counts[text.codes[row] as usize] += 1);
    let (code, count) = counts.iter().zip(0..).map(|(count, code)| (code, *count)).max_by_key(|it| it.1)?;
    let name = std::str::from_utf8(text.entry(code)).ok()?;
    (count > 0).then(|| name.to_owned())
}

/// The times of each key's rows, µs, sorted, each once.
pub fn times_by_key(rows: &Rows, time: &str, key: &str) -> Vec<Vec<i64>> {
    let Ok(times) = rows.table.column(time) else { return Vec::new() };
    let ColumnData::TimestampUs(values) = &times.data else { return Vec::new() };
    let keys = match rows.table.column(key).map(|column| &column.data) {
        Ok(ColumnData::Text(text)) => text.codes.clone(),
        _ => vec![0; values.len()],
    };
    let valid = (0..values.len()).filter(|row| times.is_valid(*row));
    let mut of_key: Vec<(u32, i64)> = valid.map(|row| (keys[row], values[row])).collect();
    of_key.sort_unstable();
    of_key.dedup();
    of_key.chunk_by(|a, b| a.0 == b.0).map(|rows| rows.iter().map(|row| row.1).collect()).collect()
}

/// The longest of the exchanges' intervals of which nearly all distances from a row to the next are multiples; calendar
/// months where rows are as far apart as these. `None` if no row follows another.
pub fn plausible(times: &[Vec<i64>]) -> Option<String> {
    let pairs = || times.iter().flat_map(|times| times.windows(2));
    let distances: Vec<i64> = pairs().map(|pair| pair[1] - pair[0]).collect();
    if distances.is_empty() {
        return None;
    }
    if pairs().all(|pair| is_months(pair[0], pair[1])) {
        return Some("1M".to_owned());
    }
    let fits = |name: &&str| {
        let off = distances.iter().filter(|distance| **distance % length_us(name).unwrap_or(1) != 0).count();
        off * OFF_GRID <= distances.len()
    };
    // Times that no interval fits are those of single events.
    let name = PLAUSIBLE.iter().find(|name| fits(name)).unwrap_or(&PLAUSIBLE[PLAUSIBLE.len() - 1]);
    Some((*name).to_owned())
}

/// Whether whole months lie between two times, both at the beginning of one.
fn is_months(one_us: i64, other_us: i64) -> bool {
    use chrono::{DateTime, Datelike, NaiveTime};
    let begins = |us: i64| {
        DateTime::from_timestamp_micros(us).is_some_and(|at| at.day() == 1 && at.time() == NaiveTime::MIN)
    };
    begins(one_us) && begins(other_us)
}

/// Where most rows begin within their interval, µs; `None` if no half of them agree.
pub fn phase_us(times: &[Vec<i64>], interval_us: i64) -> Option<i64> {
    let mut phases: Vec<i64> =
        times.iter().flatten().map(|time_us| time_us.rem_euclid(interval_us)).collect();
    phases.sort_unstable();
    let (count, phase_us) =
        phases.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0])).max_by_key(|(count, _)| *count)?;
    (2 * count > phases.len()).then_some(phase_us)
}

/// As kline intervals are written: `1m`, `4h`, `1d`.
pub fn name(interval_us: i64) -> Option<String> {
    let (unit, unit_us) = UNITS.into_iter().find(|(_, unit_us)| interval_us % unit_us == 0)?;
    Some(format!("{}{unit}", interval_us / unit_us))
}

/// The length of an interval that is written so; `None` for calendar months, which have none.
pub fn length_us(name: &str) -> Option<i64> {
    let (unit, unit_us) = UNITS.into_iter().find(|(unit, _)| name.ends_with(*unit))?;
    name.strip_suffix(unit)?.parse::<i64>().ok()?.checked_mul(unit_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[&[i64]]) -> Option<String> {
        let times: Vec<Vec<i64>> =
            times.iter().map(|times| times.iter().map(|seconds| seconds * 1_000_000).collect()).collect();
        plausible(&times)
    }

    #[test]
    fn holes_and_other_keys_make_no_interval_longer() {
        assert_eq!(of(&[&[0, 60, 300, 360], &[30, 90]]).as_deref(), Some("1m"));
        // No minute follows another but one, and most are four apart.
        let sparse = [60, 180, 240, 480, 600, 840, 1500, 1560, 1740, 1980];
        assert_eq!(of(&[&sparse]).as_deref(), Some("1m"));
        assert_eq!(of(&[&[0], &[60]]), None);
    }

    #[test]
    fn only_intervals_that_exchanges_have_are_found() {
        assert_eq!(of(&[&[0, 10_000, 20_000]]).as_deref(), Some("1s"), "no multiple of a minute");
        assert_eq!(of(&[&[0, 420, 840]]).as_deref(), Some("1m"));
        assert_eq!(of(&[&[0, 604_800, 1_209_600]]).as_deref(), Some("1w"));
        // 2024-01-01, 02-01, 03-01.
        assert_eq!(of(&[&[1_704_067_200, 1_706_745_600, 1_709_251_200]]).as_deref(), Some("1M"));
        assert_eq!(plausible(&[vec![0, 1_234, 7_777]]).as_deref(), Some("1s"));
    }

    #[test]
    fn a_few_rows_off_the_grid_change_nothing() {
        let hours = (0..40).chain(50..90).map(|hour| hour * 3_600 + if hour < 50 { 0 } else { 1_694 });
        let hours: Vec<i64> = hours.collect();
        assert_eq!(of(&[&hours]).as_deref(), Some("1h"));
        let us: Vec<i64> = hours.iter().map(|seconds| seconds * 1_000_000).collect();
        assert_eq!(phase_us(std::slice::from_ref(&us), 3_600_000_000), None, "half and half");
        assert_eq!(phase_us(&[us[..70].to_vec()], 3_600_000_000), Some(0));
    }

    #[test]
    fn a_name_says_the_length() {
        for name_of in ["1s", "1m", "15m", "4h", "1d", "1w"] {
            assert_eq!(length_us(name_of).and_then(name).as_deref(), Some(name_of));
        }
        assert_eq!(length_us("1M"), None);
        assert_eq!(name(90_000_000).as_deref(), Some("90s"));
    }
}
