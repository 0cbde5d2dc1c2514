//! Names of the user's choosing.

use crate::error::{Problem, Report};
use crate::forms::{Form, Takes};
use crate::node::Node;
use crate::schema_pieces::matching;
use crate::values;

/// A pipeline's name: part of object names, transactional ids and Spin's lock file.
pub(crate) const PIPELINE: Form<String> = Form::parsed(
    "a name of a-z, 0-9, `-` and `_`, unique in the manifest",
    || matching("[a-z0-9][a-z0-9_-]{0,63}"),
    "a name",
    pipeline,
);

/// A window's name: the last part of its table's name.
pub(crate) const WINDOW: Form<String> = Form::parsed(
    "a name of a-z, 0-9, `-` and `_`, unique in the pipeline",
    || matching("[a-z0-9_-]{1,64}"),
    "a name",
    |text| name(text, |_| true),
);

/// A table's name below `batch/`.
pub(crate) const TABLE: Form<String> = WINDOW.called("a table's name");

pub(crate) const TOPIC: Form<String> =
    Form::parsed("a topic's name", || matching("[A-Za-z0-9._-]{1,249}"), "a topic's name", topic);

/// A job's name, which is a key of the manifest; a wrong one is reported.
pub(crate) fn job(name: &str, node: &Node, report: &mut Report) -> Option<String> {
    if let Err(problem) = pipeline(name) {
        report.at(node, format!("`{name}`: {problem}"));
    }
    Some(name.to_owned())
}

/// The rule for a pipeline's name, and for a job's, which is a key of the manifest.
fn pipeline(text: &str) -> Result<String, Problem> {
    name(text, |first| first.is_ascii_lowercase() || first.is_ascii_digit())
}

fn name(name: &str, starts: fn(char) -> bool) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.starts_with(starts) && name.chars().all(plain) && name.len() <= 64 {
        return Ok(name.to_owned());
    }
    Err("a name is made of a-z, 0-9, `-` and `_`, 64 characters at most".into())
}

/// Kafka's rule.
pub(crate) fn topic(name: &str) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.len() <= 249 && name.chars().all(plain) && name != "." && name != ".." {
        return Ok(name.to_owned());
    }
    Err("a topic's name is made of letters, digits, `.`, `_` and `-`, 249 at most; a pattern goes into \
         `topic-pattern`"
        .into())
}

/// A list of names, each of that form and each different.
pub(crate) fn list(
    node: &Node,
    wanted: &str,
    form: &Form<String>,
    report: &mut Report,
) -> Option<Vec<String>> {
    let items = values::list(node, wanted, report)?;
    let names: Vec<String> = values::items(items, report, |item, report| form.read(item, report))?;
    unique(node, &names, report).then_some(names)
}

/// Reports names that are twice in a list.
pub(crate) fn unique(node: &Node, names: &[String], report: &mut Report) -> bool {
    let twice = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
    if let Some((_, name)) = twice {
        report.at(node, format!("`{name}` is here twice"));
    }
    twice.is_none()
}
