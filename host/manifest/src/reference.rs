//! The reference of every key, made of its declaration: `docs/manifest.md`.

use std::fmt::Write;

use crate::backfill::Backfill;
use crate::batch::Batch;
use crate::cluster::{Cluster, REFUSED};
use crate::function::Vetting;
use crate::limits::{Epoch, Limits};
use crate::merge::Merge;
use crate::pipeline::{Lake, Pipeline};
use crate::remote::FunctionPlace;
use crate::swap::Swap;
use crate::table::{Absence, Table};
use crate::window::Window;

/// The reference in Markdown.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    write_table(Cluster::declaration(), &mut out);
    write_refused_settings(&mut out);
    for table in [
        Vetting::declaration(),
        Pipeline::declaration(),
        FunctionPlace::declaration(),
        Epoch::declaration(),
        Limits::declaration(),
        Lake::declaration(),
        Swap::declaration(),
        Window::declaration(),
        Backfill::declaration(),
        Batch::declaration(),
        Merge::declaration(),
    ] {
        write_table(table, &mut out);
    }
    out.push_str(CONCLUSION);
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

const INTRODUCTION: &str = "\
# The manifest

<!-- Made from host/manifest/src by `cargo run --release -p tallow-manifest --example reference > docs/manifest.md`. -->

Every key of `spin.toml` that Tallow reads, for those who write one. `tallow up` and `spin up` read the same file, a Spin \
manifest of version 2. Tallow's own tables are `[application.trigger.kafka]` and `[[trigger.kafka]]` with what is inside \
them. An unknown key in them is an error. Spin's tables (`[application]`, `[variables]`, `[component.*]`) follow Spin's \
schema. Triggers of other types are left to Spin. The `spin.toml` at the repository's root is an example with comments.

- **Durations**: a number and a unit, `us`, `ms`, `s`, `m` (minutes), `h`, `d`, `w`: `\"500ms\"`, `\"1h 30m\"`.
- **Sizes**: bytes as an integer, or with a unit: `\"512KiB\"`, `\"64MiB\"`, `\"1GB\"`.
- **Variables**: `{{ name }}` in any value of our tables is a variable of `[variables]`: its `default`, or what \
the environment variable `SPIN_VARIABLE_<NAME>` says instead. A variable with `secret = true` may only stand in \
`client`, in `lake-options` and in `token` beside `remote`. Its value is never shown: every message and log line has `***` \
instead, also those of the Kafka client and the object store. The same is true of settings there whose name contains \
password, secret, token, key or credential.
- **Folders and files** that are relative start from the manifest's folder.

## In an editor

`docs/manifest.schema.json` is a JSON schema of these tables. Editors that use Taplo (Even Better TOML in Visual Studio \
Code, and the language server in others) complete keys by it, show what they mean, and mark what is wrong. They find it by \
the first line of the manifest, as in this repository's `spin.toml`:

```toml
#:schema docs/manifest.schema.json
```

Elsewhere `tallow schema > manifest.schema.json` writes it beside the manifest, whose first line is then \
`#:schema manifest.schema.json`. What the schema marks is an error for `tallow check`, too. `tallow check` finds more: names \
that do not exist, expressions that are wrong, files that are not there.
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
