//! From the view to lines. Pure: the same view and size give the same lines.

use super::cell::iso;
use super::number::{grouped, short};
use super::section::section;
use super::style::{Line, Palette, Style, harmless};
use super::view::{Counters, View, Window};

/// Lines below the counters that are better spent on keys.
const LEAST_WITH_LEGEND: usize = 6;

/// Blanks between two counters.
const GAP: usize = 2;

const LEGEND: &str = " ◌ open   newest closed window: ✓ complete  ✗ rows missing  · not known   UTC";

/// At most `height` lines of at most `width` columns.
pub fn render(view: &View, width: usize, height: usize, palette: Palette) -> Vec<String> {
    let mut lines = head(view, width);
    let windows: Vec<&Window> = view.windows.iter().filter(|window| !window.keys.is_empty()).collect();
    if windows.is_empty() {
        lines.push(Line::new());
        lines.push(text(" waiting for the first rows …", Style::Dim));
    } else {
        let room = Room::of(height.saturating_sub(lines.len()), &windows);
        let mut hidden: Vec<String> = Vec::new();
        for (window, share) in windows.iter().zip(&room.shares).filter(|(_, share)| **share >= 2) {
            if room.blanks {
                lines.push(Line::new());
            }
            let (section, lacks) = section(window, width, *share);
            lines.extend(section);
            hidden.extend(lacks.into_iter().filter(|name| !hidden.contains(name)).collect::<Vec<_>>());
        }
        if room.legend {
            if room.blanks && lines.len() + 2 <= height {
                lines.push(Line::new());
            }
            lines.push(legend(&hidden));
        }
    }
    lines.truncate(height);
    lines.iter().map(|line| line.paint(width, palette)).collect()
}

/// What is done with the lines below the counters.
struct Room {
    /// Lines of each window: a title and a line a key.
    shares: Vec<usize>,
    /// Whether a blank line is before each of them.
    blanks: bool,
    legend: bool,
}

impl Room {
    /// Blanks go first where there is too little, then keys, then the legend.
    fn of(lines: usize, windows: &[&Window]) -> Self {
        let wants: Vec<usize> = windows.iter().map(|window| window.keys.len() + 1).collect();
        let all: usize = wants.iter().sum();
        let legend = lines > LEAST_WITH_LEGEND;
        let left = lines.saturating_sub(usize::from(legend));
        let blanks = all + windows.len() <= left;
        let left = if blanks { left - windows.len() } else { left };
        Self { shares: shares(&wants, left), blanks, legend }
    }
}

/// What the marks mean; what is not shown comes first.
fn legend(hidden: &[String]) -> Line {
    match hidden {
        [] => text(LEGEND, Style::Dim),
        hidden => text(&format!(" a wider terminal shows {}", hidden.join(", ")), Style::Warn),
    }
}

/// The room dealt out evenly, what one does not want to those that do; the first ones get the remainder.
fn shares(wants: &[usize], room: usize) -> Vec<usize> {
    let mut shares = vec![0; wants.len()];
    let mut left = room;
    loop {
        let hungry: Vec<usize> = (0..wants.len()).filter(|at| shares[*at] < wants[*at]).collect();
        if hungry.is_empty() || left == 0 {
            return shares;
        }
        let each = (left / hungry.len()).max(1);
        for at in hungry {
            let more = each.min(wants[at] - shares[at]).min(left);
            shares[at] += more;
            left -= more;
        }
    }
}

fn head(view: &View, width: usize) -> Vec<Line> {
    let counters = &view.counters;
    let mut first = Line::new();
    first.push(" tallow ", Style::Strong);
    first.push(&harmless(&view.pipeline, 24), Style::Normal);
    let right = format!("epoch {}   {} records/s", counters.epochs, short(counters.records_per_s));
    first.pad_to(width.saturating_sub(right.chars().count() + 1));
    first.push(&right, Style::Strong);
    let mut lines = vec![first];
    lines.extend(flow(&counts(counters), width));
    lines
}

/// Counters, each a text and its style.
fn counts(counters: &Counters) -> Vec<(String, Style)> {
    let many = |count: u64| grouped(count as f64, 0);
    let worry = |count: u64, style| if count == 0 { Style::Dim } else { style };
    let mut counts = vec![
        (format!("records {}", many(counters.records)), Style::Normal),
        (format!("rows {}", many(counters.rows)), Style::Normal),
        (format!("candles {}", many(counters.candles)), Style::Normal),
    ];
    if let Some(lag) = counters.lag {
        counts.push((format!("lag {}", many(lag)), Style::Normal));
    }
    let watermark =
        counters.watermark_us.map_or_else(|| "-".to_owned(), |us| iso(us - us.rem_euclid(1_000_000)));
    counts.extend([
        (format!("watermark {watermark}"), Style::Normal),
        (format!("late {}", many(counters.late)), worry(counters.late, Style::Warn)),
        (format!("duplicates {}", many(counters.duplicates)), worry(counters.duplicates, Style::Normal)),
        (format!("conflicts {}", many(counters.conflicts)), worry(counters.conflicts, Style::Warn)),
        (format!("dead {}", many(counters.dead_letters)), worry(counters.dead_letters, Style::Bad)),
    ]);
    counts
}

/// Pieces one after the other, on as many lines as they need.
fn flow(pieces: &[(String, Style)], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = Line::new();
    for (piece, style) in pieces {
        let gap = if line.width() == 0 { 1 } else { GAP };
        if line.width() > 0 && line.width() + gap + piece.chars().count() > width {
            lines.push(std::mem::take(&mut line));
            line.pad_to(1);
        } else {
            line.pad_to(line.width() + gap);
        }
        line.push(piece, *style);
    }
    lines.push(line);
    lines
}

fn text(text: &str, style: Style) -> Line {
    let mut line = Line::new();
    line.push(text, style);
    line
}
