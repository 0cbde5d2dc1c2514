//! From patterns to files: paths, `file://` URLs and URLs of object stores, with `*`, `?`, `[…]` and `**`.

use std::collections::BTreeMap;
use std::path::Path;

use glob::{MatchOptions, Pattern};
use tallow_store::Store;

use crate::FileError;
use crate::checksum::SUFFIX;
use crate::object::{Place, Version};

/// A file as it was found.
#[derive(Clone, Debug)]
pub struct File {
    /// As the pattern names it: how messages and dead letters name it.
    pub name: String,
    pub(crate) place: Place,
    pub(crate) version: Version,
}

impl File {
    pub fn size_bytes(&self) -> u64 {
        self.version.size_bytes
    }

    /// Tells this content from another one under the same name.
    pub fn tag(&self) -> &str {
        &self.version.tag
    }
}

/// A slash is matched by `**` only.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files that any of the patterns matches, each once, by name. Checksums beside files are none. Relative paths
/// start from `folder`; `options` are those of the object store.
pub fn expand(
    patterns: &[String],
    folder: &Path,
    options: &BTreeMap<String, String>,
) -> Result<Vec<File>, FileError> {
    let mut files = BTreeMap::new();
    for pattern in patterns {
        let found = match pattern.split_once("://") {
            Some(("file", path)) => local(path, folder)?,
            Some(_) => objects(pattern, options)?,
            None => local(pattern, folder)?,
        };
        if found.is_empty() {
            return Err(FileError::NoMatch { pattern: pattern.clone() });
        }
        files.extend(found.into_iter().map(|file| (file.name.clone(), file)));
    }
    Ok(files.into_values().collect())
}

fn local(pattern: &str, folder: &Path) -> Result<Vec<File>, FileError> {
    let wrong = |why: String| FileError::Pattern { pattern: pattern.to_owned(), why };
    let whole = folder.join(pattern);
    let relative = Path::new(pattern).is_relative();
    let whole = whole.to_str().ok_or_else(|| wrong("not UTF-8".to_owned()))?;
    let mut files = Vec::new();
    for path in glob::glob_with(whole, OPTIONS).map_err(|error| wrong(error.to_string()))? {
        let path = path.map_err(|error| wrong(error.to_string()))?;
        let shown = if relative { path.strip_prefix(folder).unwrap_or(&path) } else { &path };
        let name = shown.to_string_lossy().into_owned();
        if !path.is_file() || name.ends_with(SUFFIX) {
            continue;
        }
        let place = Place::Local(path);
        if let Some(version) = place.version(&name)? {
            files.push(File { name, place, version });
        }
    }
    Ok(files)
}

/// The root is what comes before the first segment with a wildcard.
fn objects(pattern: &str, options: &BTreeMap<String, String>) -> Result<Vec<File>, FileError> {
    let wildcard = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let scheme = pattern.find("://").map_or(0, |at| at + 3);
    let Some(slash) = pattern[..wildcard].rfind('/').filter(|slash| *slash >= scheme) else {
        let why = "write the bucket without wildcards, as in s3://bucket/klines/*.csv.gz".to_owned();
        return Err(FileError::Pattern { pattern: pattern.to_owned(), why });
    };
    let (root, rest) = (&pattern[..slash], &pattern[slash + 1..]);
    let matcher = Pattern::new(rest)
        .map_err(|error| FileError::Pattern { pattern: pattern.to_owned(), why: error.to_string() })?;
    let store = Store::open(root, options)?;
    let mut files = Vec::new();
    for (path, _) in store.list("")? {
        if !matcher.matches_with(&path, OPTIONS) || path.ends_with(SUFFIX) {
            continue;
        }
        let name = format!("{root}/{path}");
        let place = Place::Object { store: store.clone(), path };
        if let Some(version) = place.version(&name)? {
            files.push(File { name, place, version });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(patterns: &[&str], folder: &Path) -> Result<Vec<String>, FileError> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.to_string()).collect();
        let files = expand(&patterns, folder, &BTreeMap::new())?;
        Ok(files.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn files_are_named_as_the_pattern_names_them_each_once_and_sorted() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/2.csv", "a/1.csv", "a/1.csv.CHECKSUM", "a/b/3.csv", "a/x.txt"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let found = names(&["a/*.csv", "a/1.*"], folder.path()).unwrap();
        assert_eq!(found, ["a/1.csv", "a/2.csv"]);
        assert_eq!(names(&["**/3.csv"], folder.path()).unwrap(), ["a/b/3.csv"]);
        let whole = format!("{}/a/2.csv", folder.path().display());
        assert_eq!(names(&[&whole], Path::new("/")).unwrap(), std::slice::from_ref(&whole));
        assert_eq!(names(&[&format!("file://{whole}")], Path::new("/")).unwrap(), [whole]);
        let none = names(&["b/*.csv"], folder.path()).unwrap_err();
        assert_eq!(none.to_string(), "no file matches `b/*.csv`");
    }

    #[test]
    fn objects_are_found_under_their_url() {
        let store = Store::open("memory:///expand", &BTreeMap::new()).unwrap();
        for name in ["k/BTC-1.csv", "k/BTC-2.csv.gz", "k/ETH-1.csv", "k/deep/BTC-3.csv"] {
            store.put_overwrite(name, name.as_bytes().to_vec()).unwrap();
        }
        // A store in memory has no folders above its objects, so the pattern begins at its root.
        let found = names(&["memory:///expand/k/BTC-*"], Path::new("/"));
        assert!(found.is_err(), "the root is `memory:///expand/k`, another store in memory");
        let found = names(&["memory:///expand/*/BTC-*"], Path::new("/")).unwrap();
        assert_eq!(found, ["memory:///expand/k/BTC-1.csv", "memory:///expand/k/BTC-2.csv.gz"]);
        assert!(names(&["s3://*/x"], Path::new("/")).is_err());
    }
}
