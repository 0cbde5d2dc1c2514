//! Keys of `[application.trigger.kafka.batch.NAME]`.

use super::Fallback::{Absent, Is, Required};
use super::{Table, key};

pub(crate) const BATCH: Table = Table {
    header: "[application.trigger.kafka.batch.NAME]",
    meaning: "A batch: files of klines, by the stream's functions, into the table `batch/NAME`, partitioned by symbol \
              and year and rebuilt whole.",
    keys: &[
        key(
            "input",
            "a path or URL with `*`, `?`, `[…]` and `**`, or a list of them",
            Required,
            "The files: plain, gzip, zstd, zip, Parquet, Arrow or Feather, told by their content. Relative paths start from the \
             manifest's folder.",
        ),
        key(
            "input-options",
            "a table of object-store options",
            Absent("no options"),
            "Options for inputs in an object store.",
        ),
        key(
            "checksums",
            "`\"present\"`, `\"required\"` or `\"ignored\"`",
            Is("\"present\""),
            "Whether a file is compared with its `.CHECKSUM`: where there is one, always, never.",
        ),
        key("table", "a table's name", Absent("the batch's name"), "The table below `batch/`."),
        key("parse", "a component's name", Is("\"parse-kline\""), "The function that makes rows of lines."),
        key(
            "parse-settings",
            "a table of strings, numbers and booleans",
            Absent("no settings"),
            "The parse function's own settings; of parse-kline `columns`, `delimiter` and `dates`.",
        ),
        key(
            "symbol",
            "a text",
            Absent("`symbol-from` says it, or a column of the files"),
            "The symbol of all rows.",
        ),
        key(
            "symbol-from",
            "a regular expression",
            Absent("`symbol` says it, or a column of the files"),
            "Finds the symbol in a file's name: its first group, or all that it matches. An expression with a `/` in it looks \
             at the path, folders included.",
        ),
        key(
            "interval",
            "`\"1m\"`, `\"1h\"`, `\"1d\"` …",
            Absent("of each file: as most of its rows say, or as their distances show"),
            "How long a kline is.",
        ),
        key("tumbling", "a duration", Is("\"1d\""), "Size of the windows."),
        key(
            "offset",
            "a duration, with `-` before it or not",
            Is("\"0s\""),
            "Shift of the windows against 1970-01-01 00:00 UTC; shorter than the size.",
        ),
        key("window", "a component's name", Is("\"window\""), "The window function, as the stream's."),
        key("kinds", "a list of kinds of rows", Is("[\"kline\"]"), "The rows that the windows take."),
        key(
            "ids",
            "a column, or `{ first = \"…\", last = \"…\" }`",
            Is("\"id\""),
            "Rows of one id are one row: exact duplicates are dropped, of others the first counts.",
        ),
        key(
            "aggregates",
            "a table of name = \"operation(column)\"",
            Is(
                "{ open = \"first(open)\", high = \"max(high)\", low = \"min(low)\", close = \"last(close)\", \
                 volume = \"sum(volume)\", quote_volume = \"sum(quote_volume)\", trades = \"sum(trades)\", \
                 klines = \"count()\", flagged = \"sum(flagged)\" }",
            ),
            "The table's columns, in the order in which they are written.",
        ),
        key(
            "scales",
            "a table of column = 0 to 18",
            Absent("8 for every column"),
            "Decimal places kept of a decimal column; more are rounded half even and counted.",
        ),
        key(
            "gap",
            "a duration",
            Absent("any missing kline is a gap"),
            "How long a time without klines is that counts as a gap. A window with a gap in it is partial. For sources \
             that leave out klines without trades.",
        ),
        key(
            "max-future",
            "a duration",
            Is("\"1d\""),
            "A row whose time is further ahead of the clock than that is set aside.",
        ),
        key(
            "on-reject",
            "`\"dead-letter\"`, `\"drop\"` or `\"fail\"`",
            Is("\"dead-letter\""),
            "What to do with a line that the parse function rejects; `drop` counts it.",
        ),
        key(
            "allow-empty",
            "a boolean",
            Is("false"),
            "Whether files that hold no kline or nearly none, and rows or symbols that are lost against the \
             last run, are meant. Else nothing of their group is published, and the exit code is 65.",
        ),
        key("merge", "a component's name", Is("\"merge\""), "The merge function, which fills and averages."),
        key(
            "fill",
            "a boolean",
            Is("true"),
            "Whether windows without rows are filled in, and marked: firsts, lasts, extremes and means as in the window \
             before, sums and counts 0.",
        ),
        key(
            "averages",
            "a table of name = \"mean(column, windows)\"",
            Is("{ ma7 = \"mean(close, 7)\", ma30 = \"mean(close, 30)\" }"),
            "Trailing averages, this window included, partial at the start.",
        ),
        key(
            "decimals",
            "`\"double\"` or `\"decimal\"`",
            Is("\"double\""),
            "Decimals as the nearest double, or as Parquet decimals.",
        ),
        key("keep-backups", "0 to 1000", Is("5"), "Commits for which replaced partitions are kept."),
        key(
            "workers",
            "1 to 64",
            Absent("decided by the number of processors"),
            "Instances of the parse function that work side by side.",
        ),
        key(
            "scratch",
            "a folder",
            Absent("the system's for temporary files, as `TMPDIR` says"),
            "Where rows are sorted and large files are put together that memory has no room for. Nothing is left in it.",
        ),
        key("limits", "a table", Absent("its defaults"), "As of a pipeline."),
    ],
    refused: &[],
};
