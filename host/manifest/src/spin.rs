//! Spin's own tables: refused where Spin (3 and 4) would refuse them, and otherwise left alone.

use crate::error::{Problem, Report, suggestion};
use crate::node::{Node, Value};
use crate::values;

enum Shape {
    Text,
    Boolean,
    /// Spin does not look into it, nor do we.
    Opaque,
    List(&'static Shape),
    /// A table of names of the user's choosing.
    Map(&'static Shape),
    /// A table of these keys only, several of one shape between spaces; `!` marks those that must be there.
    Table(&'static [(&'static str, Shape)]),
    /// The one whose type the value has.
    Either(&'static [Shape]),
}

use Shape::{Boolean, Either, List, Map, Opaque, Table, Text};

const TEXTS: Shape = List(&Text);
const TABLES: Shape = Map(&Map(&Opaque));
const TARGETS: Shape = List(&Either(&[Text, Map(&Opaque)]));

const MANIFEST: Shape = Table(&[
    ("spin_manifest_version!", Opaque),
    ("application!", APPLICATION),
    ("variables trigger!", Map(&Opaque)),
    ("component", Map(&COMPONENT)),
]);

const APPLICATION: Shape = Table(&[
    ("name! version description", Text),
    ("authors", TEXTS),
    ("targets", TARGETS),
    ("trigger tool", TABLES),
]);

const COMPONENT: Shape = Table(&[
    ("source!", SOURCE),
    ("description", Text),
    ("variables environment", Map(&Text)),
    ("files", List(&Either(&[Text, Table(&[("source! destination!", Text)])]))),
    ("exclude_files allowed_http_hosts allowed_outbound_hosts", TEXTS),
    ("key_value_stores sqlite_databases ai_models", TEXTS),
    ("targets", TARGETS),
    ("build", Table(&[("command!", COMMANDS), ("workdir", Text), ("watch", TEXTS)])),
    ("tool", TABLES),
    ("dependencies_inherit_configuration", Boolean),
    ("dependencies", DEPENDENCIES),
    ("profile", Map(&PROFILE)),
]);

const PROFILE: Shape = Table(&[
    ("source", SOURCE),
    ("environment", Map(&Text)),
    ("dependencies", DEPENDENCIES),
    ("build", Table(&[("command!", COMMANDS)])),
]);

const COMMANDS: Shape = Either(&[Text, TEXTS]);

const SOURCE: Shape = Either(&[Text, Table(&[("url digest registry package version", Text)])]);

const DEPENDENCIES: Shape = Map(&Either(&[
    Text,
    Table(&[
        ("version registry package path url digest component export", Text),
        ("inherit_configuration", Either(&[Boolean, TEXTS])),
    ]),
]));

/// Reports whatever Spin would refuse in its own tables.
pub(crate) fn check_manifest(root: &Node, report: &mut Report) {
    match root.find(&["spin_manifest_version"]).map(|node| (node, &node.value)) {
        None => report.at(root, "`spin_manifest_version = 2` is missing: every Spin manifest begins with it"),
        Some((_, Value::Integer(2))) => {}
        Some((node, _)) => report.at(node, "this must be 2, the only version of manifests that is read"),
    }
    check(root, &MANIFEST, report);
    for (table, delimiter) in [("component", '-'), ("variables", '_')] {
        let Some(names) = root.find(&[table]).and_then(Node::as_table) else { continue };
        for entry in &names.entries {
            if let Err(problem) = check_id(&entry.key, delimiter, delimiter == '_') {
                report.add(entry.key_place, &entry.node.path, format!("not a name for Spin: {problem}"));
            }
        }
    }
}

fn check(node: &Node, shape: &Shape, report: &mut Report) {
    match shape {
        Opaque => {}
        Text => _ = values::text(node, report),
        Boolean => _ = values::boolean(node, report),
        List(item) => {
            for node in values::list(node, "a list", report).unwrap_or_default() {
                check(node, item, report);
            }
        }
        Map(item) => {
            for entry in values::table(node, report).map_or(&[][..], |table| &table.entries) {
                check(&entry.node, item, report);
            }
        }
        Table(keys) => check_table(node, keys, report),
        Either(shapes) => match shapes.iter().find(|shape| suits(node, shape)) {
            Some(shape) => check(node, shape, report),
            None => {
                let wanted: Vec<&str> = shapes.iter().map(what).collect();
                report.at(node, format!("this is {}, but {} is needed", node.what(), wanted.join(" or ")));
            }
        },
    }
}

fn check_table(node: &Node, shapes: &'static [(&'static str, Shape)], report: &mut Report) {
    let Some(table) = values::table(node, report) else { return };
    let marked = shapes.iter().flat_map(|(keys, shape)| keys.split(' ').map(move |key| (key, shape)));
    let keys: Vec<(&str, bool, &Shape)> =
        marked.map(|(key, shape)| (key.trim_end_matches('!'), key.ends_with('!'), shape)).collect();
    for entry in &table.entries {
        match keys.iter().find(|(key, ..)| *key == entry.key) {
            Some((.., shape)) => check(&entry.node, shape, report),
            None => {
                let known: Vec<&str> = keys.iter().map(|(key, ..)| *key).collect();
                let problem = format!("Spin knows no such key; {}", suggestion(&entry.key, &known));
                report.add(entry.key_place, &entry.node.path, problem);
            }
        }
    }
    for (key, required, _) in keys {
        // The version has its own message.
        if required && table.get(key).is_none() && key != "spin_manifest_version" {
            report.at(node, format!("`{key}` is missing: Spin requires it"));
        }
    }
}

fn suits(node: &Node, shape: &Shape) -> bool {
    matches!(
        (&node.value, shape),
        (Value::Text(_), Text)
            | (Value::Boolean(_), Boolean)
            | (Value::List(_), List(_))
            | (Value::Table(_), Map(_) | Table(_))
    )
}

fn what(shape: &Shape) -> &'static str {
    match shape {
        Text => "a string",
        Boolean => "a boolean",
        List(_) => "a list",
        Map(_) | Table(_) => "a table",
        Opaque | Either(_) => "something else",
    }
}

/// Spin's rule for names: words of letters and digits, all lower or all upper case, between delimiters.
pub(crate) fn check_id(id: &str, delimiter: char, lower: bool) -> Result<(), Problem> {
    for (index, word) in id.split(delimiter).enumerate() {
        let starts = word.starts_with(|c: char| c.is_ascii_alphabetic() || (index > 0 && c.is_ascii_digit()));
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric());
        let has =
            |upper: bool| word.chars().any(|c| c.is_ascii_alphabetic() && c.is_ascii_uppercase() == upper);
        if !starts || !plain || (has(true) && (lower || has(false))) {
            let case = if lower { "lower-case" } else { "all lower-case or all upper-case" };
            return Err(format!(
                "it takes {case} words of letters and digits with `{delimiter}` between them"
            )
            .into());
        }
    }
    Ok(())
}
