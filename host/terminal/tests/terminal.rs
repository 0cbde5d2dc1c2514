//! The terminal view, as text.

#![allow(clippy::unwrap_used)] // Helpers of tests may panic as tests may.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use tallow_terminal::{Counters, Palette, Phase, Screen, View, render};
use unicode_width::UnicodeWidthStr;

/// 2024-08-09 00:00 UTC.
const MIDNIGHT_US: i64 = 1_723_161_600_000_000;
const MINUTE_US: i64 = 60_000_000;

struct Candle<'a> {
    symbol: &'a str,
    minute: i64,
    /// In 10^-2.
    close: i128,
    complete: Option<bool>,
    missing: i64,
}

fn candle(symbol: &str, minute: i64, close: i128) -> Candle<'_> {
    Candle { symbol, minute, close, complete: Some(true), missing: 0 }
}

fn table(candles: &[Candle<'_>]) -> RecordBatch {
    let times = |shift: i64| -> ArrayRef {
        let times = candles.iter().map(|candle| MIDNIGHT_US + (candle.minute + shift) * MINUTE_US);
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
    };
    let prices = |shift: i128| -> ArrayRef {
        let mantissas =
            Decimal128Array::from_iter_values(candles.iter().map(|c| (c.close + shift) * 1_000_000));
        Arc::new(mantissas.with_precision_and_scale(38, 8).unwrap())
    };
    let columns: [(&str, ArrayRef); 9] = [
        ("symbol", Arc::new(candles.iter().map(|candle| Some(candle.symbol)).collect::<StringArray>())),
        ("window_start", times(0)),
        ("window_end", times(1)),
        ("high", prices(1)),
        ("close", prices(0)),
        (
            "trades",
            Arc::new(Int64Array::from_iter_values(candles.iter().map(|candle| candle.minute * 1_234))),
        ),
        ("missing", Arc::new(Int64Array::from_iter_values(candles.iter().map(|candle| candle.missing)))),
        ("complete", Arc::new(candles.iter().map(|candle| candle.complete).collect::<BooleanArray>())),
        ("revision", Arc::new(Int64Array::from_iter_values(candles.iter().map(|_| 0)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The lines below the counters.
fn body(view: &View, width: usize, height: usize) -> Vec<String> {
    let lines = render(view, width, height, Palette::Plain);
    let head = lines.iter().position(|line| line.contains(" dead ")).unwrap();
    lines[head + 1..].iter().skip_while(|line| line.is_empty()).cloned().collect()
}

#[test]
fn before_the_first_row_it_says_what_it_waits_for() {
    let view = View::new("trades", ["1m"]);
    assert_eq!(
        render(&view, 60, 20, Palette::Plain),
        [
            " tallow trades                        epoch 0   0 records/s",
            " records 0  rows 0  candles 0  watermark -  late 0",
            " duplicates 0  conflicts 0  dead 0",
            "",
            " waiting for the first rows …",
        ]
    );
}

#[test]
fn open_and_closed_windows_counters_and_a_chart_of_the_close_fit_one_screen() {
    let mut view = View::new("trades", ["1m", "1d"]);
    view.counters = Counters {
        records: 12_345_678,
        records_per_s: 412_331.0,
        rows: 12_345_600,
        late: 3,
        duplicates: 12,
        dead_letters: 1,
        watermark_us: Some(MIDNIGHT_US + 90_500_000),
        lag: Some(1_204),
        candles: 24,
        epochs: 8,
        ..Counters::default()
    };
    for (minute, close) in [6_012_310, 6_012_350, 6_012_330].into_iter().enumerate() {
        let hole = Candle { complete: Some(false), missing: 4, ..candle("ETHUSDT", minute as i64, 268_311) };
        let btc = candle("BTCUSDT", minute as i64, close);
        let unknown = Candle { complete: None, ..candle("DOTUSDT", minute as i64, 451 - minute as i128) };
        view.show("1m", &table(&[hole, btc, unknown]), Phase::Closed);
    }
    view.show("1m", &table(&[candle("BTCUSDT", 3, 6_012_420)]), Phase::Open);
    assert_eq!(
        render(&view, 80, 24, Palette::Plain),
        [
            " tallow trades                                       epoch 8   412.3k records/s",
            " records 12,345,678  rows 12,345,600  candles 24  lag 1,204",
            " watermark 2024-08-09T00:01:30Z  late 3  duplicates 12  conflicts 0  dead 1",
            "",
            " 1m       start       high      close  trades       ▂▅█ close",
            " BTCUSDT  00:03  60,124.21  60,124.20   3,702  ◌✓   ▁▄▂█",
            " DOTUSDT  00:02       4.50       4.49   2,468   ·   █▅▁",
            " ETHUSDT  00:02   2,683.12   2,683.11   2,468   ✗4  ▄▄▄",
            "",
            " ◌ open   newest closed window: ✓ complete  ✗ rows missing  · not known   UTC",
        ]
    );
}

#[test]
fn a_window_that_comes_late_adds_to_the_chart_and_does_not_replace_a_newer_one() {
    let mut view = View::new("trades", ["1m"]);
    for (minute, close) in [(2, 300), (0, 100), (1, 200)] {
        view.show("1m", &table(&[candle("BTCUSDT", minute, close)]), Phase::Closed);
    }
    let lines = body(&view, 80, 24);
    assert!(lines[1].starts_with(" BTCUSDT  00:02"), "{}", lines[1]);
    assert!(lines[1].ends_with("▁▅█"), "{}", lines[1]);
}

#[test]
fn a_closed_window_does_not_open_again_and_a_revision_replaces_its_value() {
    let mut view = View::new("trades", ["1m"]);
    view.show("1m", &table(&[candle("BTCUSDT", 1, 200)]), Phase::Closed);
    view.show("1m", &table(&[candle("BTCUSDT", 1, 150)]), Phase::Open);
    assert!(!body(&view, 80, 24)[1].contains('◌'));
    view.show("1m", &table(&[candle("BTCUSDT", 1, 250)]), Phase::Closed);
    assert!(body(&view, 80, 24)[1].contains("2.50"));
}

#[test]
fn lines_and_columns_never_exceed_the_terminal() {
    let mut view = View::new(&"long name ".repeat(20), ["1m"]);
    let hostile = ["a\x1b[2Jb", "币安人生USDT", "\u{202e}x\n", &"X".repeat(4096), "e\u{301}", ""];
    for window in ["1m", "1h", "a window of a very long name"] {
        let candles: Vec<_> = hostile.iter().map(|symbol| candle(symbol, 1, i128::from(i64::MAX))).collect();
        view.show(window, &table(&candles), Phase::Closed);
    }
    for palette in [Palette::Plain, Palette::Ansi] {
        for width in 0..120 {
            for height in 0..30 {
                let lines = render(&view, width, height, palette);
                assert!(lines.len() <= height);
                for line in &lines {
                    let bare = ["0", "1", "2", "31", "32", "33"]
                        .iter()
                        .fold(line.clone(), |line, code| line.replace(&format!("\x1b[{code}m"), ""));
                    assert!(bare.width() <= width, "{width}x{height}: {bare:?}");
                    assert!(!bare.chars().any(char::is_control), "{bare:?}");
                }
            }
        }
    }
}

#[test]
fn where_keys_do_not_fit_it_says_how_many_are_left_out() {
    let names: Vec<String> = (0..20).map(|at| format!("S{at:02}")).collect();
    let candles: Vec<_> = names.iter().map(|name| candle(name, 1, 100)).collect();
    let mut view = View::new("trades", ["1m", "1h"]);
    view.show("1m", &table(&candles), Phase::Closed);
    view.show("1h", &table(&candles[..2]), Phase::Closed);
    let lines = render(&view, 80, 15, Palette::Plain);
    assert_eq!(lines.len(), 15);
    assert!(lines[3].starts_with(" 1m +13 "), "blanks go first: {}", lines[3]);
    assert!(lines[11].starts_with(" 1h  "), "the small table is whole: {}", lines[11]);
    assert!(lines[14].starts_with(" ◌ open"), "{}", lines[14]);
}

/// A day of a dear coin and of a cheap one, with all that the demo's windows have.
fn wide_table() -> RecordBatch {
    let decimals = |values: [i128; 2]| -> ArrayRef {
        let mantissas = Decimal128Array::from_iter_values(values);
        Arc::new(mantissas.with_precision_and_scale(38, 8).unwrap())
    };
    let times =
        |us: i64| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(vec![us; 2]).with_timezone("UTC")) };
    let price = |btc: i128| decimals([btc * 1_000_000, 10_782_000]);
    let columns: [(&str, ArrayRef); 12] = [
        ("symbol", Arc::new(StringArray::from(vec!["SYNBTC", "SYNDOGE"]))),
        ("window_start", times(MIDNIGHT_US)),
        ("window_end", times(MIDNIGHT_US + MINUTE_US)),
        ("open", price(6_183_904)),
        ("high", price(6_183_996)),
        ("low", price(6_183_798)),
        ("close", price(6_183_988)),
        ("volume", decimals([928_136_000, 105_853_400_000_000])),
        ("quote_volume", decimals([57_392_900_272_820, 11_143_281_001_000])),
        ("trades", Arc::new(Int64Array::from(vec![3_142, 12_223]))),
        ("missing", Arc::new(Int64Array::from(vec![0, 0]))),
        ("complete", Arc::new(BooleanArray::from(vec![true, true]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

#[test]
fn eighty_columns_have_room_for_all_of_a_candle() {
    let mut view = View::new("candles", ["1m"]);
    view.show("1m", &wide_table(), Phase::Closed);
    let lines = body(&view, 80, 24);
    for (line, wanted) in lines.iter().zip([
        "1m start open high low close volume quote_… trades ▂▅█",
        "SYNBTC 00:00 61839.04 61839.96 61837.98 61839.88 9.28136 573.9k 3142 ✓ ▄",
        "SYNDOGE 00:00 0.10782 0.10782 0.10782 0.10782 1058534 111.4k 12223 ✓ ▄",
    ]) {
        assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), wanted, "{lines:#?}");
    }
    assert!(lines.last().unwrap().starts_with(" ◌ open"), "nothing is hidden: {lines:#?}");
    let roomy = body(&view, 120, 24);
    assert!(roomy[1].contains("61,839.04") && roomy[1].contains("573,929.0"), "{roomy:#?}");
}

#[test]
fn what_there_is_no_room_for_is_named() {
    let mut view = View::new("candles", ["1m"]);
    view.show("1m", &wide_table(), Phase::Closed);
    let lines = body(&view, 50, 24);
    assert!(lines[0].contains("close") && !lines[0].contains("trades"), "{lines:#?}");
    let hint = lines.last().unwrap();
    assert!(hint.starts_with(" a wider terminal shows ") && hint.contains("quote_volume"), "{hint}");
}

#[test]
fn titles_that_would_read_the_same_are_longer() {
    let names = ["quote_volume_of_buyers", "quote_volume_of_sellers", "close"];
    let number = || -> ArrayRef { Arc::new(Int64Array::from(vec![7])) };
    let time = || -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC")) };
    let symbol: ArrayRef = Arc::new(StringArray::from(vec!["A"]));
    let first = [("symbol", symbol), ("window_start", time()), ("window_end", time())];
    let columns = first.into_iter().chain(names.map(|name| (name, number())));
    let mut view = View::new("candles", ["1m"]);
    view.show("1m", &RecordBatch::try_from_iter(columns).unwrap(), Phase::Open);
    let title = &body(&view, 120, 24)[0];
    let words: Vec<&str> = title.split_whitespace().collect();
    assert_eq!(words, ["1m", "start", names[0], names[1], "close", "▂▅█", "close"], "the chart has a sign");
}

#[test]
fn a_flood_of_keys_does_not_fill_the_memory() {
    let mut view = View::new("trades", ["1m"]);
    for thousand in 0..3 {
        let names: Vec<String> = (0..1_000).map(|at| format!("{thousand}-{at:04}")).collect();
        let candles: Vec<_> = names.iter().map(|name| candle(name, 1, 100)).collect();
        view.show("1m", &table(&candles), Phase::Closed);
    }
    assert!(body(&view, 80, 10)[0].starts_with(" 1m +995 or more"), "{}", body(&view, 80, 10)[0]);
}

#[test]
fn without_colours_there_is_no_escape_in_any_line() {
    let mut view = View::new("trades", ["1m"]);
    view.show("1m", &table(&[candle("BTCUSDT", 1, 100), candle("BTCUSDT", 2, 200)]), Phase::Closed);
    assert!(!render(&view, 80, 24, Palette::Plain).join("\n").contains('\x1b'));
    let painted = render(&view, 80, 24, Palette::Ansi).join("\n");
    assert!(painted.contains("\x1b[32m2.00\x1b[0m"), "a rising close is green: {painted:?}");
}

#[test]
fn a_second_drawing_goes_over_the_first_even_where_the_terminal_has_folded_it() {
    let lines = ["\x1b[1mabcdef\x1b[0m".to_owned(), "x".to_owned()];
    let moves_up = |width: usize| {
        let mut bytes = Vec::new();
        Screen::new(&mut bytes).draw(&lines, 80).unwrap();
        let first = bytes.len();
        bytes.clear();
        let mut screen = Screen::new(&mut bytes);
        screen.draw(&lines, 80).unwrap();
        screen.draw(&lines, width).unwrap();
        drop(screen);
        let second = String::from_utf8(bytes[first..].to_vec()).unwrap();
        let (_, moved) = second.split_once("\x1b[1G\x1b[").unwrap();
        moved.split_once('A').unwrap().0.to_owned()
    };
    assert_eq!(moves_up(80), "2");
    assert_eq!(moves_up(4), "3");
}

#[test]
fn a_drawing_has_no_line_end_at_which_ctrl_c_could_cut_it_in_half() {
    let mut bytes = Vec::new();
    let mut screen = Screen::new(&mut bytes);
    screen.draw(&["a".to_owned(), "b".to_owned()], 80).unwrap();
    screen.say(&["c".to_owned()], 80).unwrap();
    drop(screen);
    assert!(!bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')), "{:?}", String::from_utf8(bytes));
}
