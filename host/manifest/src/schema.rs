//! The tables and keys of a manifest that are ours, with their defaults: what the reader goes by and what
//! the reference is made of.

mod backfill;
mod batch;
mod merge;

pub(crate) use backfill::BACKFILL;
pub(crate) use batch::BATCH;
pub(crate) use merge::MERGE;

pub(crate) struct Table {
    pub header: &'static str,
    pub meaning: &'static str,
    pub keys: &'static [Key],
    /// Keys that are refused with a reason of their own.
    pub refused: &'static [(&'static str, &'static str)],
}

pub(crate) struct Key {
    pub name: &'static str,
    /// The type and unit, as it follows "it takes".
    pub takes: &'static str,
    pub default: Fallback,
    pub meaning: &'static str,
}

#[derive(Clone, Copy)]
pub(crate) enum Fallback {
    Required,
    /// What it means when the key is absent.
    Absent(&'static str),
    /// The value that holds when the key is absent, in TOML.
    Is(&'static str),
}

impl Table {
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub fn key_names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

const fn key(name: &'static str, takes: &'static str, default: Fallback, meaning: &'static str) -> Key {
    Key { name, takes, default, meaning }
}

use Fallback::{Absent, Is, Required};

const LATER: &str = "not supported by this version of tallow; remove the table";

pub(crate) const CLUSTER: Table = Table {
    header: "[application.trigger.kafka]",
    meaning: "What all pipelines share.",
    keys: &[
        key(
            "brokers",
            "`host:port`, several separated by commas",
            Required,
            "Kafka brokers to start from. The command line may give them instead.",
        ),
        key(
            "lake",
            "a URL (`file:///…`, `s3://…`, `gs://…`, `az://…`, `memory:///`) or a folder",
            Required,
            "Object store root for tables, logs and state. A relative folder starts from the manifest's own. \
             The command line may give it instead.",
        ),
        key(
            "client",
            "a table of librdkafka settings",
            Absent("no settings"),
            "Settings passed to librdkafka under its own names, such as `security.protocol` or \
             `\"sasl.password\" = \"{{ password }}\"`.",
        ),
        key(
            "lake-options",
            "a table of object-store options",
            Absent("no options"),
            "Options passed to the object store under its own names, such as `aws_endpoint`.",
        ),
        key(
            "functions",
            "a table of [application.trigger.kafka.functions.NAME]",
            Absent("the defaults for every component"),
            "How components are vetted.",
        ),
        key(
            "backfill",
            "tables [application.trigger.kafka.backfill.NAME]",
            Absent("nothing is fetched"),
            "Where windows that a pipeline lacks are fetched from.",
        ),
        key("batch", "a table of batches by name", Absent("no batches"), "Jobs that make tables of files."),
        key(
            "merge",
            "a table of merges by name",
            Absent("no merges"),
            "Jobs that make one table of batch and speed.",
        ),
    ],
    refused: &[("forecast", LATER)],
};

pub(crate) const FUNCTION: Table = Table {
    header: "[application.trigger.kafka.functions.NAME]",
    meaning: "How the component NAME is vetted: before it runs, whichever command runs it, and before it is swapped in.",
    keys: &[
        key(
            "golden",
            "a path, or a list of paths, each of which may have `*` in its last part",
            Absent("no vectors"),
            "Golden vectors that must hold, such as `\"functions/parse-market/golden/*.json\"`.",
        ),
        key("max-size", "a size up to 1 GiB", Is("\"8MiB\""), "Size of the component's file."),
        key("compile-time", "a duration", Is("\"30s\""), "Time that compiling it may take."),
        key("compile-memory", "a size up to 64 GiB", Is("\"1GiB\""), "Memory that compiling it may take."),
        key("check-time", "a duration", Is("\"2m\""), "Time that all calls may take which try it, together."),
    ],
    refused: &[],
};

const RESERVED: &str = "Spin keeps this key for itself; name the parse component with `parse = \"…\"` and the \
                        window component with `function = \"…\"` in [[trigger.kafka.windows]]";

pub(crate) const PIPELINE: Table = Table {
    header: "[[trigger.kafka]]",
    meaning: "A pipeline: topics, one parse function, one or more windows.",
    keys: &[
        key(
            "id",
            "a name of a-z, 0-9, `-` and `_`, unique in the manifest",
            Required,
            "The pipeline's name: its tables, its log and its state go by it.",
        ),
        key(
            "topic",
            "a topic's name",
            Absent("`topics` or `topic-pattern` says it"),
            "The topic to read. Exactly one of `topic`, `topics` and `topic-pattern` is given.",
        ),
        key("topics", "a list of topic names", Absent("as above"), "Several topics to read."),
        key(
            "topic-pattern",
            "a regular expression that begins with `^`",
            Absent("as above"),
            "All topics whose whole names match, those that appear later included.",
        ),
        key(
            "parse",
            "a component's name, or `{ component = \"…\" }`",
            Required,
            "The function that makes rows of records.",
        ),
        key(
            "parse-settings",
            "a table of strings, numbers and booleans",
            Absent("no settings"),
            "The parse function's own settings.",
        ),
        key(
            "scales",
            "a table of column = 0 to 18",
            Absent("8 for every column"),
            "Decimal places kept of a decimal column; more are rounded half even and counted.",
        ),
        key(
            "delay",
            "a duration",
            Is("\"2s\""),
            "How far the watermark stays behind the newest event time: rows may come that late.",
        ),
        key(
            "max-future",
            "a duration",
            Is("\"60s\""),
            "A row whose event time is further ahead of the clock than that is set aside.",
        ),
        key(
            "idle-after",
            "a duration",
            Is("\"10s\""),
            "A partition that has been at its end for that long no longer holds the watermark back. With \
             `--available-now` one that is drained or empty does not, whatever this says.",
        ),
        key(
            "idle-advance",
            "a boolean",
            Is("false"),
            "Whether the watermark follows the clock while all partitions are idle. Otherwise it then goes to the \
             newest event time of all of them less `delay`, and stays there.",
        ),
        key(
            "starting-offsets",
            "`\"earliest\"`, `\"latest\"`, a table of \"topic/partition\" = offset, or `{ time = \"2024-08-09\" }`",
            Is("\"earliest\""),
            "Where a pipeline without a checkpoint starts. Partitions that a table leaves out start at their \
             earliest record. With a time, a day or a moment in UTC, at the first record whose timestamp in Kafka is \
             not before it, and where there is none at the end.",
        ),
        key(
            "on-data-loss",
            "`\"halt\"` or `\"continue\"`",
            Is("\"halt\""),
            "What to do when records are gone that the checkpoint still needs.",
        ),
        key(
            "on-reject",
            "`\"dead-letter\"`, `\"drop\"` or `\"fail\"`",
            Is("\"dead-letter\""),
            "What to do with a record that the parse function rejects; `drop` counts it.",
        ),
        key(
            "on-bad-function",
            "`\"stop\"` or `\"last-good\"`",
            Is("\"stop\""),
            "What a start does when a function's file has changed since the last run and does not pass its checks. \
             `last-good` goes on with the functions of that run, which the lake keeps, and warns.",
        ),
        key(
            "parse-workers",
            "1 to 64",
            Absent("decided by the number of processors"),
            "Instances of the parse function that work side by side.",
        ),
        key("fetch-clients", "1 to 16", Is("1"), "Kafka clients that fetch side by side."),
        key(
            "new-partitions-every",
            "a duration",
            Is("\"30s\""),
            "How often to look for new topics and partitions.",
        ),
        key(
            "backfill",
            "`\"manual\"` or `\"auto\"`",
            Is("\"manual\""),
            "Whether `tallow up` fetches by itself what the stream lacks: at its start, and when a window closes \
             incomplete. [application.trigger.kafka.backfill.NAME] says from where.",
        ),
        key(
            "archive",
            "a boolean",
            Is("false"),
            "Whether the records themselves are kept in the lake with each commit, so that `tallow verify` can compute it \
             again when the topic no longer holds them.",
        ),
        key(
            "verify-retention",
            "2 to 100000",
            Is("100"),
            "How many of the newest commits the log keeps, with the state, the output and the archive of each: as far \
             back `tallow verify` can look. All of them are read at a start.",
        ),
        key("epoch", "a table", Absent("its defaults"), "When an epoch ends."),
        key("limits", "a table", Absent("its defaults"), "What a function and the queues may take."),
        key("lake", "a table", Absent("its defaults"), "How candles are written."),
        key("swap", "a table", Absent("its defaults"), "How another version of a function is taken up."),
        key("windows", "one or more [[trigger.kafka.windows]]", Required, "The windows."),
    ],
    refused: &[
        ("component", RESERVED),
        ("components", RESERVED),
        ("dependencies", RESERVED),
        ("shards", "not supported by this version of tallow; remove the key"),
    ],
};

pub(crate) const FUNCTION_PLACE: Table = Table {
    header: "parse = { … }, and function = { … } of a window",
    meaning: "Where the function is: exactly one of `component` and `remote`.",
    keys: &[
        key("component", "a component's name", Absent("`remote` says it"), "A component of this manifest."),
        key(
            "remote",
            "an address, `https://host`",
            Absent("`component` says it"),
            "A gateway that runs the function. Batches and state go there and come back; docs/platforms.md says what that \
             costs.",
        ),
        key(
            "token",
            "a string",
            Absent("none is sent"),
            "What the gateway, or what stands before it, wants as `Authorization: Bearer`.",
        ),
    ],
    refused: &[],
};

/// Where only a component of the manifest will do.
pub(crate) const PARSE: Table = Table {
    header: "parse",
    meaning: "Where the parse function is.",
    keys: &[key("component", "a component's name", Required, "A component of this manifest.")],
    refused: &[("remote", "only the functions of a pipeline itself may be remote; name a component")],
};

pub(crate) const EPOCH: Table = Table {
    header: "[trigger.kafka.epoch]",
    meaning: "What lies between two commits. An epoch ends at whichever comes first.",
    keys: &[
        key("interval", "a duration", Is("\"1s\""), "Time from one commit to the next."),
        key("max-records", "1 or more", Is("1000000"), "Records in an epoch."),
        key("max-bytes", "a size", Is("\"64MiB\""), "Bytes of records in an epoch."),
    ],
    refused: &[],
};

pub(crate) const LIMITS: Table = Table {
    header: "[trigger.kafka.limits]",
    meaning: "What one instance of a function may take, and what the host may hold.",
    keys: &[
        key("memory", "a size up to 4 GiB", Is("\"512MiB\""), "Memory of one instance."),
        key("deadline", "a duration", Is("\"2s\""), "Time that one call may take."),
        key("output", "a size up to 4 GiB", Is("\"64MiB\""), "Bytes that one call may return."),
        key("batch-records", "1 to 1000000", Is("4096"), "Records in one call of parse."),
        key("batch-bytes", "a size up to 1 GiB", Is("\"512KiB\""), "Bytes of records in one call of parse."),
        key(
            "bisect-calls",
            "0 to 1000000",
            Is("1000"),
            "Calls that an epoch may spend on finding the records that make a function fail.",
        ),
        key(
            "queue",
            "a size",
            Is("\"64MiB\""),
            "Bytes that wait between fetching and the windows. An epoch ends early once its late rows and dead letters take as much.",
        ),
    ],
    refused: &[],
};

pub(crate) const LAKE: Table = Table {
    header: "[trigger.kafka.lake]",
    meaning: "How candles are written into the lake.",
    keys: &[key(
        "decimals",
        "`\"double\"` or `\"decimal\"`",
        Is("\"double\""),
        "Decimals as the nearest double, or as Parquet decimals.",
    )],
    refused: &[],
};

pub(crate) const SWAP: Table = Table {
    header: "[trigger.kafka.swap]",
    meaning: "How another version of a function is taken up while the pipeline runs.",
    keys: &[
        key(
            "watch",
            "a boolean",
            Is("false"),
            "Whether a component whose file changes is vetted and swapped in by itself, in mode `publish`. \
             `tallow demo` does so.",
        ),
        key(
            "mode",
            "`\"hold\"` or `\"publish\"`",
            Is("\"hold\""),
            "What happens to results while a new function is on probation: they wait for its end, so that a \
             rollback leaves no trace, or go out at once, so that a rollback can only correct them by a revision.",
        ),
        key(
            "probation-epochs",
            "0 to 10000",
            Is("20"),
            "Epochs with records in which a trap, a missed deadline, a broken invariant or slowness rolls a new \
             function back.",
        ),
        key(
            "slowest-percent",
            "101 to 10000",
            Is("300"),
            "How much of its predecessor's time a record a function on probation may take.",
        ),
        key(
            "shadow-percent",
            "1 to 100",
            Is("20"),
            "Share of one processor that a shadow may take; epochs for which there is no time are not shadowed.",
        ),
        key(
            "invariants",
            "a list of comparisons, such as `[\"volume >= 0\"]`",
            Is("[]"),
            "What must hold for every candle of a function on probation, beside what follows from the aggregates: \
             the minimum of a column is at most, and its maximum at least, its first, last and mean value.",
        ),
    ],
    refused: &[],
};

pub(crate) const WINDOW: Table = Table {
    header: "[[trigger.kafka.windows]]",
    meaning: "A window over the pipeline's rows. Its candles go to the table `speed/<pipeline>_<window>`.",
    keys: &[
        key(
            "name",
            "a name of a-z, 0-9, `-` and `_`, unique in the pipeline",
            Required,
            "The window's name.",
        ),
        key(
            "function",
            "a component's name",
            Is("\"window\""),
            "The window function; all windows of a pipeline name the same one.",
        ),
        key("kinds", "a list of kinds of rows, such as `[\"trade\"]`", Required, "The rows that it takes."),
        key(
            "tumbling",
            "a duration",
            Absent("`sliding` or `session` says it"),
            "Windows of that size, one after the other. Exactly one of `tumbling`, `sliding` and `session` is \
             given.",
        ),
        key(
            "sliding",
            "`{ size = duration, slide = duration }`",
            Absent("as above"),
            "Windows of that size, one every `slide`.",
        ),
        key("session", "a duration", Absent("as above"), "Windows that end after a gap of that length."),
        key(
            "offset",
            "a duration, with `-` before it or not",
            Is("\"0s\""),
            "Shift of the windows against 1970-01-01 00:00 UTC; shorter than the size or slide.",
        ),
        key(
            "keys",
            "a list of text columns",
            Required,
            "Columns that make the key; `[]`: one candle for all.",
        ),
        key(
            "time",
            "a column",
            Is("\"event_time\""),
            "The event time; all windows of a pipeline go by the same column.",
        ),
        key(
            "ids",
            "a column, or `{ first = \"…\", last = \"…\" }`",
            Absent("duplicates and holes are not seen"),
            "Id column, or the columns of a range of ids: duplicates are dropped and missing ids counted.",
        ),
        key(
            "on-untracked",
            "`\"count\"` or `\"halt\"`",
            Is("\"count\""),
            "When the scattered ids of the open windows take more than a quarter of `limits.memory` (all windows \
             together): `count` gives up the lowest, so that a row of such an id is taken in even if it came before, is \
             counted as `untracked`, and its window's `complete` is null; `halt` stops the pipeline before that.",
        ),
        key(
            "keep-ids",
            "a duration",
            Is("\"7d\""),
            "A key whose windows are all closed is forgotten after so long in event time. The first window after that \
             has `complete = false`, as that of a new key.",
        ),
        key(
            "aggregates",
            "a table of name = \"operation(column)\"",
            Required,
            "The candle's columns, in the order in which they are written.",
        ),
    ],
    refused: &[],
};

pub(crate) const SLIDING: Table = Table {
    header: "sliding",
    meaning: "A sliding window.",
    keys: &[
        key("size", "a duration", Required, "Size of a window."),
        key("slide", "a duration", Required, "From one window's start to the next one's; at most the size."),
    ],
    refused: &[],
};

pub(crate) const IDS: Table = Table {
    header: "ids",
    meaning: "The columns of a range of ids.",
    keys: &[
        key("first", "a column", Required, "First id of the range."),
        key("last", "a column", Required, "Last id of the range."),
    ],
    refused: &[],
};

pub(crate) const VARIABLE: Table = Table {
    header: "[variables]",
    meaning: "Spin's application variables.",
    keys: &[
        key("description", "a string", Absent(""), "What it is for."),
        key("default", "a string", Absent("no value"), "Value where the environment gives none."),
        key("required", "a boolean", Is("false"), "Whether the environment must give it."),
        key("secret", "a boolean", Is("false"), "Whether its value must not be shown."),
    ],
    refused: &[],
};
