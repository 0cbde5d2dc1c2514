//! The keys of the objects that a schema reads: those that it names, and others as they come.

use parse_base::cursor::{Cursor, Literal};
use parse_base::json::Scanner;
use parse_base::swar::{low_bytes, matching};

use crate::plan::Plan;
use crate::take::Take;
use crate::tree::{Node, ROOT};

/// Longest key, in bytes: with its value it has to fit into a window.
const MOST_KEY: usize = 56;
/// Places in an object's table of keys, and how many of them are used at most.
const SLOTS: usize = 64;
const MOST_MEMBERS: usize = 48;
/// Places of a schema that have a bit.
const MOST_NODES: usize = 64;

/// No member: nothing came there before.
pub(crate) const NONE: usize = usize::MAX;

/// A known key, and what becomes of its value.
pub(crate) struct Member<'p> {
    /// With its quotes and the colon.
    pub key: Literal,
    pub take: Take,
    /// What takes the value, if [`Member::take`] leaves it.
    pub cells: &'p [usize],
    /// Of the place in the schema; 0 if the schema does not name the key.
    pub bit: u64,
    /// The member that came after it last.
    pub next: usize,
}

/// An object: its members by a hash of their keys.
struct Object {
    slots: [usize; SLOTS],
    members: usize,
    /// The member that came first last.
    first: usize,
}

pub(crate) struct Members<'p> {
    objects: Vec<Object>,
    all: Vec<Member<'p>>,
}

impl<'p> Members<'p> {
    /// The members that a schema names. `None` if it reads items of arrays, or has too many places or too long keys.
    pub fn new(plan: &'p Plan) -> Option<Self> {
        let nodes = &plan.tree.nodes;
        let mut members = Members { objects: Vec::new(), all: Vec::new() };
        let fits = |node: &Node| {
            let within = !node.keys.is_empty() && !node.cells.is_empty();
            node.items.is_empty() && node.exploded.is_none() && !within
        };
        if nodes.len() > MOST_NODES || !nodes.iter().all(fits) || nodes[ROOT].keys.is_empty() {
            return None;
        }
        for node in nodes {
            let object = members.objects.len();
            members.objects.push(Object { slots: [NONE; SLOTS], members: 0, first: NONE });
            for (key, inner) in &node.keys {
                let of = &nodes[*inner];
                let take = if of.keys.is_empty() { Take::of(plan, &of.cells) } else { Take::Object(*inner) };
                let member = Member {
                    key: Literal::new(&quoted(key)),
                    take,
                    cells: &of.cells,
                    bit: 1 << inner,
                    next: NONE,
                };
                if key.len() > MOST_KEY || key.iter().any(|byte| matches!(byte, b'"' | b'\\' | 0..b' ')) {
                    return None;
                }
                members.add(object, key, member)?;
            }
        }
        Some(members)
    }

    #[inline(always)]
    pub fn get(&mut self, member: usize) -> Option<&mut Member<'p>> {
        self.all.get_mut(member)
    }

    /// The member of an object that comes next, after `before`: mostly the one that came there the last time. `None` if
    /// there is none, or one that only the full reader can read.
    #[inline(always)]
    pub fn next<'t>(
        &mut self,
        object: usize,
        before: Option<usize>,
        cursor: &Cursor<'_>,
        rest: impl FnOnce() -> Option<&'t [u8]>,
    ) -> Option<usize> {
        let guess = match before {
            Some(before) => self.all.get(before)?.next,
            None => self.objects.get(object)?.first,
        };
        if let Some(member) = self.all.get(guess)
            && cursor.sees_literal(&member.key)
        {
            return Some(guess);
        }
        let found = self.find(object, cursor).or_else(|| self.learn(object, rest()?))?;
        match before {
            Some(before) => self.all.get_mut(before)?.next = found,
            None => self.objects.get_mut(object)?.first = found,
        }
        Some(found)
    }

    #[inline(always)]
    fn find(&self, object: usize, cursor: &Cursor<'_>) -> Option<usize> {
        let object = self.objects.get(object)?;
        let mut slot = slot(cursor.word_after(1));
        // An empty slot ends the search: not all are used.
        loop {
            let found = object.slots[slot % SLOTS];
            if cursor.sees_literal(&self.all.get(found)?.key) {
                return Some(found);
            }
            slot += 1;
        }
    }

    /// Keeps a key that the schema does not name. `rest`: of the message, from the key on.
    #[cold]
    fn learn(&mut self, object: usize, rest: &[u8]) -> Option<usize> {
        let key = Scanner::new(rest).key()?;
        let plain = rest.get(..key.len() + 3)? == quoted(key);
        let known = self.objects.get(object)?.members;
        if !plain || key.contains(&b'\\') || key.len() > MOST_KEY || known == MOST_MEMBERS {
            return None;
        }
        self.add(
            object,
            key,
            Member { key: Literal::new(&quoted(key)), take: Take::Skip, cells: &[], bit: 0, next: NONE },
        )
    }

    fn add(&mut self, object: usize, key: &[u8], member: Member<'p>) -> Option<usize> {
        let object = self.objects.get_mut(object)?;
        if object.members == MOST_MEMBERS {
            return None;
        }
        object.members += 1;
        let mut word = [0; 8];
        let begin = &quoted(key)[1..];
        let length = begin.len().min(8);
        word[..length].copy_from_slice(&begin[..length]);
        let mut slot = slot(u64::from_le_bytes(word));
        while object.slots[slot % SLOTS] != NONE {
            slot += 1;
        }
        object.slots[slot % SLOTS] = self.all.len();
        self.all.push(member);
        Some(self.all.len() - 1)
    }
}

/// Where to look for a key, by its first bytes: up to its quote if that is among them.
#[inline(always)]
fn slot(word: u64) -> usize {
    let key = word & low_bytes(matching(word, b'"'));
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize
}

/// A key as it is written, with the colon.
fn quoted(key: &[u8]) -> Vec<u8> {
    [b"\"", key, b"\":"].concat()
}
