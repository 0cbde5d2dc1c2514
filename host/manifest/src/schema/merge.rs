//! Keys of `[application.trigger.kafka.merge.NAME]`.

use super::Fallback::{Absent, Is};
use super::{Table, key};

pub(crate) const MERGE: Table = Table {
    header: "[application.trigger.kafka.merge.NAME]",
    meaning: "A merge: one table `serving/NAME`, partitioned by key and year, of a batch table and a pipeline's \
              window. At least one of `batch` and `speed` is given.",
    keys: &[
        key("batch", "a table's name", Absent("no batch table"), "The table below `batch/`."),
        key(
            "speed",
            "`\"<pipeline>_<window>\"`",
            Absent("no speed table"),
            "The table below `speed/`, of a tumbling window with one key.",
        ),
        key("function", "a component's name", Is("\"merge\""), "The merge function."),
        key(
            "key",
            "a text column",
            Is("\"symbol\""),
            "The key's column, by which the tables are partitioned.",
        ),
        key(
            "step",
            "a duration",
            Absent("the size of the window that `speed` names, else one day"),
            "Size of the windows.",
        ),
        key(
            "fill",
            "a boolean",
            Is("true"),
            "Whether windows that neither table has are filled in, and marked.",
        ),
        key(
            "carry",
            "a list of columns",
            Absent("those of `open`, `high`, `low`, `close` that the tables have"),
            "What a filled window has from the last real one, each column from its own.",
        ),
        key(
            "zero",
            "a list of columns",
            Absent("those of `volume`, `quote_volume`, `trades` that the tables have"),
            "What is 0 in a filled window. All other columns are null there.",
        ),
        key(
            "averages",
            "a table of name = \"mean(column, windows)\"",
            Absent("`ma7 = \"mean(close, 7)\"` and `ma30 = \"mean(close, 30)\"`"),
            "Trailing averages, this window included, partial at the start.",
        ),
        key(
            "prophet",
            "a column, or `\"\"`",
            Is("\"close\""),
            "The column that becomes `y` of `prophet_input/NAME`; `\"\"` writes no such table.",
        ),
        key(
            "auto",
            "a boolean",
            Is("true"),
            "Whether `tallow up` merges when a day (or longer window) has closed, and batch and backfill when they \
             are done.",
        ),
        key("heal", "a boolean", Is("true"), "Whether holes are noted for a backfill to fetch."),
        key(
            "keep-backups",
            "0 to 1000",
            Is("5"),
            "Runs for which replaced partitions are kept, and can be restored.",
        ),
        key(
            "speed-retention",
            "a duration",
            Absent("speed files are kept"),
            "Age at which the speed files of a day are removed, once the day is served in full.",
        ),
    ],
    refused: &[],
};
