//! Where in a message each column is: the paths of a schema as one tree, which the reader walks beside the message.

use tallow_contract::Refusal;
use tallow_contract::schema::{Path, Step};

/// The whole message.
pub(crate) const ROOT: usize = 0;

#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
    /// The arrays whose items give rows, from the outermost to the innermost.
    pub exploded: Vec<Exploded>,
}

/// A place of the message that a column needs, or that leads to one.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// For people.
    pub path: String,
    pub keys: Vec<(Box<[u8]>, usize)>,
    /// Items by index, ascending.
    pub items: Vec<(u32, usize)>,
    /// Which of [`Tree::exploded`] this array is.
    pub exploded: Option<usize>,
    /// Cells that take this value.
    pub cells: Vec<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct Exploded {
    pub path: String,
    /// The node of an item.
    pub item: usize,
    /// Cells within an item.
    pub cells: Vec<usize>,
}

impl Node {
    /// Whether other places lie within this one.
    pub fn is_inner(&self) -> bool {
        !self.keys.is_empty() || !self.items.is_empty() || self.exploded.is_some()
    }
}

impl Tree {
    /// Cell i takes the value at the i-th path.
    ///
    /// # Errors
    /// Arrays side by side: which of their items belong together is not said.
    pub fn new<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, Refusal> {
        let mut tree = Tree { nodes: vec![Node::default()], exploded: Vec::new() };
        for (cell, path) in paths.enumerate() {
            let mut at = ROOT;
            for (depth, step) in path.steps().iter().enumerate() {
                at = tree.step(at, step, || Path::new(path.steps()[..=depth].to_vec()).to_string())?;
                if let Some(exploded) = tree.exploded.iter_mut().find(|exploded| exploded.item == at) {
                    exploded.cells.push(cell);
                }
            }
            tree.nodes[at].cells.push(cell);
        }
        Ok(tree)
    }

    fn step(&mut self, at: usize, step: &Step, path: impl Fn() -> String) -> Result<usize, Refusal> {
        let next = self.nodes.len();
        let node = &mut self.nodes[at];
        let known = match step {
            Step::Key(key) => match node.keys.iter().find(|(known, _)| **known == *key.as_bytes()) {
                Some((_, known)) => *known,
                None => {
                    node.keys.push((key.as_bytes().into(), next));
                    next
                }
            },
            Step::Item(index) => match node.items.binary_search_by_key(index, |(index, _)| *index) {
                Ok(known) => node.items[known].1,
                Err(place) => {
                    node.items.insert(place, (*index, next));
                    next
                }
            },
            Step::Every => match node.exploded {
                Some(known) => self.exploded[known].item,
                None => {
                    node.exploded = Some(self.exploded.len());
                    self.explode(at, next, path())?;
                    next
                }
            },
        };
        if known == next {
            self.nodes.push(Node { path: path(), ..Node::default() });
        }
        Ok(known)
    }

    /// A new array whose items give rows: it must lie within the items of the one before it.
    fn explode(&mut self, array: usize, item: usize, path: String) -> Result<(), Refusal> {
        if let Some(outer) = self.exploded.last()
            && !self.is_within(array, outer.item)
        {
            let why = format!(
                "`{}` and `{path}` are arrays side by side: rows can be made of one, and of arrays within its items",
                outer.path
            );
            return Err(why.into());
        }
        self.exploded.push(Exploded { path, item, cells: Vec::new() });
        Ok(())
    }

    fn is_within(&self, node: usize, outer: usize) -> bool {
        let inner = |at: usize| {
            let keys = self.nodes[at].keys.iter().map(|(_, inner)| *inner);
            keys.chain(self.nodes[at].items.iter().map(|(_, inner)| *inner)).collect::<Vec<_>>()
        };
        node == outer || inner(outer).into_iter().any(|inner| self.is_within(node, inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Result<Tree, Refusal> {
        let paths: Vec<Path> = paths.iter().map(|path| path.parse().unwrap()).collect();
        Tree::new(paths.iter())
    }

    #[test]
    fn arrays_within_items_of_an_array_make_a_chain() {
        let tree = tree(&["id", "orders[].id", "orders[].fills[].price", "orders[].fills[].at.ms"]).unwrap();
        let chain: Vec<_> = tree.exploded.iter().map(|it| (it.path.as_str(), it.cells.clone())).collect();
        assert_eq!(chain, [("orders[]", vec![1, 2, 3]), ("orders[].fills[]", vec![2, 3])]);
    }

    #[test]
    fn arrays_side_by_side_are_refused() {
        let error = tree(&["a[].x", "b[].y"]).unwrap_err().to_string();
        assert!(error.starts_with("`a[]` and `b[]` are arrays side by side"), "{error}");
    }

    #[test]
    fn places_that_two_columns_share_are_one() {
        let tree = tree(&["a.b", "a.b", "a.c", "l[1]", "l[0]"]).unwrap();
        assert_eq!(tree.nodes.len(), 7);
        let list = &tree.nodes[tree.nodes[ROOT].keys[1].1];
        assert_eq!(list.items.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
    }
}
