//! Keys of `[application.trigger.kafka.backfill.NAME]`.

use super::Fallback::{Absent, Is, Required};
use super::{Table, key};

pub(crate) const BACKFILL: Table = Table {
    header: "[application.trigger.kafka.backfill.NAME]",
    meaning: "Where windows that a pipeline lacks are fetched from, and how they are made of an exchange's bars.",
    keys: &[
        key("pipeline", "a pipeline's id", Required, "The pipeline whose tables are filled."),
        key("function", "a component's name", Required, "The backfill function, which knows the exchange."),
        key(
            "settings",
            "a table of strings, numbers and booleans",
            Absent("no settings"),
            "The backfill function's own settings.",
        ),
        key(
            "base-url",
            "a URL (`https://…`, or `http://…`)",
            Required,
            "Where the exchange is; the function's paths follow it. No other host is asked.",
        ),
        key(
            "internal",
            "a boolean",
            Is("false"),
            "Whether that very host and port may be at an internal address (this machine, a private network): for \
             tests and mirrors.",
        ),
        key(
            "hosts",
            "a list of `host`, `host:port` or `http://host:port`",
            Absent("no redirect leaves `base-url`"),
            "Further hosts that an answer may redirect to.",
        ),
        key(
            "symbols",
            "a list of symbols, or a table of symbol = \"the exchange's name of it\"",
            Absent("the symbols that the tables have"),
            "What is fetched.",
        ),
        key(
            "windows",
            "a list of window names",
            Absent("all tumbling windows of the pipeline"),
            "The windows that are filled.",
        ),
        key(
            "interval",
            "a duration that divides the windows",
            Is("\"1m\""),
            "Length of the bars that are fetched.",
        ),
        key(
            "kinds",
            "a list of kinds of rows",
            Is("[\"kline\"]"),
            "The rows that the parse function makes of bars.",
        ),
        key(
            "ids",
            "a column, or `{ first = \"…\", last = \"…\" }`",
            Is("\"id\""),
            "Id column of bars: one that comes twice counts once.",
        ),
        key(
            "aggregates",
            "a table of name = \"operation(column)\"",
            Required,
            "How each column of the windows is made of bars: `open = \"first(open)\"`, `volume = \"sum(volume)\"`.",
        ),
        key(
            "scales",
            "a table of column = 0 to 18",
            Absent("8 for every column"),
            "Decimal places kept of a bar's decimal column.",
        ),
        key(
            "parse",
            "a component's name",
            Absent("the pipeline's"),
            "The function that makes rows of the messages that the backfill function gives.",
        ),
        key(
            "parse-settings",
            "a table of strings, numbers and booleans",
            Absent("the pipeline's"),
            "The parse function's own settings.",
        ),
        key(
            "covered-by",
            "a list of tables of the lake, such as `[\"batch/daily\"]`",
            Absent("only the pipeline's own tables count"),
            "Tables beside the pipeline's own: windows that stand there, whole and not filled, need not be fetched.",
        ),
        key(
            "from",
            "a day (`\"2024-08-09\"`) or a moment (`\"2024-08-09T12:30:00Z\"`)",
            Absent("the first window that the tables have"),
            "Where history begins.",
        ),
        key("settle", "a duration", Is("\"1m\""), "How long after its end a window is asked for."),
        key(
            "ask-again",
            "a duration",
            Is("\"7d\""),
            "How long the exchange is believed that it has nothing for a time. `tallow backfill --again` asks at once.",
        ),
        key(
            "weight",
            "1 or more",
            Is("1200"),
            "What may be used of the exchange's allowance in a minute, in the weights that the function gives.",
        ),
        key("timeout", "a duration", Is("\"20s\""), "How long one answer may take."),
        key("max-body", "a size up to 1 GiB", Is("\"16MiB\""), "Bytes of one answer."),
        key(
            "attempts",
            "1 to 100",
            Is("6"),
            "Times that a request is tried, with growing pauses, before it is given up.",
        ),
    ],
    refused: &[],
};
