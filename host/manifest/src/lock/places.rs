//! What a lock file forgets: where things are written, and in which order.

use std::collections::BTreeMap;

use crate::node::{Node, Place, Value};

/// Places of a key and of its value.
type Written = (Option<Place>, Option<Place>);

/// Gives the tree the places of the manifest that it was made of, and its tables the order in which their keys are
/// written there. Spin sorts keys, but aggregates are columns in their order: without this, the same manifest would mean
/// another table under `spin up`, and its checkpoint would be refused.
pub(super) fn arrange(root: &mut Node, manifest: &Node) {
    let mut written = BTreeMap::new();
    collect(manifest, None, &mut written);
    place(root, &written);
}

fn collect<'a>(node: &'a Node, key: Option<Place>, written: &mut BTreeMap<&'a str, Written>) {
    written.insert(&node.path, (key, node.place));
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| collect(item, None, written)),
        Value::Table(table) => {
            table.entries.iter().for_each(|entry| collect(&entry.node, entry.key_place, written));
        }
        _ => {}
    }
}

fn place(node: &mut Node, written: &BTreeMap<&str, Written>) {
    node.place = written.get(node.path.as_str()).and_then(|(_, place)| *place);
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| place(item, written)),
        Value::Table(table) => {
            for entry in &mut table.entries {
                entry.key_place = written.get(entry.node.path.as_str()).and_then(|(key, _)| *key);
                place(&mut entry.node, written);
            }
            table.entries.sort_by_key(|entry| (entry.key_place.is_none(), entry.key_place));
        }
        _ => {}
    }
}
