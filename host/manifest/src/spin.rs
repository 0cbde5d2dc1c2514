//! Spin's own tables: refused where Spin (3 and 4) would refuse them, and otherwise left alone.

use crate::error::{Report, suggestion};
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
    /// A table of these keys only, and whether each must be there.
    Table(&'static [(&'static str, Shape, bool)]),
    /// The one whose type the value has.
    Either(&'static [Shape]),
}

use Shape::{Boolean, Either, List, Map, Opaque, Table, Text};

const TEXTS: Shape = List(&Text);
const TABLES: Shape = Map(&Map(&Opaque));
const TARGETS: Shape = List(&Either(&[Text, Map(&Opaque)]));

const MANIFEST: Shape = Table(&[
    ("spin_manifest_version", Opaque, true),
    ("application", APPLICATION, true),
    ("variables", Map(&Opaque), false),
    ("trigger", Map(&Opaque), true),
    ("component", Map(&COMPONENT), false),
]);

const APPLICATION: Shape = Table(&[
    ("name", Text, true),
    ("version", Text, false),
    ("description", Text, false),
    ("authors", TEXTS, false),
    ("targets", TARGETS, false),
    ("trigger", TABLES, false),
    ("tool", TABLES, false),
]);

const COMPONENT: Shape = Table(&[
    ("source", SOURCE, true),
    ("description", Text, false),
    ("variables", Map(&Text), false),
    ("environment", Map(&Text), false),
    ("files", List(&Either(&[Text, Table(&[("source", Text, true), ("destination", Text, true)])])), false),
    ("exclude_files", TEXTS, false),
    ("allowed_http_hosts", TEXTS, false),
    ("allowed_outbound_hosts", TEXTS, false),
    ("key_value_stores", TEXTS, false),
    ("sqlite_databases", TEXTS, false),
    ("ai_models", TEXTS, false),
    ("targets", TARGETS, false),
    (
        "build",
        Table(&[("command", COMMANDS, true), ("workdir", Text, false), ("watch", TEXTS, false)]),
        false,
    ),
    ("tool", TABLES, false),
    ("dependencies_inherit_configuration", Boolean, false),
    ("dependencies", DEPENDENCIES, false),
    ("profile", Map(&PROFILE), false),
]);

const PROFILE: Shape = Table(&[
    ("source", SOURCE, false),
    ("environment", Map(&Text), false),
    ("dependencies", DEPENDENCIES, false),
    ("build", Table(&[("command", COMMANDS, true)]), false),
]);

const COMMANDS: Shape = Either(&[Text, TEXTS]);

const SOURCE: Shape = Either(&[
    Text,
    Table(&[
        ("url", Text, false),
        ("digest", Text, false),
        ("registry", Text, false),
        ("package", Text, false),
        ("version", Text, false),
    ]),
]);

const DEPENDENCIES: Shape = Map(&Either(&[
    Text,
    Table(&[
        ("version", Text, false),
        ("registry", Text, false),
        ("package", Text, false),
        ("path", Text, false),
        ("url", Text, false),
        ("digest", Text, false),
        ("component", Text, false),
        ("export", Text, false),
        ("inherit_configuration", Either(&[Boolean, TEXTS]), false),
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

fn check_table(node: &Node, keys: &[(&'static str, Shape, bool)], report: &mut Report) {
    let Some(table) = values::table(node, report) else { return };
    for entry in &table.entries {
        match keys.iter().find(|(key, ..)| *key == entry.key) {
            Some((_, shape, _)) => check(&entry.node, shape, report),
            None => {
                let known: Vec<&str> = keys.iter().map(|(key, ..)| *key).collect();
                let problem = format!("Spin knows no such key; {}", suggestion(&entry.key, &known));
                report.add(entry.key_place, &entry.node.path, problem);
            }
        }
    }
    for (key, _, required) in keys {
        // The version has a message of its own.
        if *required && table.get(key).is_none() && *key != "spin_manifest_version" {
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
pub(crate) fn check_id(id: &str, delimiter: char, lower: bool) -> Result<(), String> {
    for (index, word) in id.split(delimiter).enumerate() {
        let starts = word.starts_with(|c: char| c.is_ascii_alphabetic() || (index > 0 && c.is_ascii_digit()));
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric());
        let has =
            |upper: bool| word.chars().any(|c| c.is_ascii_alphabetic() && c.is_ascii_uppercase() == upper);
        if !starts || !plain || (has(true) && (lower || has(false))) {
            let case = if lower { "lower-case" } else { "all lower-case or all upper-case" };
            return Err(format!(
                "it takes {case} words of letters and digits with `{delimiter}` between them"
            ));
        }
    }
    Ok(())
}
