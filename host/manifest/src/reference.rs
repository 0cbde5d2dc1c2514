//! The reference of every key, made of its declaration: `docs/manifest.md`.

use std::fmt::Write;

use crate::backfill::Backfill;
use crate::batch::Batch;
use crate::cluster::{Cluster, REFUSED};
use crate::feed::Feed;
use crate::forecast::Forecast;
use crate::function::Vetting;
use crate::limits::{Epoch, Limits};
use crate::merge::Merge;
use crate::pipeline::{Lake, Pipeline};
use crate::rekey::Rekey;
use crate::remote::FunctionPlace;
use crate::schema::{Column, Messages};
use crate::sink_influxdb::WindowPoints;
use crate::sink_topics::{DeadLetters, LateRows, WindowTopic};
use crate::swap::Swap;
use crate::table::{Absence, Table};
use crate::window::Window;

/// The reference in Markdown.
pub fn reference() -> String {
    let mut out = String::from(BEGIN);
    write_table(Cluster::declaration(), &mut out);
    write_refused_settings(&mut out);
    for table in [
        Vetting::declaration(),
        Pipeline::declaration(),
        Messages::declaration(),
        Column::declaration(),
        FunctionPlace::declaration(),
        Epoch::declaration(),
        Limits::declaration(),
        Lake::declaration(),
        Swap::declaration(),
        Window::declaration(),
        WindowTopic::declaration(),
        WindowPoints::declaration(),
        Rekey::declaration(),
        LateRows::declaration(),
        DeadLetters::declaration(),
        Backfill::declaration(),
        Feed::declaration(),
        Batch::declaration(),
        Merge::declaration(),
        Forecast::declaration(),
    ] {
        write_table(table, &mut out);
    }
    out.push_str(END);
    out
}

fn write_table(table: &Table, out: &mut String) {
    _ = write!(out, "\n## `{}`\n\n{}\n\n", table.header, table.about);
    out.push_str("| key | takes | default | meaning |\n|---|---|---|---|\n");
    for key in &table.keys {
        let default = match key.absence {
            Absence::Mistake => "**required**".to_owned(),
            Absence::Means(meaning) => format!("if absent: {meaning}"),
            Absence::Is(value) => format!("`{value}`"),
        };
        _ = writeln!(out, "| `{}` | {} | {default} | {} |", key.name, key.words, key.meaning);
    }
}

fn write_refused_settings(out: &mut String) {
    out.push_str("\nThese settings of librdkafka are refused in `client`:\n\n");
    for (name, why) in REFUSED {
        _ = writeln!(out, "- `{name}`: {why}.");
    }
}

/// The text before the tables.
const BEGIN: &str = include_str!("reference/begin.md");
/// The text after them.
const END: &str = include_str!("reference/end.md");
