//! Where keys are written, for mistakes that only the functions can tell.

use std::collections::BTreeMap;

use crate::node::{Node, Place, Value};

/// The place of each value by the path of its key, without quotes: `client.a.b` may be written as `client."a.b"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, Place>);

/// A value that cannot be as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key's path: `trigger.kafka[candles].windows[1m].kinds`.
    pub key: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl Places {
    pub(crate) fn of(root: &Node) -> Self {
        let mut places = Self::default();
        for ours in [&["trigger", "kafka"][..], &["application", "trigger", "kafka"]] {
            if let Some(node) = root.find(ours) {
                places.collect(node);
            }
        }
        places
    }

    fn collect(&mut self, node: &Node) {
        if let Some(place) = node.place {
            self.0.insert(without_quotes(&node.path), place);
        }
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Table(table) => table.entries.iter().for_each(|entry| self.collect(&entry.node)),
            _ => {}
        }
    }

    /// The place of a key, or of the nearest table around it: a default is written nowhere.
    pub(crate) fn find(&self, key: &str) -> Option<Place> {
        let key = without_quotes(key);
        let mut key = key.as_str();
        loop {
            match self.0.get(key) {
                Some(place) => return Some(*place),
                None => key = &key[..key.rfind(['.', '['])?],
            }
        }
    }
}

fn without_quotes(path: &str) -> String {
    path.replace('"', "")
}
