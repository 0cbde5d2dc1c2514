//! Lines for logs and pipes: one a closed window, and one for progress.

use arrow_array::RecordBatch;

use super::cell::{Cell, iso};
use super::view::Counters;

/// `2024-08-09T12:34:00Z trades 1m BTCUSDT open=60123.12 close=60125.5 … complete=true revision=0`, one line a
/// row of a table of windows.
pub fn closed(pipeline: &str, window: &str, batch: &RecordBatch) -> Vec<String> {
    let schema = batch.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let start = names.iter().position(|name| *name == "window_start").unwrap_or(names.len());
    (0..batch.num_rows())
        .map(|row| {
            let mut line = format!(
                "{} {} {}",
                value(&Cell::of(batch, "window_start", row)),
                word(pipeline),
                word(window)
            );
            for name in &names[..start] {
                line.push_str(&format!(" {}", value(&Cell::of(batch, name, row))));
            }
            for name in names.iter().skip(start + 1).filter(|name| **name != "window_end") {
                line.push_str(&format!(" {}={}", word(name), value(&Cell::of(batch, name, row))));
            }
            line
        })
        .collect()
}

/// `trades: 1200 records (412331/s), 1200 rows, 3 late, …`
pub fn progress(pipeline: &str, counters: &Counters) -> String {
    let lag = counters.lag.map_or_else(String::new, |lag| format!(", lag {lag}"));
    let watermark = counters.watermark_us.map_or_else(|| "none".to_owned(), iso);
    format!(
        "{}: {} records ({:.0}/s){lag}, {} rows, {} candles, {} late, {} duplicates, {} conflicts, {} dead letters, \
         watermark {watermark}, epoch {}",
        word(pipeline),
        counters.records,
        counters.records_per_s,
        counters.rows,
        counters.candles,
        counters.late,
        counters.duplicates,
        counters.conflicts,
        counters.dead_letters,
        counters.epochs,
    )
}

fn value(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Integer(value) => value.to_string(),
        Cell::Decimal { mantissa, scale } => decimal(*mantissa, *scale),
        Cell::Double(value) => value.to_string(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Time(time_us) => iso(*time_us),
        Cell::Text(text) => word(text),
    }
}

/// The exact number without zeros at its end.
fn decimal(mantissa: i128, scale: i8) -> String {
    let Ok(scale @ 1..) = usize::try_from(scale) else { return format!("{mantissa}{}", zeros(scale)) };
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if mantissa < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

fn zeros(scale: i8) -> String {
    "0".repeat(usize::from(scale.unsigned_abs()))
}

/// A text as one word of a line: quoted and escaped where it is anything else.
fn word(text: &str) -> String {
    let plain = |letter: char| !letter.is_whitespace() && !letter.is_control() && !"\"\\=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tallow_test_support::sink::{Variant, sample};

    #[test]
    fn a_closed_window_is_one_line_whatever_its_key_holds() {
        let output = sample(1, Variant::First);
        let (window, batch) = &output.closed[2];
        let lines = closed("trades", window, batch);
        assert_eq!(
            lines[0],
            "2024-08-08T23:59:00Z trades 1m BTCUSDT open=60123.12345678 volume=60123.12345678 trades=-1 \
             first_id=null complete=true revision=0"
        );
        assert!(
            lines[1].starts_with("2024-08-08T23:59:00Z trades 1m \"a\\0b\" open=0.00000001 volume=null ")
        );
        assert!(
            lines[2].starts_with("2024-08-08T23:59:00Z trades 1m \"\" open=-0.00000001 "),
            "{}",
            lines[2]
        );
        assert!(lines.iter().all(|line| !line.contains('\n')));
    }

    #[test]
    fn decimals_are_exact_and_short() {
        let table = [
            (6_012_312_000_000, 8, "60123.12"),
            (100_000_000, 8, "1"),
            (-5, 8, "-0.00000005"),
            (0, 8, "0"),
            (12, 0, "12"),
            (12, -3, "12000"),
        ];
        for (mantissa, scale, text) in table {
            assert_eq!(decimal(mantissa, scale), text);
        }
    }

    #[test]
    fn progress_says_what_is_counted() {
        let counters = Counters {
            records: 1_200,
            records_per_s: 412_331.4,
            rows: 1_199,
            late: 3,
            watermark_us: Some(1_723_161_600_500_000),
            lag: Some(17),
            candles: 5,
            epochs: 2,
            ..Counters::default()
        };
        assert_eq!(
            progress("trades", &counters),
            "trades: 1200 records (412331/s), lag 17, 1199 rows, 5 candles, 3 late, 0 duplicates, 0 conflicts, \
             0 dead letters, watermark 2024-08-09T00:00:00.500000Z, epoch 2"
        );
    }
}
