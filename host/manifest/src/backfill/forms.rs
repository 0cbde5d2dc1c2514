//! What the keys of a backfill take.

use std::collections::BTreeMap;

use url::Url;

use crate::error::{Problem, Report};
use crate::forms::{COMPONENT, Form};
use crate::node::{Node, Value};
use crate::table::table;
use crate::{names, schema_pieces, units, values};

pub(crate) const BASE_URL: Form<String> = Form::parsed(
    "a URL (`https://…`, or `http://…`)",
    || schema_pieces::matching("https?://.+"),
    "a URL",
    |text| base_url(text, &["https", "http"]),
);
pub(super) const MOMENT: Form<i64> = Form::parsed(
    "a day (`\"2024-08-09\"`) or a moment (`\"2024-08-09T12:30:00Z\"`)",
    || schema_pieces::matching(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+Z)?\s*"),
    "a day",
    units::moment_us,
);
pub(super) const TABLES: Form<Vec<String>> = Form::new(
    "a list of tables of the lake, such as `[\"batch/daily\"]`",
    || schema_pieces::list(schema_pieces::matching("[^/]+(?:/[^/]+)+")),
    |node, report| {
        let tables = values::texts(node, report)?;
        tables.iter().all(|table| check_table(node, table, report)).then_some(tables)
    },
);
pub(super) const SYMBOLS: Form<BTreeMap<String, String>> = Form::new(
    "a list of symbols, or a table of symbol = \"the exchange's name of it\"",
    || {
        schema_pieces::either([
            schema_pieces::set(schema_pieces::text()),
            schema_pieces::map(schema_pieces::text()),
        ])
    },
    read_symbols,
);

table! {
    struct OwnComponent in "parse", "Where the parse function is.";
    refused "remote": "only the functions of a pipeline itself may be remote; name a component";
    fn read(reader, report);

    "A component of this manifest."
    pub component: String = key("component", COMPONENT, required());
}

/// Where only a component of the manifest will do.
pub(super) const OWN_COMPONENT: Form<String> = Form::new(
    "a component's name",
    || schema_pieces::either([schema_pieces::text(), OwnComponent::declaration().schema()]),
    |node, report| match node.as_table() {
        Some(_) => OwnComponent::read(node, report).map(|own| own.component),
        None => values::text(node, report),
    },
);

/// A table is a folder of the lake, and nothing leads out of it.
fn check_table(node: &Node, table: &str, report: &mut Report) -> bool {
    let plain = |part: &str| !part.is_empty() && !matches!(part, "." | ".." | "_tallow");
    let sound = table.split('/').count() >= 2 && table.split('/').all(plain);
    if !sound {
        report.at(node, format!("`{table}` is not a table of the lake; write one like \"batch/daily\""));
    }
    sound
}

/// An absolute URL of one of the schemes that paths are put after: without a `/` at its end.
pub(crate) fn base_url(text: &str, schemes: &[&str]) -> Result<String, Problem> {
    let like = format!("write {}://api.example.com", schemes[0]);
    let url = Url::parse(text).map_err(|error| format!("{error}; {like}"))?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(like.into());
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("credentials, `?` and `#` do not belong here".into());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A list of symbols that the exchange calls by the same names, or a table of the lake's names to the exchange's.
fn read_symbols(node: &Node, report: &mut Report) -> Option<BTreeMap<String, String>> {
    let symbols: Option<BTreeMap<String, String>> = match &node.value {
        Value::Table(_) => values::entries(node, report, |entry, report| {
            Some((entry.key.clone(), values::text(&entry.node, report)?))
        }),
        _ => {
            let names = values::texts(node, report)?;
            names::unique(node, &names, report);
            Some(names.into_iter().map(|name| (name.clone(), name)).collect())
        }
    };
    if symbols.as_ref().is_some_and(|symbols| symbols.is_empty() || symbols.keys().any(String::is_empty)) {
        return report.refuse(node, "name at least one symbol, none of them empty");
    }
    symbols
}
