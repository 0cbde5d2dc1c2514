//! The table of one window definition: a line a key.

use std::cmp::Ordering;

use chrono::DateTime;
use unicode_width::UnicodeWidthStr;

use super::cell::{Cell, iso};
use super::number::{brief, grouped, significant};
use super::spark::sparkline;
use super::style::{Line, Style, harmless};
use super::view::{Key, Phase, Window};

/// Blanks in front of each line.
const MARGIN: usize = 1;
/// Blanks between two columns, where there is room and where there is not.
const GAPS: [usize; 2] = [2, 1];
const KEY_WIDTH: usize = 18;
const TEXT_WIDTH: usize = 14;
/// Of titles where there is little room, unless the numbers below are wider.
const SHORT_TITLE: usize = 7;
/// Names that are the same up to there are shown longer.
const LONGEST_TITLE: usize = 64;
/// Before the name of what is charted, which has a column of its own as well.
const CHART_SIGN: &str = "▂▅█";
/// A chart's width: where there is room, where there is little, where there is none.
const CHARTS: [usize; 3] = [6, 3, 0];
const WIDEST_CHART: usize = 60;

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

/// Which of a value's texts is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Best = 0,
    Plain = 1,
    Short = 2,
}

/// The columns that fit into a width.
struct Columns {
    gap: usize,
    key: usize,
    start: usize,
    /// Of all aggregates.
    titles: Vec<String>,
    forms: Vec<Form>,
    /// Width of each aggregate; `None` if there is no room for it.
    cells: Vec<Option<usize>>,
    mark: usize,
    chart: usize,
}

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

/// The roomiest way to show all aggregates: with blanks, marks between thousands and a chart; then without some of them;
/// where nothing helps, with the charted aggregate and as many others from the left as there is room for.
fn fitting(window: &Window, name: &str, rows: &[Row], width: usize) -> Columns {
    let count = window.aggregates.len();
    // What stands right of what is charted: prices stay exact.
    let after_chart = count - window.chart.map_or(count, |chart| chart + 1);
    let plain_but = |shortened: usize| -> Vec<Form> {
        let form = |at| if at + shortened >= count { Form::Short } else { Form::Plain };
        (0..count).map(form).collect()
    };
    let best = GAPS.map(|gap| (gap, vec![Form::Best; count], CHARTS[0]));
    let tight = CHARTS
        .iter()
        .flat_map(|chart| (0..=after_chart).map(move |shortened| (GAPS[1], plain_but(shortened), *chart)));
    let mut last = None;
    for (gap, forms, chart) in best.into_iter().chain(tight) {
        let columns = columns(window, name, rows, (width, gap, chart), forms);
        if columns.cells.iter().all(Option::is_some) {
            return columns;
        }
        last = Some(columns);
    }
    // There is always a way to try.
    last.unwrap_or_else(|| columns(window, name, rows, (width, GAPS[1], 0), plain_but(after_chart)))
}

/// Deals the width out. The key and the charted aggregate come first, then aggregates from the left, then the chart.
fn columns(
    window: &Window,
    name: &str,
    rows: &[Row],
    (width, gap, chart): (usize, usize, usize),
    forms: Vec<Form>,
) -> Columns {
    let widest = |of: &dyn Fn(&Row) -> usize, title: usize| rows.iter().map(of).max().unwrap_or(0).max(title);
    let key = widest(&|row| row.key.width(), name.width());
    let start = widest(&|row| row.start.width(), 5);
    let mark = widest(&|row| row.mark.0.width(), 2);
    let text =
        |at: usize| widest(&|row| row.cells.get(at).map_or(0, |texts| texts.get(forms[at]).width()), 0);
    let most = |at: usize| if forms[at] == Form::Best { TEXT_WIDTH } else { text(at).max(SHORT_TITLE) };
    let titles = titles(&window.aggregates, &most);

    let chart_and_gap = if chart == 0 { 0 } else { gap + chart };
    let mut left = width.saturating_sub(MARGIN + key + gap + start + gap + mark + chart_and_gap);
    let mut cells = vec![None; window.aggregates.len()];
    let charted_first = window.chart.into_iter().chain(0..cells.len());
    for at in charted_first {
        let wanted = text(at).max(titles[at].width());
        if cells[at].is_none() && wanted + gap <= left {
            cells[at] = Some(wanted);
            left -= wanted + gap;
        }
    }
    let chart = if chart == 0 { 0 } else { (chart + left).min(WIDEST_CHART) };
    Columns { gap, key, start, titles, forms, cells, mark, chart }
}

impl Texts {
    fn get(&self, form: Form) -> &str {
        &self.0[form as usize]
    }
}

/// Names as short as `most` gives for each place, and longer only where two of them would read the same.
pub(super) fn titles(names: &[String], most: &dyn Fn(usize) -> usize) -> Vec<String> {
    let short: Vec<String> = names.iter().enumerate().map(|(at, name)| harmless(name, most(at))).collect();
    let is_unique = |title: &String| short.iter().filter(|other| *other == title).count() == 1;
    let titles = short.iter().zip(names);
    titles
        .map(|(title, name)| if is_unique(title) { title.clone() } else { harmless(name, LONGEST_TITLE) })
        .collect()
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
