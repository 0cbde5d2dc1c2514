//! Names of the user's choosing.

use crate::error::Report;
use crate::forms::Form;
use crate::node::Node;
use crate::schema_pieces::matching;
use crate::values;

/// A pipeline's name: part of object names, transactional ids and Spin's lock file.
pub(crate) const PIPELINE: Form<String> = Form::new(
    "a name of a-z, 0-9, `-` and `_`, unique in the manifest",
    || matching("[a-z0-9][a-z0-9_-]{0,63}"),
    |node, report| values::parsed(node, "a name", report, |name| check(name).map(|()| name.to_owned())),
);

/// A window's name: the last part of its table's name.
pub(crate) const WINDOW: Form<String> = Form::new(
    "a name of a-z, 0-9, `-` and `_`, unique in the pipeline",
    || matching("[a-z0-9_-]{1,64}"),
    |node, report| {
        values::parsed(node, "a name", report, |name| check_name(name, |_| true).map(|()| name.to_owned()))
    },
);

/// A table's name below `batch/`.
pub(crate) const TABLE: Form<String> = WINDOW.called("a table's name");

pub(crate) const TOPIC: Form<String> = Form::new(
    "a topic's name",
    || matching("[A-Za-z0-9._-]{1,249}"),
    |node, report| {
        values::parsed(node, "a topic's name", report, |name| check_topic(name).map(|()| name.to_owned()))
    },
);

/// A job's name, which is a key of the manifest; a wrong one is reported.
pub(crate) fn job(name: &str, node: &Node, report: &mut Report) -> Option<String> {
    if let Err(problem) = check(name) {
        report.at(node, format!("`{name}`: {problem}"));
    }
    Some(name.to_owned())
}

/// The rule for a pipeline's name, and for a job's, which is a key of the manifest.
fn check(name: &str) -> Result<(), String> {
    check_name(name, |first| first.is_ascii_lowercase() || first.is_ascii_digit())
}

fn check_name(name: &str, starts: fn(char) -> bool) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.starts_with(starts) && name.chars().all(plain) && name.len() <= 64 {
        return Ok(());
    }
    Err("a name is made of a-z, 0-9, `-` and `_`, 64 characters at most".to_owned())
}

/// Kafka's rule.
pub(crate) fn check_topic(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.len() <= 249 && name.chars().all(plain) && name != "." && name != ".." {
        return Ok(());
    }
    Err("a topic's name is made of letters, digits, `.`, `_` and `-`, 249 at most; a pattern goes into \
         `topic-pattern`"
        .to_owned())
}

/// Reports names that stand twice in a list.
pub(crate) fn unique(node: &Node, names: &[String], report: &mut Report) -> bool {
    let twice = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
    if let Some((_, name)) = twice {
        report.at(node, format!("`{name}` stands here twice"));
    }
    twice.is_none()
}
