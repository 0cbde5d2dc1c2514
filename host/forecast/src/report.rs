//! The report of a run: one HTML file that needs nothing else. plotly.js draws it; the numbers lie in it as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::averages;
use crate::chart_svg::escaped;
use crate::figures::{FIGURES, figures, significant};
use crate::grid;
use crate::judge::Judged;
use crate::leaked::Leaked;
use crate::series::{Candle, Series, day};
use crate::settings::Settings;
use crate::study::{Scored, Study};

const STYLE: &str = include_str!("report/page.css");
const SCRIPT: &str = include_str!("report/page.js");
/// Candles that are drawn, the newest ones: before them the chart has the closes.
const CANDLES: usize = 400;
/// Residuals and forecasts beyond these digits are not seen in a chart.
const DIGITS: f64 = 1e6;

/// The whole page.
pub fn page(studies: &[Study], left_out: &[(String, String)], settings: &Settings, number: u64) -> String {
    let title = escaped(&format!("Forecast {}, run {number}", settings.name));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><style>{STYLE}</style></head><body><main>\n"
    );
    for study in studies {
        let of = if studies.len() > 1 { format!("{}: ", study.series.symbol) } else { String::new() };
        _ = writeln!(out, "<p class=\"verdict\">{}</p>", escaped(&format!("{of}{}", study.verdict)));
    }
    _ = writeln!(out, "<h1>{title}</h1><p>{}</p>", escaped(&how(settings)));
    for (symbol, why) in left_out {
        _ = writeln!(
            out,
            "<p class=\"warn\"><b>{}</b> is not forecast: {}</p>",
            escaped(symbol),
            escaped(why)
        );
    }
    for (index, study) in studies.iter().enumerate() {
        section(&mut out, index, study, settings);
    }
    let data: Vec<Value> = studies.iter().map(|study| data(study, settings)).collect();
    // No text ends the script before its end.
    let data = json!(data).to_string().replace('<', "\\u003c");
    _ = writeln!(out, "</main><script type=\"application/json\" id=\"data\">{data}</script>");
    _ = write!(out, "{}\n<script>{SCRIPT}</script></body></html>\n", plotly_js());
    out
}

/// plotly.js in its script tags; the crate adds MathJax after it, which nothing here uses.
fn plotly_js() -> String {
    const END: &str = "</script>";
    let sources = plotly::Plot::offline_js_sources();
    let end = sources.find(END).map_or(sources.len(), |at| at + END.len());
    sources[..end].to_owned()
}

fn how(settings: &Settings) -> String {
    let Settings { function, horizon, folds, level, log, .. } = settings;
    let train =
        folds.train.map_or("all rows before it".to_owned(), |train| format!("{train} rows before it"));
    let log = if *log { " of the logarithm" } else { "" };
    format!(
        "{function}{log}, {horizon} steps ahead, band of {:.0} %. Judged at cuts {} rows apart, each fitted on {train}, beside \
         the last value and drift.",
        100.0 * level,
        folds.spacing
    )
}

fn section(out: &mut String, index: usize, study: &Study, settings: &Settings) {
    _ = writeln!(out, "<section><h2>{}</h2>", escaped(&study.series.symbol));
    let chart = |out: &mut String, kind: &str, title: &str| {
        _ = writeln!(
            out,
            "<h3>{title}</h3><div class=\"chart {kind}\" data-of=\"{index}\" data-kind=\"{kind}\"></div>"
        );
    };
    honest(out, study);
    chart(out, "forecast", "Actual, fitted, forecast");
    chart(out, "judged", "What was forecast at each cut, and what came");
    chart(out, "steps", "Error by step of the horizon");
    chart(out, "residuals", "Residuals at the cuts: what came less what was forecast");
    let unit = if settings.log { ", of the logarithm" } else { "" };
    chart(out, "components", &format!("Components{unit}"));
    choices(out, &study.scored, &study.chosen);
    if let Some(leaked) = &study.leaked {
        leaks(out, leaked);
    }
    list(out, "Remarks", &study.remarks);
    list(out, "Fits that failed", &study.failures);
    out.push_str("</section>\n");
}

fn honest(out: &mut String, study: &Study) {
    out.push_str("<h3>Measures, with only what was known at each cut</h3>");
    let rows = study.judged.iter().map(|judged: &Judged| {
        let wins = if judged.test.is_some() {
            format!("{} of {}", judged.wins, judged.origins)
        } else {
            "-".to_owned()
        };
        figures(judged).into_iter().chain([wins]).collect::<Vec<_>>()
    });
    let heads: Vec<&str> = FIGURES.iter().copied().chain(["better at"]).collect();
    table(out, &heads, rows);
    out.push_str(
        "<p class=\"note\">MASE: mean error ÷ mean move from row to row in the rows that were learnt from. Coverage: share of \
         rows within the band. Pinball: of both ends of the band, on the scale of MASE. p: of the Diebold-Mariano test against \
         the last value, with Harvey's correction.</p>",
    );
}

fn choices(out: &mut String, scored: &[Scored], chosen: &grid::Point) {
    if scored.len() < 2 {
        return;
    }
    out.push_str("<h3>Settings, by cuts before those that judge</h3>");
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.2}"));
    let rows = scored.iter().map(|it| {
        let mark = if it.settings == *chosen { "chosen" } else { "" };
        vec![
            grid::name(&it.settings),
            number(it.mase),
            number(it.mape),
            it.origins.to_string(),
            mark.to_owned(),
        ]
    });
    table(out, &["settings", "MASE", "MAPE %", "cuts", ""], rows);
}

fn leaks(out: &mut String, leaked: &Leaked) {
    out.push_str(
        "<div class=\"leaked\"><h3>Leaked: not a forecast</h3><p>These figures are as such systems often report them: the \
         regressors hold the very value that is forecast, and the settings are chosen on the test set. They are here to be \
         compared with such reports, and with nothing above.</p>",
    );
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.2}"));
    let size = |value: Option<f64>| value.map_or("-".to_owned(), significant);
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let rows = [
        row("settings chosen on the test set", grid::name(&leaked.chosen)),
        row("regressors of the same day", leaked.averages.join(", ")),
        row(&format!("MAPE % of the {} test rows", leaked.test_rows), number(leaked.test_mape)),
        row("MAE", size(leaked.test_mae)),
        row("RMSE", size(leaked.test_rmse)),
        row(
            &format!("cross-validated MAPE %, {} cuts", leaked.cross_validated_cuts),
            number(leaked.cross_validated_mape),
        ),
    ];
    table(out, &["leaked", ""], rows.into_iter());
    let rows = leaked.tried.iter().map(|it| vec![grid::name(&it.settings), number(it.test_mape)]);
    table(out, &["leaked, by settings", "test MAPE %"], rows);
    out.push_str("</div>");
}

fn table(out: &mut String, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    out.push_str("<div class=\"wide\"><table><thead><tr>");
    heads.iter().for_each(|head| _ = write!(out, "<th>{}</th>", escaped(head)));
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        row.iter().for_each(|cell| _ = write!(out, "<td>{}</td>", escaped(cell)));
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
}

fn list(out: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    _ = write!(out, "<h3>{title}</h3><ul>");
    items.iter().for_each(|item| _ = write!(out, "<li>{}</li>", escaped(item)));
    out.push_str("</ul>\n");
}

/// What the charts of a symbol show.
fn data(study: &Study, settings: &Settings) -> Value {
    let fitted = &study.forecast;
    let learnt = fitted.ds_us.len().saturating_sub(settings.horizon);
    let times = |times: &[i64]| times.iter().map(|it| day(*it)).collect::<Vec<_>>();
    let judgings: Vec<Value> = study
        .judgings
        .iter()
        .map(|it| {
            let test = it.origin.test.clone();
            json!({
                "ds": times(&study.series.ds_us[test.clone()]),
                "y": short(&study.series.y[test]),
                "yhat": short(&it.model.yhat),
                "lower": short(&it.model.lower),
                "upper": short(&it.model.upper),
            })
        })
        .collect();
    let steps = |of: fn(&crate::measures::Measures) -> Option<f64>| {
        let each = |judged: &Judged| json!({ "model": judged.model, "values": judged.per_step.iter().map(of).collect::<Vec<_>>() });
        study.judged.iter().map(each).collect::<Vec<_>>()
    };
    let components: Vec<Value> =
        fitted.components.iter().map(|(name, values)| json!({ "name": name, "values": short(values), "share": fitted.multiplicative.contains(name) })).collect();
    json!({
        "candles": candles(&study.series),
        "symbol": study.series.symbol,
        "model": settings.function,
        "ds": times(&fitted.ds_us),
        "learnt": learnt,
        "y": short(&study.series.y[study.series.len() - learnt..]),
        "yhat": short(&fitted.yhat),
        "lower": short(&fitted.lower),
        "upper": short(&fitted.upper),
        "components": components,
        "holidays": holidays(settings, fitted.ds_us.first().copied(), fitted.ds_us.last().copied()),
        "judgings": judgings,
        "mape": steps(|it| it.mape),
        "coverage": steps(|it| it.coverage),
        "level": settings.level,
        "averages": settings.averages.iter().map(|it| averages::name(*it)).collect::<Vec<_>>(),
    })
}

/// The newest candles; `null` if there are none.
fn candles(series: &Series) -> Value {
    if series.candles.is_empty() {
        return Value::Null;
    }
    let rows = series.len().saturating_sub(CANDLES)..series.len();
    // A step of which only the close is known is a line.
    let price = |of: fn(&Candle) -> f64| {
        let one = |row: usize| series.candles[row].as_ref().map_or(series.y[row], of);
        short(&rows.clone().map(one).collect::<Vec<_>>())
    };
    json!({
        "ds": rows.clone().map(|row| day(series.ds_us[row])).collect::<Vec<_>>(),
        "open": price(|it| it.open),
        "high": price(|it| it.high),
        "low": price(|it| it.low),
        "close": short(&series.y[rows.clone()]),
    })
}

/// Those within the picture, each with the days of its window.
fn holidays(settings: &Settings, first_us: Option<i64>, last_us: Option<i64>) -> Vec<Value> {
    const DAY_US: i64 = 86_400_000_000;
    let (Some(first_us), Some(last_us)) = (first_us, last_us) else { return Vec::new() };
    let of = |holidays: &crate::settings::Holidays| {
        let window = |at: &i64| {
            let (from, to) =
                (at - i64::from(holidays.before) * DAY_US, at + i64::from(holidays.after + 1) * DAY_US);
            (to > first_us && from < last_us)
                .then(|| json!({ "name": holidays.name, "from": day(from), "to": day(to) }))
        };
        holidays.days_us.iter().filter_map(window).collect::<Vec<_>>()
    };
    settings.holidays.iter().flat_map(of).collect()
}

/// Values with as many digits as a chart shows.
fn short(values: &[f64]) -> Vec<f64> {
    let one = |value: &f64| {
        let unit = 10_f64.powf(value.abs().max(f64::MIN_POSITIVE).log10().floor()) / DIGITS;
        let short = (value / unit).round() * unit;
        // What has no such unit stays as it is.
        let text = format!("{short:.8e}");
        text.parse().ok().filter(|it: &f64| it.is_finite()).unwrap_or(*value)
    };
    values.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_have_the_digits_that_are_seen() {
        let found = short(&[113_700.11, 0.000_012_345_678, -5.0, 0.0]);
        assert_eq!(found, [113_700.1, 0.000_012_345_68, -5.0, 0.0]);
    }

    #[test]
    fn the_page_carries_plotly_and_no_more() {
        let script = plotly_js();
        assert!(script.starts_with("<script") && script.ends_with("</script>"));
        assert!(script.contains("plotly.js v3") && script.len() > 4_000_000, "{}", script.len());
        assert!(!script.contains("MathJax=") && script.matches("</script>").count() == 1);
    }
}
