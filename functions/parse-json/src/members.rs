//! The keys of the objects that a schema reads: those that it names, and others as they come.

use parse_base::cursor::{Cursor, Literal};
use parse_base::json::Scanner;
use parse_base::short_texts::ShortTexts;
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
pub(crate) const MOST_NODES: usize = 64;

/// No member: nothing came there before.
pub(crate) const NONE: usize = usize::MAX;

/// A known key, and what becomes of its value.
pub(crate) struct Member<'p> {
    /// With its quotes and the colon.
    pub key: Literal,
    pub take: Take,
    /// Which of [`Members::texts`] knows its texts.
    pub texts: usize,
    /// Whether it is the kind of the message, at least for one of the cells.
    pub is_kind: bool,
    /// What takes the value, if [`Member::take`] leaves it.
    pub cells: &'p [usize],
    /// The place in the schema, and its bit; 0 if the schema does not name the key.
    pub node: usize,
    pub bit: u64,
    /// The member that came after it last.
    pub next: usize,
}

/// A member in an object's table: the first eight bytes of its key, and how many it has.
#[derive(Clone, Copy)]
struct Slot {
    word: u64,
    length: usize,
    member: usize,
    node: usize,
}

const EMPTY: Slot = Slot { word: 0, length: LONG, member: NONE, node: ROOT };
/// The length of a key whose first eight bytes do not tell it from others.
const LONG: usize = usize::MAX;

/// An object: its members by a hash of their keys.
struct Object {
    slots: [Slot; SLOTS],
    members: usize,
    /// The member that came first last.
    first: usize,
}

pub(crate) struct Members<'p> {
    objects: Vec<Object>,
    pub all: Vec<Member<'p>>,
    /// Codes of texts, for each column that has any. The first has none.
    pub texts: Vec<ShortTexts>,
}

impl<'p> Members<'p> {
    /// The members that a schema names. `None` if it reads items of arrays, or has too many places or too long keys.
    pub fn new(plan: &'p Plan) -> Option<Self> {
        let nodes = &plan.tree.nodes;
        let mut members =
            Members { objects: Vec::new(), all: Vec::new(), texts: vec![ShortTexts::default()] };
        let fits = |node: &Node| {
            let within = !node.keys.is_empty() && !node.cells.is_empty();
            node.items.is_empty() && node.exploded.is_none() && !within
        };
        if nodes.len() > MOST_NODES || !nodes.iter().all(fits) || nodes[ROOT].keys.is_empty() {
            return None;
        }
        for node in nodes {
            let object = members.objects.len();
            members.objects.push(Object { slots: [EMPTY; SLOTS], members: 0, first: NONE });
            for (key, inner) in &node.keys {
                let of = &nodes[*inner];
                let take = if of.keys.is_empty() { Take::of(plan, &of.cells) } else { Take::Object(*inner) };
                if matches!(take, Take::Text { .. }) {
                    members.texts.push(ShortTexts::default());
                }
                let member = Member {
                    key: Literal::new(&quoted(key)),
                    take,
                    texts: if matches!(take, Take::Text { .. }) { members.texts.len() - 1 } else { 0 },
                    is_kind: of.cells.iter().any(|cell| plan.cell_columns.get(*cell).is_none()),
                    cells: &of.cells,
                    node: *inner,
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

    /// The member of an object that comes next, after `before`: mostly the one that came there the last time. `None` if
    /// there is none, or one that only the full reader can read.
    #[inline(always)]
    pub fn next<'t>(
        &mut self,
        object: usize,
        before: usize,
        cursor: &Cursor<'_>,
        rest: impl FnOnce() -> Option<&'t [u8]>,
    ) -> Option<usize> {
        let guess = match self.all.get(before) {
            Some(before) => before.next,
            None => self.objects.get(object)?.first,
        };
        if let Some(member) = self.all.get(guess)
            && cursor.sees_literal(&member.key)
        {
            return Some(guess);
        }
        let found = self.find(object, cursor).or_else(|| self.learn(object, rest()?))?;
        match self.all.get_mut(before) {
            Some(before) => before.next = found,
            None => self.objects.get_mut(object)?.first = found,
        }
        Some(found)
    }

    /// A known member of an object.
    #[inline(always)]
    pub fn find(&self, object: usize, cursor: &Cursor<'_>) -> Option<usize> {
        let object = self.objects.get(object)?;
        let word = cursor.word_after(1);
        let mut slot = slot(word & low_bytes(matching(word, b'"')));
        // An empty slot ends the search: not all are used.
        loop {
            let found = object.slots[slot % SLOTS].member;
            if cursor.sees_literal(&self.all.get(found)?.key) {
                return Some(found);
            }
            slot += 1;
        }
    }

    /// An object's members by their keys' lengths, too.
    pub fn by_length<'m>(&'m self, object: usize) -> Option<ByLength<'m, 'p>> {
        Some(ByLength { members: self, index: object, slots: &self.objects.get(object)?.slots })
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
            Member {
                key: Literal::new(&quoted(key)),
                take: Take::Skip,
                texts: 0,
                is_kind: false,
                cells: &[],
                node: ROOT,
                bit: 0,
                next: NONE,
            },
        )
    }

    fn add(&mut self, object: usize, key: &[u8], member: Member<'p>) -> Option<usize> {
        let object = self.objects.get_mut(object)?;
        if object.members == MOST_MEMBERS {
            return None;
        }
        object.members += 1;
        let mut word = [0; 8];
        let begin = key.len().min(8);
        word[..begin].copy_from_slice(&key[..begin]);
        let word = u64::from_le_bytes(word);
        let mut slot = slot(word);
        while object.slots[slot % SLOTS].member != NONE {
            slot += 1;
        }
        let length = if key.len() > 8 { LONG } else { key.len() };
        object.slots[slot % SLOTS] = Slot { word, length, member: self.all.len(), node: member.node };
        self.all.push(member);
        Some(self.all.len() - 1)
    }
}

/// What finds the members of one object.
#[derive(Clone, Copy)]
pub(crate) struct ByLength<'m, 'p> {
    members: &'m Members<'p>,
    index: usize,
    slots: &'m [Slot; SLOTS],
}

impl ByLength<'_, '_> {
    /// The place in the schema of a known key of so many bytes, without its quotes, at a cursor.
    #[inline(always)]
    pub fn find(&self, cursor: &Cursor<'_>, length: usize) -> Option<usize> {
        let word = cursor.word_after(1) & low_bytes(length as u32);
        let found = &self.slots[slot(word) % SLOTS];
        if (found.word ^ word) | (found.length ^ length) as u64 == 0 {
            return Some(found.node);
        }
        self.find_in_other_slots(cursor, length)
    }

    /// Of a long key, or one that shares its slot.
    #[inline(never)]
    fn find_in_other_slots(&self, cursor: &Cursor<'_>, length: usize) -> Option<usize> {
        let found = self.members.all.get(self.members.find(self.index, cursor)?)?;
        (found.key.length() == length + 3).then_some(found.node)
    }
}

/// Where to look for a key, by its first eight bytes, with zeros after its end.
#[inline(always)]
fn slot(word: u64) -> usize {
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize
}

/// A key as it is written, with the colon.
fn quoted(key: &[u8]) -> Vec<u8> {
    [b"\"", key, b"\":"].concat()
}
