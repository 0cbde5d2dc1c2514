//! The reference of every key, made of the schema that the reader goes by: `docs/manifest.md`.

use std::fmt::Write;

use crate::cluster::REFUSED;
use crate::schema::{self, Fallback, Table};

/// The reference in Markdown.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    let ours = [
        &schema::CLUSTER,
        &schema::FUNCTION,
        &schema::PIPELINE,
        &schema::FUNCTION_PLACE,
        &schema::EPOCH,
        &schema::LIMITS,
        &schema::LAKE,
        &schema::SWAP,
        &schema::WINDOW,
        &schema::BACKFILL,
        &schema::BATCH,
        &schema::MERGE,
    ];
    for table in ours {
        write_table(table, &mut out);
        if std::ptr::eq(table, &schema::CLUSTER) {
            write_refused_settings(&mut out);
        }
    }
    out.push_str(CONCLUSION);
    out
}

fn write_table(table: &Table, out: &mut String) {
    _ = write!(out, "\n## `{}`\n\n{}\n\n", table.header, table.meaning);
    out.push_str("| key | takes | default | meaning |\n|---|---|---|---|\n");
    for key in table.keys {
        let default = match key.default {
            Fallback::Required => "**required**".to_owned(),
            Fallback::Absent(meaning) => format!("none: {meaning}"),
            Fallback::Is(value) => format!("`{value}`"),
        };
        _ = writeln!(out, "| `{}` | {} | {default} | {} |", key.name, key.takes, key.meaning);
    }
}

fn write_refused_settings(out: &mut String) {
    out.push_str("\nThese settings of librdkafka are refused in `client`:\n\n");
    for (name, why) in REFUSED {
        _ = writeln!(out, "- `{name}`: {why}.");
    }
}

const INTRODUCTION: &str = "\
# The manifest

<!-- Made from host/manifest/src by `cargo run --release -p tallow-manifest --example reference > docs/manifest.md`. -->

One `spin.toml` (Spin manifest version 2) is read by `tallow up` and by `spin up` alike. Tallow's own tables are \
`[application.trigger.kafka]` and `[[trigger.kafka]]` with what is inside them; in these an unknown key is an \
error. Spin's tables (`[application]`, `[variables]`, `[component.*]`) follow Spin's schema. Triggers of other \
types are left to Spin. The `spin.toml` at the repository's root is an example with comments.

- **Durations**: a number and a unit, `us`, `ms`, `s`, `m` (minutes), `h`, `d`, `w`: `\"500ms\"`, `\"1h 30m\"`.
- **Sizes**: bytes as an integer, or with a unit: `\"512KiB\"`, `\"64MiB\"`, `\"1GB\"`.
- **Variables**: `{{ name }}` in any value of our tables is a variable of `[variables]`: its `default`, or what \
the environment variable `SPIN_VARIABLE_<NAME>` says instead. A variable with `secret = true` may stand in \
`client` and `lake-options` only. Its value is shown nowhere: `***` stands for it in every message and log line, \
also in those of the Kafka client and the object store. The same goes for settings there whose name speaks of a \
password, secret, token, key or credential.
- **Folders and files** that are relative start from the manifest's folder.
";

const CONCLUSION: &str = "
## Aggregates

Each line of `[trigger.kafka.windows.aggregates]` makes a column: `name = \"operation(column)\"`. `first` and \
`last` go by event time, then id, topic, partition and offset. `sum`, `mean`, `vwap` and `sum_product` take \
decimals and are exact.

| operation | gives |
|---|---|
| `first(c)`, `last(c)` | value of the first or last row |
| `min(c)`, `max(c)` | smallest or largest value |
| `sum(c)`, `mean(c)` | sum, mean |
| `count()`, `count(c)` | number of rows; of rows with a value in `c` |
| `vwap(price, quantity)` | mean of `price` weighted by `quantity` |
| `sum_product(a, b)` | sum of `a` times `b` |

A candle has these columns beside its own: the key columns, `window_start`, `window_end`, `revision`, with `ids` \
also `first_id`, `last_id`, `missing`, `complete`; its folder gives it a `date`. No aggregate may take one of \
these names.
";
