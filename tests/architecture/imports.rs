//! Which modules of a crate name which, read from their text: `use` trees and paths that begin with `crate`, `self` or
//! `super`. Test modules and comments are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Module = Vec<String>;

/// Groups of modules that reach each other by imports, those between a module and what it contains aside.
pub fn circles(source: &Path) -> Vec<BTreeSet<String>> {
    let mut texts = BTreeMap::new();
    read(source, &mut Vec::new(), &mut texts);
    let imports: BTreeMap<&Module, BTreeSet<&Module>> =
        texts.iter().map(|(module, text)| (module, imports(module, text, &texts))).collect();
    let reaches: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (*module, reachable(module, &imports))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (module, reached) in &reaches {
        let back = reached.iter().filter(|other| reaches[**other].contains(*module));
        let circle: BTreeSet<String> = back.map(|it| it.join("::")).collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

fn read(folder: &Path, inside: &mut Module, texts: &mut BTreeMap<Module, String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            inside.push(name);
            read(&path, inside, texts);
            inside.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut module = inside.clone();
            if !["lib", "mod"].contains(&name.as_str()) {
                module.push(name);
            }
            texts.insert(module, fs::read_to_string(path).unwrap_or_default());
        }
    }
}

fn imports<'m>(module: &Module, text: &str, all: &'m BTreeMap<Module, String>) -> BTreeSet<&'m Module> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).fold(
        String::new(),
        |mut code, line| {
            code.push_str(line);
            code.push('\n');
            code
        },
    );
    let mut found = BTreeSet::new();
    for path in paths(&code) {
        let mut full = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            _ => module.clone(),
        };
        let ups = path.iter().filter(|part| *part == "super").count();
        full.truncate(full.len().saturating_sub(ups));
        full.extend(path.into_iter().filter(|part| !["crate", "self", "super"].contains(&part.as_str())));
        let named = (0..=full.len()).rev().find_map(|length| all.get_key_value(&full[..length]));
        found.extend(named.map(|(other, _)| other).filter(|other| !contains(module, other)));
    }
    found
}

/// Whether one of two modules is in the other, or they are the same.
fn contains(left: &Module, right: &Module) -> bool {
    left.starts_with(right) || right.starts_with(left)
}

/// Every path in the code that begins in this crate, use trees spread out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for root in ["crate", "self", "super"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            let rest = &code[at + root.len()..];
            if before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':')
                || !rest.starts_with("::")
            {
                continue;
            }
            spread(rest, vec![root.to_owned()], &mut paths);
        }
    }
    paths
}

/// Follows a path, or a use tree, from its `::` on; what of the text it took.
fn spread<'c>(mut rest: &'c str, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) -> &'c str {
    while let Some(after) = rest.strip_prefix("::") {
        if let Some(mut inner) = after.strip_prefix('{') {
            loop {
                inner = inner.trim_start_matches([',', ' ', '\n']);
                if let Some(after) = inner.strip_prefix('}') {
                    return after;
                }
                let length =
                    inner.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(inner.len());
                let mut one = path.clone();
                one.push(inner[..length].to_owned());
                let before = inner;
                inner = spread(&inner[length..], one, paths);
                inner = inner.trim_start();
                if let Some(name) = inner.strip_prefix("as ") {
                    inner = name.trim_start_matches(|it: char| it.is_alphanumeric() || it == '_');
                }
                if inner.len() == before.len() || inner.is_empty() {
                    return inner;
                }
            }
        }
        let length = after.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(after.len());
        if length == 0 {
            break;
        }
        path.push(after[..length].to_owned());
        rest = &after[length..];
    }
    paths.push(path);
    rest
}

fn reachable<'m>(
    from: &'m Module,
    imports: &BTreeMap<&'m Module, BTreeSet<&'m Module>>,
) -> BTreeSet<&'m Module> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for other in &imports[module] {
            if reached.insert(*other) {
                next.push(other);
            }
        }
    }
    reached
}
