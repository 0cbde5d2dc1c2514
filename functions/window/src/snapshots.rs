//! Snapshots, piece by piece: the bytes of a part may be in many pieces, and put together they are what a single piece
//! would have held.

use std::collections::{BTreeMap, VecDeque};

use tallow_contract::window::{Part, SnapshotPiece};

use crate::bytes::Writer;
use crate::held::SpecState;
use crate::keys::GROUPS;
use crate::order::Topics;
use crate::state::{begin_part, write_key};

/// A piece is complete once parts of so many keys were begun, too: their keys are sorted first.
const MAX_KEYS: usize = 1 << 16;

/// What a snapshot is of.
pub struct Held<'a> {
    pub specs: &'a [SpecState],
    pub topics: &'a Topics,
    pub version: u64,
}

/// A snapshot that is given in pieces.
pub struct Writing {
    pub since: u64,
    spec: u32,
    /// Groups of the spec that are to be written, with their keys; `None` until they are looked for.
    groups: Option<VecDeque<(u32, Vec<u32>)>>,
    part: Option<OpenPart>,
}

/// A part of which some keys are written.
struct OpenPart {
    group: u32,
    /// In the order of their text.
    keys: Vec<u32>,
    /// How many of them are written.
    written: usize,
    topics: BTreeMap<u32, u64>,
}

impl Writing {
    pub fn new(since: u64) -> Writing {
        Writing { since, spec: 0, groups: None, part: None }
    }

    pub fn piece(&mut self, held: &Held<'_>, max_bytes: u64) -> SnapshotPiece {
        let mut piece = SnapshotPiece { version: held.version, parts: Vec::new(), more: true };
        let (mut bytes, mut keys) = (0, 0);
        while let Some(state) = held.specs.get(self.spec as usize) {
            if bytes >= max_bytes || keys >= MAX_KEYS {
                return piece;
            }
            let groups = self.groups.get_or_insert_with(|| changed(state, self.since));
            if self.part.is_none() && groups.is_empty() {
                (self.spec, self.groups) = (self.spec + 1, None);
                continue;
            }
            let part = self.write(state, held.topics, max_bytes - bytes, &mut keys);
            bytes += part.bytes.len() as u64;
            piece.parts.push(part);
        }
        piece.more = false;
        piece
    }

    /// Writes keys of the part that was begun, or of the next one, until there are bytes enough.
    fn write(&mut self, state: &SpecState, topics: &Topics, max_bytes: u64, begun: &mut usize) -> Part {
        let mut writer = Writer::default();
        let mut part = self.part.take().unwrap_or_else(|| {
            let next = self.groups.as_mut().and_then(VecDeque::pop_front);
            let (group, mut keys) = next.unwrap_or_default();
            keys.sort_unstable_by(|&a, &b| state.keys.text(a).cmp(state.keys.text(b)));
            *begun += keys.len();
            let topics = begin_part(&mut writer, state, &keys, topics);
            OpenPart { group, keys, written: 0, topics }
        });
        while let Some(&key) = part.keys.get(part.written)
            && (writer.bytes.len() as u64) < max_bytes
        {
            write_key(&mut writer, state, key, &part.topics);
            part.written += 1;
        }
        let whole = Part { spec: self.spec, group: part.group, bytes: writer.bytes };
        self.part = (part.written < part.keys.len()).then_some(part);
        whole
    }
}

/// Groups that changed after `since`, with their keys.
fn changed(state: &SpecState, since: u64) -> VecDeque<(u32, Vec<u32>)> {
    let is_changed = |group: u32| state.changed_at[group as usize] > since;
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); GROUPS as usize];
    if (0..GROUPS).any(is_changed) {
        for key in state.keys.indices() {
            groups[state.states[key as usize].group as usize].push(key);
        }
    }
    let groups = (0..GROUPS).zip(groups);
    groups.filter(|(group, keys)| is_changed(*group) && (since > 0 || !keys.is_empty())).collect()
}
