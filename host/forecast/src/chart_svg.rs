//! A still picture of the newest rows and the forecast with its band, light or dark as the reader has it.

use std::fmt::Write;

use crate::figures::significant;
use crate::series::day;
use crate::settings::Settings;
use crate::study::Study;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 12.0;
const RIGHT: f64 = 76.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 30.0;
/// Rows before the forecast.
pub const SHOWN: usize = 90;

const STYLE: &str = "<style>svg{font:13px system-ui,sans-serif;--ink:#1a1a1a;--dim:#6b6b6b;--line:#d9d9d9;--paper:#fff;\
--one:#1f5fbf;--two:#c2410c}@media(prefers-color-scheme:dark){svg{--ink:#eee;--dim:#a0a0a0;--line:#3a3a3a;--paper:#16181c;\
--one:#7ab0ff;--two:#ff9d5c}}</style>";

/// The picture as SVG.
pub fn draw(study: &Study, settings: &Settings) -> String {
    let fitted = &study.forecast;
    let learnt = fitted.ds_us.len().saturating_sub(settings.horizon);
    let known = &study.series.y[study.series.len() - learnt..];
    let first = learnt.saturating_sub(SHOWN);
    let values = known[first..].iter().chain(&fitted.lower[learnt..]).chain(&fitted.upper[learnt..]);
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(*it), high.max(*it)));
    let count = (fitted.ds_us.len() - first).max(2);
    let x = |row: usize| LEFT + (row - first) as f64 / (count - 1) as f64 * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| {
        let share = if high > low { (high - value) / (high - low) } else { 0.5 };
        TOP + share * (HEIGHT - TOP - BOTTOM)
    };
    let points = |rows: &mut dyn Iterator<Item = (usize, f64)>| {
        rows.map(|(row, value)| format!("{:.1},{:.1}", x(row), y(value))).collect::<Vec<_>>().join(" ")
    };
    let ahead = || learnt..fitted.ds_us.len();
    let band = points(
        &mut ahead()
            .map(|row| (row, fitted.upper[row]))
            .chain(ahead().rev().map(|row| (row, fitted.lower[row]))),
    );
    let actual = points(&mut (first..learnt).map(|row| (row, known[row])));
    let predicted = points(&mut ahead().map(|row| (row, fitted.yhat[row])));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">{STYLE}\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"var(--paper)\"/>"
    );
    let text = |x: f64, y: f64, end: bool, colour: &str, text: &str| {
        let anchor = if end { "end" } else { "start" };
        format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"var(--{colour})\">{}</text>",
            escaped(text)
        )
    };
    let title = format!("{}: {} {} steps ahead", study.series.symbol, settings.function, settings.horizon);
    out.push_str(&text(LEFT, 20.0, false, "ink", &title));
    // The test is in the report: here is room for one line.
    let verdict = study.verdict.split(" (").next().unwrap_or_default();
    out.push_str(&text(LEFT, 40.0, false, "dim", verdict));
    for share in [0.0, 0.5, 1.0] {
        let value = high - share * (high - low);
        let at = y(value);
        let end = WIDTH - RIGHT + 4.0;
        _ = write!(out, "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"var(--line)\"/>");
        out.push_str(&text(end + 4.0, at + 4.0, false, "dim", &significant(value)));
    }
    _ = write!(
        out,
        "<polygon points=\"{band}\" fill=\"var(--two)\" fill-opacity=\"0.2\"/>\
         <polyline points=\"{actual}\" fill=\"none\" stroke=\"var(--one)\" stroke-width=\"1.8\"/>\
         <polyline points=\"{predicted}\" fill=\"none\" stroke=\"var(--two)\" stroke-width=\"1.8\"/>"
    );
    let ends = (fitted.ds_us[first], fitted.ds_us[fitted.ds_us.len() - 1]);
    out.push_str(&text(LEFT, HEIGHT - 10.0, false, "dim", &day(ends.0)));
    out.push_str(&text(WIDTH - RIGHT, HEIGHT - 10.0, true, "dim", &day(ends.1)));
    out.push_str("</svg>\n");
    out
}

/// Text within HTML and SVG.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
