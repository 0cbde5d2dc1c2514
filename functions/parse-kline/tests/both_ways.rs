//! The template against the careful way: it may leave a line to it, and never disagrees with it.

#![allow(clippy::unwrap_used)]

use parse_kline::{Batch, COLUMNS, Options, Path, WantedColumn, parse_by};
use proptest::prelude::*;
use proptest::sample::Index;

/// Options for every column at one scale.
fn options(scale: u8, settings: &[(&str, &str)]) -> Options {
    Options {
        kinds: Vec::new(),
        columns: COLUMNS.iter().map(|info| WantedColumn { name: info.name.to_owned(), scale }).collect(),
        settings: settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
    }
}

/// Parses both ways, and gives how many rows came of it.
fn agree(lines: &[Vec<u8>], options: &Options) -> Result<u32, TestCaseError> {
    let mut batch = Batch::default();
    lines.iter().for_each(|line| batch.values.push(Some(line)));
    let full = parse_by(Path::FullOnly, &batch, options).unwrap();
    let fast = parse_by(Path::Templates, &batch, options).unwrap();
    prop_assert!(
        fast == full,
        "{:?}\nfast {fast:?}\nfull {full:?}",
        lines.iter().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>()
    );
    let apart = full.ignored.records.len() + full.rejected.records.len();
    prop_assert_eq!(full.records.len() + apart, lines.len());
    Ok(full.rows.rows)
}

fn decimal() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[1-9][0-9]{0,5}\\.[0-9]{1,8}",
        2 => "[0-9]{1,12}(\\.[0-9]{1,12})?",
        1 => "-?[0-9]{0,3}\\.?[0-9]{0,3}([eE][-+]?[0-9]{1,3})?",
        1 => prop::sample::select(vec!["", "nan", " 1.5", "\"2.5\"", "0", "0.0"]).prop_map(str::to_owned),
    ]
}

fn end() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["\n", "\r\n", "", "\n\n"])
}

prop_compose! {
    /// A minute's kline of 6 or 12 columns; the unit of its times is one of s, ms, µs.
    fn line(twelve: bool)(
        minute in 0i64..40_000_000, unit in prop::sample::select(vec![1i64, 1_000, 1_000_000]), off in prop_oneof![9 => Just(0i64), 1 => -2i64..3],
        cells in prop::collection::vec(decimal(), 8), trades in prop_oneof![6 => "[1-9][0-9]{0,5}", 1 => "[0-9.]{0,3}"],
        last in prop_oneof![8 => Just("0"), 1 => Just("0,0"), 1 => Just("\"0")], fraction in prop_oneof![9 => Just(""), 1 => Just(".0"), 1 => Just(".5")], end in end(),
    ) -> Vec<u8> {
        let time = minute * 60 * unit + off;
        let close = (minute + 1) * 60 * unit - 1;
        let mut line = format!("{time}{fraction},{}", cells[..5].join(","));
        if twelve {
            line += &format!(",{close},{},{trades},{},{},{last}", cells[5], cells[6], cells[7]);
        }
        (line + end).into_bytes()
    }
}

fn lines(twelve: bool) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(line(twelve), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_of_six_columns_read_the_same(lines in lines(false), scale in 0u8..13, interval in prop::sample::select(vec![None, Some("1m"), Some("1M")])) {
        let mut settings = vec![("symbol", "BTCUSD"), ("first-line", "time,open,high,low,close,volume")];
        settings.extend(interval.map(|interval| ("interval", interval)));
        agree(&lines, &options(scale, &settings))?;
    }

    /// With digits of their own at the same places, leading zeros among them, and a byte of one of them changed.
    #[test]
    fn lines_that_look_like_those_before_them_read_the_same(
        widths in prop::collection::vec((1usize..7, 0usize..9), 5), time in prop::sample::select(vec![10usize, 13, 16]),
        digits in prop::collection::vec("[0-9]{100}", 3..40), changed in any::<Index>(), at in any::<Index>(),
        byte in prop_oneof![3 => prop::sample::select(b",;\"\r\n.-e0 ".to_vec()), 1 => any::<u8>(), 6 => Just(b'1')],
    ) {
        let mut lines: Vec<Vec<u8>> = digits.iter().map(|digits| {
            let mut digits = digits.chars();
            let mut number = |width: usize| digits.by_ref().take(width).collect::<String>();
            let mut line = number(time);
            for (integer, places) in &widths {
                line += &format!(",{}", number(*integer));
                if *places > 0 {
                    line += &format!(".{}", number(*places));
                }
            }
            (line + "\n").into_bytes()
        }).collect();
        let changed = changed.index(lines.len());
        let at = at.index(lines[changed].len());
        lines[changed][at] = byte;
        agree(&lines, &options(8, &[("symbol", "X"), ("interval", "1m"), ("first-line", "0,1,2,3,4,5")]))?;
    }

    #[test]
    fn lines_of_twelve_columns_read_the_same(lines in lines(true), interval in prop::sample::select(vec![None, Some("1m"), Some("5m")])) {
        let first = String::from_utf8_lossy(&lines[0]).into_owned();
        let mut settings = vec![("symbol", "BTCUSD"), ("first-line", first.as_str())];
        settings.extend(interval.map(|interval| ("interval", interval)));
        agree(&lines, &options(8, &settings))?;
    }

    #[test]
    fn lines_with_changed_bytes_read_the_same(lines in lines(true), at in any::<Index>(), byte in prop_oneof![prop::sample::select(b",;\"\r\n.-e0 ".to_vec()), any::<u8>()]) {
        let mut lines = lines;
        let middle = lines.len() / 2;
        let at = at.index(lines[middle].len());
        lines[middle][at] = byte;
        agree(&lines, &options(8, &[("symbol", "A"), ("columns", "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,-,ignore")]))?;
    }

    #[test]
    fn symbols_of_a_column_read_the_same(symbols in prop::collection::vec(prop_oneof!["[A-Z]{0,17}", "[A-Z\" ,é_]{0,9}"], 1..8), last in any::<bool>(), end in end()) {
        let lines: Vec<Vec<u8>> = symbols.iter().map(|symbol| match last {
            true => format!("1364774820000,93.25,93.3,93.25,93.3,93.3,{symbol}{end}").into_bytes(),
            false => format!("{symbol},1364774820000,93.25,93.3,93.25,93.3,93.3{end}").into_bytes(),
        }).collect();
        let columns = if last { "time,open,high,low,close,volume,symbol" } else { "symbol,time,open,high,low,close,volume" };
        agree(&lines, &options(8, &[("columns", columns), ("interval", "1m")]))?;
    }
}

#[test]
fn plain_lines_of_every_shape_are_rows_both_ways() {
    let six = b"1364774820000,93.25,93.3,93.25,93.3,93.3\n".to_vec();
    let twelve = b"1730419200000,3.958,3.959,3.956,3.958,45103.8,1730419259999,178487.4969,306,26031.0,103016.3016,0\n".to_vec();
    let by_name = b"2011-08-18 00:00:00,10.9,10.9,0.48990826,1313625600,10.9,10.9".to_vec();
    let header = "timestamp,open,close,volume,unix_timestamp,high,low";
    assert_eq!(agree(&[six.clone(), six], &options(8, &[("symbol", "A"), ("interval", "1m")])).unwrap(), 2);
    assert_eq!(agree(&[twelve.clone(), twelve], &options(8, &[("symbol", "A")])).unwrap(), 2);
    let settings = [("symbol", "A"), ("first-line", header), ("interval", "1d")];
    assert_eq!(agree(&[header.into(), by_name], &options(8, &settings)).unwrap(), 1);
}
