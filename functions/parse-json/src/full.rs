//! Any message: read beside the tree of the schema's paths, whatever the order of its keys.

use std::borrow::Cow;

use parse_base::json::{Scanner, unescaped};
use parse_base::reason::{Apart, Step, excerpt};

use crate::cells::Cells;
use crate::tree::{ROOT, Tree};

/// Reads messages, one after the other.
pub(crate) struct Full<'p, 'a> {
    tree: &'p Tree,
    /// The reading in which each node was seen last: a key twice in one object is a broken message.
    seen: Vec<u64>,
    reading: u64,
    /// The text of each exploded array; empty if it is missing.
    pub arrays: Vec<&'a [u8]>,
    /// The first value that does not fit the schema. What should be within it is missing.
    fault: Option<Box<Apart>>,
}

impl<'p, 'a> Full<'p, 'a> {
    pub fn new(tree: &'p Tree) -> Self {
        let (seen, arrays) = (vec![0; tree.nodes.len()], vec![&[][..]; tree.exploded.len()]);
        Full { tree, seen, reading: 0, arrays, fault: None }
    }

    /// Reads a whole message into empty cells. An error means that the text is not JSON; otherwise the answer is what does
    /// not fit the schema.
    pub fn message(&mut self, text: &'a [u8], cells: &mut Cells<'a>) -> Step<Option<Box<Apart>>> {
        self.arrays.fill(&[]);
        let mut scanner = Scanner::new(text);
        self.begin();
        self.value(ROOT, &mut scanner, cells)?;
        scanner.end().ok_or_else(|| scanner.fault())?;
        Ok(self.fault.take())
    }

    /// Reads an item of an exploded array. The answer is what does not fit the schema.
    pub fn item(&mut self, node: usize, text: &'a [u8], cells: &mut Cells<'a>) -> Step<Option<Box<Apart>>> {
        self.begin();
        self.value(node, &mut Scanner::new(text), cells)?;
        Ok(self.fault.take())
    }

    fn begin(&mut self) {
        self.reading += 1;
        self.fault = None;
    }

    fn value(&mut self, node: usize, scanner: &mut Scanner<'a>, cells: &mut Cells<'a>) -> Step<()> {
        let tree = self.tree;
        let Some(place) = tree.nodes.get(node) else { return Ok(()) };
        if let Some(seen) = self.seen.get_mut(node)
            && std::mem::replace(seen, self.reading) == self.reading
        {
            self.fault.get_or_insert_with(|| Apart::rejected(format!("{}: there twice", place.path)));
        }
        let first = scanner.peek();
        if !place.keys.is_empty() && place.cells.is_empty() && first == b'{' {
            return self.object(node, scanner, cells);
        }
        let value = scanner.value().ok_or_else(|| scanner.fault())?;
        place.cells.iter().for_each(|&cell| cells.set(cell, value));
        if !place.is_inner() {
            return Ok(());
        }
        match first {
            b'n' => Ok(()),
            b'{' if !place.keys.is_empty() => self.object(node, &mut Scanner::new(value), cells),
            b'[' if place.exploded.is_some() || !place.items.is_empty() => {
                if let Some(array) = place.exploded.and_then(|exploded| self.arrays.get_mut(exploded)) {
                    *array = value;
                }
                self.items(node, value, cells)
            }
            _ => {
                let wanted = if place.keys.is_empty() { "an array" } else { "an object" };
                let path = if place.path.is_empty() { "JSON" } else { &place.path };
                let fault = || Apart::rejected(format!("{path}: not {wanted}: {}", excerpt(value)));
                self.fault.get_or_insert_with(fault);
                Ok(())
            }
        }
    }

    #[inline]
    fn object(&mut self, node: usize, scanner: &mut Scanner<'a>, cells: &mut Cells<'a>) -> Step<()> {
        let keys = &self.tree.nodes[node].keys;
        scanner.expect(b'{', "an object").ok_or_else(|| scanner.fault())?;
        if scanner.accept(b'}') {
            return Ok(());
        }
        // Keys mostly come in the schema's order.
        let mut expected = 0;
        loop {
            let key = scanner.key().ok_or_else(|| scanner.fault())?;
            let key = if key.contains(&b'\\') {
                Cow::Owned(unescaped("JSON: key", key)?.into_owned().into_bytes())
            } else {
                Cow::Borrowed(key)
            };
            let found = match keys.get(expected) {
                Some((known, _)) if same(known, &key) => Some(expected),
                _ => keys.iter().position(|(known, _)| same(known, &key)),
            };
            match found.and_then(|found| keys.get(found).map(|(_, node)| (found, *node))) {
                Some((found, node)) => {
                    expected = found + 1;
                    self.value(node, scanner, cells)?;
                }
                None => {
                    scanner.value().ok_or_else(|| scanner.fault())?;
                }
            }
            if !scanner.another(b'}').ok_or_else(|| scanner.fault())? {
                return Ok(());
            }
        }
    }

    /// The items of an array that columns name by index. What they do not name is left as it is.
    fn items(&mut self, node: usize, text: &'a [u8], cells: &mut Cells<'a>) -> Step<()> {
        let named = &self.tree.nodes[node].items;
        if named.is_empty() {
            return Ok(());
        }
        for (index, item) in Items::new(text).enumerate() {
            if let Ok(found) = named.binary_search_by_key(&(index as u32), |(index, _)| *index) {
                self.value(named[found].1, &mut Scanner::new(item), cells)?;
            }
        }
        Ok(())
    }
}

/// For keys of one letter, as most are, a call of memcmp would take longer.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([one], [other]) => one == other,
        _ => one == other,
    }
}

/// The items of an array whose text is known to be JSON.
pub(crate) struct Items<'a> {
    scanner: Scanner<'a>,
    more: bool,
}

impl<'a> Items<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        let mut scanner = Scanner::new(text);
        let more = scanner.accept(b'[') && !scanner.accept(b']');
        Items { scanner, more }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if !self.more {
            return None;
        }
        let item = self.scanner.value()?;
        self.more = self.scanner.another(b']')?;
        Some(item)
    }
}
