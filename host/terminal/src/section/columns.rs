//! The columns of a window's table, and how they fit into a width.

use unicode_width::UnicodeWidthStr;

use super::{MARGIN, Row, TEXT_WIDTH};
use crate::style::harmless;
use crate::view::Window;

/// Blanks between two columns, where there is room and where there is not.
const GAPS: [usize; 2] = [2, 1];
/// Of titles where there is little room, unless the numbers below are wider.
const SHORT_TITLE: usize = 7;
/// Names that are the same up to there are shown longer.
pub(super) const LONGEST_TITLE: usize = 64;
/// A chart's width: with room, with little room, with none.
const CHARTS: [usize; 3] = [6, 3, 0];
const WIDEST_CHART: usize = 60;

/// Which of a value's texts is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Best = 0,
    Plain = 1,
    Short = 2,
}

/// The columns that fit into a width.
pub(super) struct Columns {
    pub gap: usize,
    pub key: usize,
    pub start: usize,
    /// Of all aggregates.
    pub titles: Vec<String>,
    pub forms: Vec<Form>,
    /// Width of each aggregate; `None` if there is no room for it.
    pub cells: Vec<Option<usize>>,
    pub mark: usize,
    pub chart: usize,
}

/// The roomiest way to show all aggregates: with blanks, marks between thousands and a chart; then without some of them;
/// where nothing helps, with the charted aggregate and as many others from the left as there is room for.
pub(super) fn fitting(window: &Window, name: &str, rows: &[Row], width: usize) -> Columns {
    let count = window.aggregates.len();
    // What is right of the chart's column: prices stay exact.
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

/// Names as short as `most` gives for each place, and longer only where two of them would read the same.
pub(crate) fn titles(names: &[String], most: &dyn Fn(usize) -> usize) -> Vec<String> {
    let short: Vec<String> = names.iter().enumerate().map(|(at, name)| harmless(name, most(at))).collect();
    let is_unique = |title: &String| short.iter().filter(|other| *other == title).count() == 1;
    let titles = short.iter().zip(names);
    titles
        .map(|(title, name)| if is_unique(title) { title.clone() } else { harmless(name, LONGEST_TITLE) })
        .collect()
}
