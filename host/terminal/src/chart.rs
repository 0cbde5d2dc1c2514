//! A table's candles as a picture of characters, and a line a symbol beside it.

use chrono::DateTime;
use unicode_width::UnicodeWidthStr;

use super::number::{places, significant};
use super::section::titles;
use super::spark::sparkline;
use super::style::{Line, Palette, Style, harmless};

/// A candle of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// µs since 1970-01-01 UTC.
    pub start_us: i64,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Made up where nothing was traded.
    pub filled: bool,
    /// Not whole.
    pub partial: bool,
}

/// What is said of a symbol in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub symbol: String,
    pub bars: Vec<Bar>,
    /// Names and newest values of its averages.
    pub averages: Vec<(String, Option<f64>)>,
}

const LABEL: usize = 12;
const SYMBOL: usize = 12;
const NUMBER: usize = 13;
const COUNT: usize = 8;

/// The newest bars that fit: wicks `│`, bodies `█`, filled days `·`, with prices to the right and the first and last
/// day below. `height`: lines of the picture, without these.
pub fn chart(bars: &[Bar], width: usize, height: usize, palette: Palette) -> Vec<String> {
    let room = width.saturating_sub(LABEL + 2).max(1);
    let bars = &bars[bars.len().saturating_sub(room)..];
    let low = bars.iter().map(|bar| bar.low).fold(f64::INFINITY, f64::min);
    let high = bars.iter().map(|bar| bar.high).fold(f64::NEG_INFINITY, f64::max);
    if bars.is_empty() || !(low.is_finite() && high.is_finite()) {
        return vec!["nothing to draw".to_owned()];
    }
    let height = height.max(2);
    let row_of = |price: f64| {
        let share = if high > low { (high - price) / (high - low) } else { 0.5 };
        ((share * height as f64) as usize).min(height - 1)
    };
    let shown = bars.iter().map(|bar| places(bar.close)).max().unwrap_or(0);
    let mut lines = Vec::with_capacity(height + 1);
    for row in 0..height {
        let mut line = Line::new();
        for bar in bars {
            let (symbol, style) = cell(bar, row, &row_of);
            line.push(symbol, style);
        }
        if row == 0 || row + 1 == height || row == height / 2 {
            let price = match row {
                0 => high,
                row if row + 1 == height => low,
                _ => low / 2.0 + high / 2.0,
            };
            line.pad_to(bars.len() + 1);
            line.push(&format!("{:>LABEL$}", significant(price, shown)), Style::Dim);
        }
        lines.push(line.paint(width, palette));
    }
    let mut days = Line::new();
    let (first, last) = (day(bars[0].start_us), day(bars[bars.len() - 1].start_us));
    days.push(&first, Style::Dim);
    days.pad_to(bars.len().saturating_sub(last.len()).max(first.len() + 1));
    days.push(&last, Style::Dim);
    lines.push(days.paint(width, palette));
    lines
}

/// What a bar is in a row; row 0 is the highest.
fn cell(bar: &Bar, row: usize, row_of: &dyn Fn(f64) -> usize) -> (&'static str, Style) {
    let rows = |one: f64, other: f64| row_of(one.max(other))..=row_of(one.min(other));
    if bar.filled {
        return (if row_of(bar.close) == row { "·" } else { " " }, Style::Dim);
    }
    let style = match (bar.partial, bar.close >= bar.open) {
        (true, _) => Style::Warn,
        (false, true) => Style::Good,
        (false, false) => Style::Bad,
    };
    if rows(bar.open, bar.close).contains(&row) {
        ("█", style)
    } else if rows(bar.low, bar.high).contains(&row) {
        ("│", style)
    } else {
        (" ", Style::Normal)
    }
}

/// A head and a line a symbol: days, those filled and partial, the newest close and averages, the closes as blocks.
pub fn summary(symbols: &[Summary], width: usize, palette: Palette) -> Vec<String> {
    let Some(first) = symbols.first() else { return Vec::new() };
    let mut head = Line::new();
    head.push(
        &format!("{:<SYMBOL$}{:>COUNT$}{:>COUNT$}{:>COUNT$}", "symbol", "days", "filled", "partial"),
        Style::Dim,
    );
    head.push(&format!("{:>NUMBER$}", "close"), Style::Dim);
    let names: Vec<String> = first.averages.iter().map(|(name, _)| name.clone()).collect();
    let titles = titles(&names, &|_| NUMBER - 1);
    for title in &titles {
        let width = NUMBER.max(title.width() + 1);
        head.push(&format!("{title:>width$}"), Style::Dim);
    }
    head.push("  ▂▅█ close", Style::Dim);
    let mut lines = vec![head.paint(width, palette)];
    for symbol in symbols {
        let count = |of: fn(&Bar) -> bool| symbol.bars.iter().filter(|bar| of(bar)).count();
        let mut line = Line::new();
        line.push(&format!("{:<SYMBOL$}", harmless(&symbol.symbol, SYMBOL - 1)), Style::Strong);
        let partial = count(|bar| bar.partial && !bar.filled);
        line.push(
            &format!("{:>COUNT$}{:>COUNT$}{partial:>COUNT$}", symbol.bars.len(), count(|bar| bar.filled)),
            Style::Normal,
        );
        let close = symbol.bars.last().map(|bar| bar.close);
        let shown = symbol.bars.iter().map(|bar| places(bar.close)).max().unwrap_or(0);
        let averages = symbol.averages.iter().map(|(_, value)| *value);
        let widths = titles.iter().map(|title| NUMBER.max(title.width() + 1));
        for (value, width) in
            std::iter::once(close).chain(averages).zip(std::iter::once(NUMBER).chain(widths))
        {
            let text = value.map_or("-".to_owned(), |value| significant(value, shown));
            line.push(&format!("{text:>width$}"), Style::Normal);
        }
        line.push("  ", Style::Normal);
        let room = width.saturating_sub(line.width());
        let closes: Vec<f64> = symbol.bars.iter().map(|bar| bar.close).collect();
        line.push(&sparkline(&closes[closes.len().saturating_sub(room.min(30))..]), Style::Normal);
        lines.push(line.paint(width, palette));
    }
    lines
}

fn day(start_us: i64) -> String {
    DateTime::from_timestamp_micros(start_us).unwrap_or_default().format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 86_400_000_000;

    fn bar(day: i64, open: f64, high: f64, low: f64, close: f64) -> Bar {
        Bar { start_us: day * DAY_US, open, high, low, close, filled: false, partial: false }
    }

    #[test]
    fn bodies_and_wicks_lie_at_their_prices() {
        let bars = [
            bar(0, 1.0, 4.0, 0.0, 3.0),
            Bar { filled: true, ..bar(1, 1.0, 4.0, 0.0, 3.0) },
            bar(2, 4.0, 4.0, 3.0, 3.0),
        ];
        let lines = chart(&bars, 40, 5, Palette::Plain);
        assert_eq!(
            lines,
            [
                "│ █            4",
                "█·█",
                "█              2",
                "█",
                "│              0",
                "1970-01-01 1970-01-03",
            ]
            .map(str::to_owned)
        );
    }

    #[test]
    fn the_newest_bars_are_shown_where_not_all_fit() {
        let bars: Vec<Bar> = (0..100).map(|day| bar(day, 1.0, 2.0, 0.5, 1.5)).collect();
        let lines = chart(&bars, 34, 3, Palette::Plain);
        assert!(lines[0].starts_with(&"│".repeat(20)), "{}", lines[0]);
        assert!(!lines[0].starts_with(&"│".repeat(21)), "{}", lines[0]);
        assert!(lines.last().unwrap().ends_with("1970-04-10"), "{lines:?}");
    }

    #[test]
    fn prices_that_do_not_differ_and_no_bars_draw_all_the_same() {
        let level = chart(&[bar(0, 5.0, 5.0, 5.0, 5.0)], 40, 3, Palette::Plain);
        assert!(level.iter().any(|line| line.starts_with('█')), "{level:?}");
        assert_eq!(chart(&[], 40, 3, Palette::Plain), ["nothing to draw"]);
        assert_eq!(
            chart(&[bar(0, f64::NAN, f64::INFINITY, 0.0, 1.0)], 40, 3, Palette::Plain),
            ["nothing to draw"]
        );
    }

    #[test]
    fn a_symbol_is_summed_up_in_a_line() {
        let bars = vec![
            bar(0, 1.0, 2.0, 0.5, 1.0),
            Bar { filled: true, ..bar(1, 1.0, 2.0, 0.5, 1.0) },
            Bar { partial: true, ..bar(2, 1.0, 4.0, 1.0, 4.0) },
        ];
        let averages = vec![("ma7".to_owned(), Some(2.0)), ("ma30".to_owned(), None)];
        let lines = summary(&[Summary { symbol: "SYNBTC".into(), bars, averages }], 100, Palette::Plain);
        let words: Vec<&str> = lines[1].split_whitespace().collect();
        assert_eq!(words, ["SYNBTC", "3", "1", "1", "4", "2", "-", "▁▁█"]);
        assert!(lines[0].contains("ma7") && lines[0].contains("ma30"));
    }
}
