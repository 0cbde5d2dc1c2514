//! The table of one window definition: a line a key.

mod columns;

use std::cmp::Ordering;

use chrono::DateTime;
use unicode_width::UnicodeWidthStr;

pub(crate) use self::columns::titles;
use self::columns::{Columns, Form, LONGEST_TITLE, fitting};
use super::cell::{Cell, iso};
use super::number::{brief, grouped, significant};
use super::spark::sparkline;
use super::style::{Line, Style, harmless};
use super::view::{Key, Phase, Window};

/// Blanks in front of each line.
const MARGIN: usize = 1;
const KEY_WIDTH: usize = 18;
const TEXT_WIDTH: usize = 14;
/// Before the name of what is charted, which also has its own column.
const CHART_SIGN: &str = "▂▅█";
const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 86_400_000_000;

/// The texts of a key's line.
struct Row {
    key: String,
    start: String,
    cells: Vec<Texts>,
    mark: (String, Style),
}

/// A value as it is written best, without marks between thousands, and as short as can be.
struct Texts([String; 3]);

/// A title and a line a key, at most `height` lines; and the aggregates that there is no room for.
pub(super) fn section(window: &Window, width: usize, height: usize) -> (Vec<Line>, Vec<String>) {
    let keys: Vec<(&Vec<String>, &Key)> = window.keys.iter().take(height.saturating_sub(1)).collect();
    let rows: Vec<Row> = keys.iter().map(|(name, key)| row(name, key, start_format(&keys))).collect();
    let name = name(window, keys.len());
    let columns = fitting(window, &name, &rows, width);

    let mut lines = vec![title(window, &name, &columns)];
    lines.extend(keys.iter().zip(&rows).map(|((_, key), row)| line(window, key, row, &columns)));
    let hidden = window.aggregates.iter().zip(&columns.cells).filter(|(_, width)| width.is_none());
    (lines, hidden.map(|(name, _)| harmless(name, LONGEST_TITLE)).collect())
}

/// The window's name, and how many of its keys are not shown.
fn name(window: &Window, shown: usize) -> String {
    let name = harmless(&window.name, KEY_WIDTH);
    match (window.keys.len() - shown, window.more_keys) {
        (0, false) => name,
        (hidden, false) => format!("{name} +{hidden}"),
        (hidden, true) => format!("{name} +{hidden} or more"),
    }
}

fn row(name: &[String], key: &Key, format: &str) -> Row {
    let cells = key.cells.iter().zip(&key.places).map(|(cell, places)| texts(cell, *places));
    Row {
        key: harmless(&name.join(" "), KEY_WIDTH),
        start: start_text(key.start_us, format),
        cells: cells.collect(),
        mark: mark(key),
    }
}

fn texts(cell: &Cell, places: usize) -> Texts {
    let best = cell_text(cell, places);
    let plain = if cell.number().is_some() { best.replace(',', "") } else { best.clone() };
    let shortest = cell.number().map(brief).filter(|brief| brief.width() < plain.width());
    Texts([best, plain.clone(), shortest.unwrap_or(plain)])
}

fn cell_text(cell: &Cell, places: usize) -> String {
    match cell {
        Cell::Null => "-".to_owned(),
        Cell::Integer(value) => grouped(*value as f64, 0),
        Cell::Decimal { .. } => cell.number().map_or_else(String::new, |value| significant(value, places)),
        Cell::Double(value) => significant(*value, places),
        Cell::Boolean(value) => if *value { "yes" } else { "no" }.to_owned(),
        Cell::Time(time_us) => harmless(&iso(*time_us), 20),
        Cell::Text(text) => harmless(text, TEXT_WIDTH),
    }
}

/// Days as dates, minutes and hours without seconds; one format for all lines.
fn start_format(keys: &[(&Vec<String>, &Key)]) -> &'static str {
    let all = |unit: i64| {
        keys.iter().all(|(_, key)| key.start_us.rem_euclid(unit) == 0 && key.end_us.rem_euclid(unit) == 0)
    };
    match () {
        () if all(DAY_US) => "%m-%d",
        () if all(MINUTE_US) => "%H:%M",
        () => "%H:%M:%S",
    }
}

fn start_text(start_us: i64, format: &str) -> String {
    DateTime::from_timestamp_micros(start_us)
        .map_or_else(|| "-".to_owned(), |time| time.format(format).to_string())
}

/// Whether the window shown is open, and how whole the newest closed one was.
fn mark(key: &Key) -> (String, Style) {
    let open = if key.phase == Phase::Open { "◌" } else { " " };
    let (closed, style) = match key.closed {
        None => (String::new(), Style::Dim),
        Some(closed) => match closed.complete {
            Some(true) => ("✓".to_owned(), Style::Good),
            Some(false) if closed.missing > 0 => {
                (format!("✗{}", grouped(closed.missing as f64, 0)), Style::Bad)
            }
            Some(false) => ("✗".to_owned(), Style::Warn),
            None => ("·".to_owned(), Style::Dim),
        },
    };
    (format!("{open}{closed}"), style)
}

impl Texts {
    fn get(&self, form: Form) -> &str {
        &self.0[form as usize]
    }
}

fn chart_title(charted: &str, width: usize) -> String {
    let whole = format!("{CHART_SIGN} {charted}");
    if whole.width() <= width { whole } else { CHART_SIGN.to_owned() }
}

fn title(window: &Window, name: &str, columns: &Columns) -> Line {
    let mut line = Line::new();
    line.pad_to(MARGIN);
    line.push(name, Style::Strong);
    line.pad_to(MARGIN + columns.key + columns.gap);
    line.push("start", Style::Dim);
    let mut at = MARGIN + columns.key + columns.gap + columns.start;
    for (title, width) in columns.titles.iter().zip(&columns.cells) {
        let Some(width) = width else { continue };
        at += columns.gap + width;
        line.pad_to(at - title.width());
        line.push(title, Style::Dim);
    }
    if let Some(chart) = window.chart.filter(|_| columns.chart > 0) {
        line.pad_to(at + columns.gap + columns.mark + columns.gap);
        line.push(&chart_title(&columns.titles[chart], columns.chart), Style::Dim);
    }
    line
}

fn line(window: &Window, key: &Key, row: &Row, columns: &Columns) -> Line {
    let moved = match key.change() {
        Some(Ordering::Greater) => Style::Good,
        Some(Ordering::Less) => Style::Bad,
        Some(Ordering::Equal) | None => Style::Normal,
    };
    let mut line = Line::new();
    line.pad_to(MARGIN);
    line.push(&row.key, Style::Strong);
    line.pad_to(MARGIN + columns.key + columns.gap);
    line.push(&row.start, Style::Dim);
    let mut at = MARGIN + columns.key + columns.gap + columns.start;
    for (index, (texts, width)) in row.cells.iter().zip(&columns.cells).enumerate() {
        let Some(width) = width else { continue };
        at += columns.gap + width;
        let text = texts.get(columns.forms[index]);
        line.pad_to(at - text.width());
        line.push(text, if window.chart == Some(index) { moved } else { Style::Normal });
    }
    line.pad_to(at + columns.gap);
    line.push(&row.mark.0, row.mark.1);
    line.pad_to(at + columns.gap + columns.mark + columns.gap);
    line.push(&sparkline(&key.recent(columns.chart)), moved);
    line
}
