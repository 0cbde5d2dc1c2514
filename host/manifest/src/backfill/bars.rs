//! The pipeline as a backfill computes it: its windows, over an exchange's bars.

use crate::aggregate::Aggregate;
use crate::config_digest;
use crate::error::{Report, suggestion};
use crate::pipeline::{self, Pipeline};
use crate::reader::{self, Reader};
use crate::window::{self, IdColumns, Shape, Window};

/// The pipeline with its windows as they are computed from bars.
pub(super) fn read(
    reader: &Reader<'_>,
    target: Pipeline,
    interval_us: u64,
    report: &mut Report,
) -> Option<Pipeline> {
    let parse = reader.optional("parse", report, pipeline::read_parse);
    let parse_settings = reader.optional("parse-settings", report, pipeline::read_parse_settings);
    let kinds = reader.required("kinds", report, window::read_kinds);
    let ids = reader.required("ids", report, window::read_ids);
    let names = reader.optional("windows", report, reader::texts);
    let aggregates =
        reader.required("aggregates", report, |node, report| window::read_aggregates(node, &[], report));
    let chosen = choose_windows(reader, &target, names?.as_deref(), report)?;
    let (kinds, ids, aggregates) = (kinds?, ids?, aggregates?);
    let windows: Vec<_> = chosen
        .into_iter()
        .map(|window| {
            check_window(reader, window, interval_us, report)?;
            over_bars(reader, window, (&kinds, &ids, &aggregates), report)
        })
        .collect();
    let windows: Vec<Window> = windows.into_iter().collect::<Option<_>>()?;
    let scales = reader
        .optional("scales", report, |node, report| pipeline::read_scales(node, &windows, report))?
        .unwrap_or_default();
    let mut bars = Pipeline {
        parse: parse?.unwrap_or(target.parse.clone()),
        parse_settings: parse_settings?.unwrap_or(target.parse_settings.clone()),
        scales,
        windows,
        ..target
    };
    bars.digest = config_digest::digest(&bars.meaning());
    Some(bars)
}

fn choose_windows<'p>(
    reader: &Reader<'_>,
    target: &'p Pipeline,
    names: Option<&[String]>,
    report: &mut Report,
) -> Option<Vec<&'p Window>> {
    let tumbling = |window: &&Window| matches!(window.shape, Shape::Tumbling { .. });
    let Some(names) = names else {
        let all: Vec<&Window> = target.windows.iter().filter(tumbling).collect();
        if all.is_empty() {
            report.at(reader.node(), format!("pipeline `{}` has no tumbling window to fill", target.id));
        }
        return (!all.is_empty()).then_some(all);
    };
    let known: Vec<&str> = target.windows.iter().map(|window| window.name.as_str()).collect();
    let chosen: Vec<_> = names
        .iter()
        .map(|name| {
            let found = target.windows.iter().find(|window| window.name == *name);
            if found.is_none() {
                let suggestion = suggestion(name, &known);
                report.at(
                    reader.node(),
                    format!("`windows`: pipeline `{}` has no `{name}`; {suggestion}", target.id),
                );
            }
            found
        })
        .collect();
    chosen.into_iter().collect()
}

fn check_window(reader: &Reader<'_>, window: &Window, interval_us: u64, report: &mut Report) -> Option<()> {
    let mut refuse = |why: String| {
        report.at(reader.node(), format!("window `{}` {why}", window.name));
        None
    };
    let Shape::Tumbling { size_us } = window.shape else {
        return refuse(
            "is not a tumbling one, and others cannot be filled; leave it out of `windows`".to_owned(),
        );
    };
    if window.keys.len() != 1 {
        return refuse(
            "must have one key, the symbol: an exchange is asked for a symbol at a time; leave it out of `windows`"
                .to_owned(),
        );
    }
    if !size_us.is_multiple_of(interval_us) || !window.offset_us.unsigned_abs().is_multiple_of(interval_us) {
        return refuse(
            "is not made of whole bars: choose an `interval` that divides its size and offset".to_owned(),
        );
    }
    Some(())
}

/// A window with the same columns, over bars.
fn over_bars(
    reader: &Reader<'_>,
    window: &Window,
    (kinds, ids, aggregates): (&[String], &IdColumns, &[Aggregate]),
    report: &mut Report,
) -> Option<Window> {
    let columns: Vec<_> = window
        .aggregates
        .iter()
        .map(|column| {
            let found = aggregates.iter().find(|aggregate| aggregate.name == column.name).cloned();
            if found.is_none() {
                let problem = format!(
                    "window `{}` has a column `{}`, and `aggregates` does not say how it is made of bars; add it, or \
                     leave the window out of `windows`",
                    window.name, column.name
                );
                report.at(reader.node(), problem);
            }
            found
        })
        .collect();
    Some(Window {
        kinds: kinds.to_vec(),
        ids: Some(ids.clone()),
        aggregates: columns.into_iter().collect::<Option<_>>()?,
        ..window.clone()
    })
}
