//! `[application.trigger.kafka.functions.NAME]`: how a component is vetted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Problem, Report, suggestion};
use crate::forms::{Form, GIB, KIB, MIB, POSITIVE_DURATION, Size};
use crate::node::{EMPTY_TABLE, Node};
use crate::table::table;
use crate::{schema_pieces, values};

table! {
    /// What a component must keep to before it is taken.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Vetting in "[application.trigger.kafka.functions.NAME]",
        "How the component NAME is vetted: before any command runs it, and before it is swapped in.";
    fn read(reader, report, folder: &Path);

    "Golden vectors that must hold, such as `\"functions/parse-market/golden/*.json\"`."
    pub golden: Vec<PathBuf> = key("golden", GOLDEN, empty("no vectors"), |node, report| {
        let paths = values::one_or_more(node, report)?;
        Some(paths.into_iter().map(|path| folder.join(path)).collect())
    });

    "Size of the component's file."
    pub max_size_bytes: u64 = key("max-size", Size(KIB, GIB), default("\"8MiB\""));

    "Time that compiling it may take."
    pub compile_time: Duration = key("compile-time", POSITIVE_DURATION, default("\"30s\""));

    "Memory that compiling it may take."
    pub compile_memory_bytes: u64 = key("compile-memory", Size(64 * MIB, 64 * GIB), default("\"1GiB\""));

    "Time that all trial calls may take together."
    pub check_time: Duration = key("check-time", POSITIVE_DURATION, default("\"2m\""));
}

const GOLDEN: Form<()> = Form::shown(
    "a path, or a list of paths, each of which may have `*` in its last part",
    schema_pieces::one_or_more,
);

/// The vetting of every component of the manifest, by name.
pub(crate) fn read(
    root: &Node,
    cluster: &Node,
    folder: &Path,
    report: &mut Report,
) -> BTreeMap<String, Vetting> {
    let known: Vec<&str> = root
        .find(&["component"])
        .and_then(Node::as_table)
        .map_or_else(Vec::new, |table| table.entries.iter().map(|entry| entry.key.as_str()).collect());
    let written = cluster.find(&["functions"]).and_then(|node| values::table(node, report));
    for entry in written.into_iter().flat_map(|table| &table.entries) {
        if !known.contains(&entry.key.as_str()) {
            let problem =
                format!("there is no [component.{}]; {}", entry.key, suggestion(&entry.key, &known));
            report.add(entry.key_place, &entry.node.path, problem);
        }
    }
    let vetting = known.iter().filter_map(|name| {
        let node = written.and_then(|table| table.get(name)).unwrap_or(&EMPTY_TABLE);
        Some(((*name).to_owned(), Vetting::read(node, folder, report)?))
    });
    vetting.collect()
}

impl Vetting {
    /// The files of the golden vectors, sorted.
    ///
    /// # Errors
    /// The path that names no file, or cannot be read.
    pub fn golden_files(&self) -> Result<Vec<PathBuf>, Problem> {
        let mut files = Vec::new();
        for pattern in &self.golden {
            files.extend(matching(pattern)?);
        }
        files.sort();
        files.dedup();
        Ok(files)
    }
}

/// The files that a path with `*` in its last part names; at least one.
pub fn matching(pattern: &Path) -> Result<Vec<PathBuf>, Problem> {
    let wrong = |why: &str| Problem::from(format!("golden vectors `{}`: {why}", pattern.display()));
    let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| wrong("this is a folder: name its files, such as `*.json`"))?;
    if !name.contains('*') {
        return match pattern.is_file() {
            true => Ok(vec![pattern.to_owned()]),
            false => Err(wrong("there is no such file")),
        };
    }
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = folder.read_dir().map_err(|error| wrong(&error.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|file| is_like(&file.to_string_lossy(), &name)))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(wrong("no file has such a name"));
    }
    Ok(files)
}

/// Whether a name is like a pattern, in which `*` means any letters.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(name) = name.strip_prefix(before) else { return false };
    let mut cuts = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    cuts.any(|at| is_like(&name[at..], rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (name, pattern, like) in [
            ("trade.json", "*.json", true),
            ("trade.json", "trade.json", true),
            ("trade.json", "t*e.js*n", true),
            (".json", "*.json", true),
            ("trade.json.bak", "*.json", false),
            ("trade", "trade*trade", false),
            ("\u{20ac}.json", "*.json", true),
        ] {
            assert_eq!(is_like(name, pattern), like, "{name} {pattern}");
        }
    }
}
