//! Reads a table of the manifest by its declaration.

use crate::error::{Report, quoted, suggestion};
use crate::node::{self, Node};
use crate::table::{Absence, Key, Rule, Table};
use crate::{toml, values};

/// One table of the manifest, as it is written.
pub(crate) struct Reader<'a> {
    node: &'a Node,
    written: &'a node::Table,
    table: &'static Table,
}

impl<'a> Reader<'a> {
    /// Reports keys that the table does not have, and broken rules.
    pub fn open(node: &'a Node, table: &'static Table, report: &mut Report) -> Option<Self> {
        let reader = Self { node, written: values::table(node, report)?, table };
        for entry in &reader.written.entries {
            if table.keys.iter().any(|key| key.name == entry.key) {
                continue;
            }
            let problem = match table.refused.iter().find(|(key, _)| *key == entry.key) {
                Some((_, why)) => (*why).to_owned(),
                None => {
                    let known: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
                    format!("unknown key; {}", suggestion(&entry.key, &known))
                }
            };
            report.add(entry.key_place, &entry.node.path, problem);
        }
        table.rules.iter().for_each(|rule| reader.check(rule, report));
        Some(reader)
    }

    fn check(&self, rule: &Rule, report: &mut Report) {
        match rule {
            Rule::ExactlyOne(keys) => {
                let written: Vec<&Node> = keys.iter().filter_map(|key| self.written.get(key)).collect();
                match written[..] {
                    [_] => {}
                    [] => report.at(self.node, format!("one of {} is missing", quoted(keys))),
                    [_, second, ..] => {
                        report.at(second, format!("only one of {} can be given", quoted(keys)));
                    }
                }
            }
            Rule::AtLeastOne(keys, why) => {
                if !keys.iter().any(|key| self.has(key)) {
                    report.at(self.node, *why);
                }
            }
            Rule::NotBoth(one, other) => {
                if self.has(one) && self.has(other) {
                    report.at(self.node, format!("only one of `{one}` and `{other}` can be given"));
                }
            }
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A key's value, if it is written.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.written.get(key)
    }

    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// A key that must be written.
    pub fn required<T>(
        &self,
        key: &str,
        report: &mut Report,
        read: impl FnOnce(&Node, &mut Report) -> Option<T>,
    ) -> Option<T> {
        let written = self.written.get(key);
        if written.is_none() {
            let takes = self.key(key).map_or("", |key| &key.words);
            report.at(self.node, format!("`{key}` is missing; it takes {takes}"));
        }
        read(written?, report)
    }

    /// A key whose default holds where it is not written.
    pub fn default<T>(
        &self,
        key: &str,
        report: &mut Report,
        read: impl FnOnce(&Node, &mut Report) -> Option<T>,
    ) -> Option<T> {
        match (self.written.get(key), self.key(key)?.absence) {
            (Some(node), _) => read(node, report),
            (None, Absence::Is(text)) => {
                read(&toml::value(&format!("{}.{key}", self.node.path), text).ok()?, report)
            }
            (None, Absence::Mistake | Absence::Means(_)) => None,
        }
    }

    /// `Some(None)` where the key is not written.
    pub fn none<T>(
        &self,
        key: &str,
        report: &mut Report,
        read: impl FnOnce(&Node, &mut Report) -> Option<T>,
    ) -> Option<Option<T>> {
        self.written.get(key).map_or(Some(None), |node| read(node, report).map(Some))
    }

    /// An empty list or map where the key is not written.
    pub fn empty<T: Default>(
        &self,
        key: &str,
        report: &mut Report,
        read: impl FnOnce(&Node, &mut Report) -> Option<T>,
    ) -> Option<T> {
        self.written.get(key).map_or_else(|| Some(T::default()), |node| read(node, report))
    }

    /// A table; one that is not written is read as an empty one, so that its defaults hold.
    pub fn inner<T>(
        &self,
        key: &str,
        report: &mut Report,
        read: impl FnOnce(&Node, &mut Report) -> Option<T>,
    ) -> Option<T> {
        read(self.written.get(key).unwrap_or(&node::EMPTY_TABLE), report)
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.table.keys.iter().find(|key| key.name == name)
    }
}
