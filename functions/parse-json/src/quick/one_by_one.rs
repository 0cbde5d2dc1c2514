//! Messages member by member: each key is compared with the one that came in its place the last time.

use parse_base::cursor::Cursor;
use parse_base::json::Value;
use parse_base::window::Windows;

use super::{Place, Quick, Read, code_of_kind};
use crate::kinds::Kinds;
use crate::members::{MOST_NODES, NONE};
use crate::plan::Rows;
use crate::take::{Take, number_ends};
use crate::tree::ROOT;

/// Most objects within each other.
const DEEPEST: usize = 8;
/// Where in a window a member may begin at most: it has to be in the window with its value.
const FAR: usize = 96;

/// How far a message has been read.
struct Reading<'a> {
    /// Where the window begins in the batch.
    base: usize,
    object: usize,
    /// The member that came last.
    before: usize,
    /// Places that came.
    seen: u64,
    /// Those with a value that was read, and those with one that is read by way of its text.
    filled: u64,
    texts: u64,
    kind: Option<Result<u32, &'a [u8]>>,
    /// The objects around this one, each with the member of it that is read.
    around: [(usize, usize); DEEPEST],
    depth: usize,
}

impl<'p, 'a> Quick<'p, 'a> {
    /// Reads a message of any order of keys.
    #[inline(never)]
    pub(super) fn one_by_one(
        &mut self,
        place: Place<'a>,
        windows: &mut Windows<'_>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<Read<'a>> {
        let mut reading = Reading::new(place.start, kinds.only());
        let mut cursor = Cursor::new(windows.at(place.start));
        self.texts.clear();
        self.trail.begin();
        cursor.white();
        cursor.accept_byte(b'{').then_some(())?;
        loop {
            if cursor.position() > FAR {
                cursor = reading.window(reading.base + cursor.position(), place, windows)?;
            }
            cursor.white();
            // An object may be empty.
            if reading.before != NONE || cursor.byte() != b'}' {
                let member = self.member(&mut reading, &mut cursor, place)?;
                if let Take::Object(inner) = self.members.all.get(member)?.take {
                    cursor.accept_byte(b'{').then_some(())?;
                    reading.enter(member, inner)?;
                    continue;
                }
                let end = self.value(member, &mut reading, &mut cursor, place, kinds, rows)?;
                if end != reading.base + cursor.position() {
                    cursor = reading.window(end, place, windows)?;
                }
                cursor.white();
            }
            while !cursor.accept_byte(b',') {
                cursor.accept_byte(b'}').then_some(())?;
                if cursor.position() > FAR {
                    cursor = reading.window(reading.base + cursor.position(), place, windows)?;
                }
                cursor.white();
                if !reading.leaves() {
                    let ends = reading.base + cursor.position() == place.end;
                    let (filled, texts) = (reading.filled | reading.texts, reading.texts);
                    return ends.then_some(Read { kind: reading.kind?, filled, texts });
                }
            }
        }
    }

    /// Reads the key of the next member.
    #[inline(always)]
    fn member(
        &mut self,
        reading: &mut Reading<'_>,
        cursor: &mut Cursor<'_>,
        place: Place<'_>,
    ) -> Option<usize> {
        let at = reading.base + cursor.position();
        let rest = || place.bytes.get(at..place.end);
        let index = self.members.next(reading.object, reading.before, cursor, rest)?;
        let member = self.members.all.get(index)?;
        // A key that comes twice.
        if reading.seen & member.bit != 0 {
            return None;
        }
        reading.seen |= member.bit;
        cursor.skip(member.key.length());
        cursor.white();
        reading.before = index;
        Some(index)
    }

    /// Reads a value; gives where it ends in the batch.
    #[inline(always)]
    fn value(
        &mut self,
        index: usize,
        reading: &mut Reading<'a>,
        cursor: &mut Cursor<'_>,
        place: Place<'a>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<usize> {
        let from = reading.base + cursor.position();
        let member = self.members.all.get(index)?;
        let skips = matches!(reading.kind, Some(Err(_)));
        let take = if skips { Take::Skip } else { member.take };
        // Without a branch: in messages of any order it is guessed wrong as often as right.
        let quoted = cursor.byte() == b'"';
        cursor.skip(usize::from(quoted));
        let value = match take {
            Take::Kind if quoted => {
                code_of_kind(&mut self.kinds, place, cursor, reading.base, kinds).map(|kind| {
                    reading.kind = Some(kind);
                    0
                })
            }
            take => take.read(quoted, cursor, self.members.texts.get_mut(member.texts)?, &mut rows.columns),
        };
        let ends = (cursor.byte() == b'"') & quoted | number_ends(cursor) & !quoted;
        cursor.skip(usize::from(quoted));
        if let Some(value) = value
            && ends
        {
            if !matches!(take, Take::Kind) {
                self.values[member.node % MOST_NODES] = value;
                reading.filled |= member.bit;
            }
            let end = reading.base + cursor.position();
            if self.tracks.learns() {
                self.trail.pass(index, from - place.start, end - place.start, false);
            }
            return Some(end);
        }
        let value = place.value(from)?;
        let end = from + value.len();
        self.trail.pass(index, from - place.start, end - place.start, true);
        if !skips && !Value(value).is_null() {
            reading.texts |= member.bit;
            if member.is_kind {
                reading.kind = Some(kinds.code(Value(value)).ok()?.ok_or(value));
            }
            self.texts.push((index, value));
        }
        Some(end)
    }
}

impl<'a> Reading<'a> {
    fn new(base: usize, kind: Option<Result<u32, &'a [u8]>>) -> Self {
        let around = [(ROOT, NONE); DEEPEST];
        Reading { base, object: ROOT, before: NONE, seen: 0, filled: 0, texts: 0, kind, around, depth: 0 }
    }

    /// A window that begins at a place of the batch.
    #[inline(always)]
    fn window<'w>(
        &mut self,
        at: usize,
        place: Place<'_>,
        windows: &'w mut Windows<'_>,
    ) -> Option<Cursor<'w>> {
        self.base = at;
        (at <= place.end).then(|| Cursor::new(windows.at(at)))
    }

    /// Begins the object that is the value of a member. `None`: it is too deep.
    fn enter(&mut self, member: usize, inner: usize) -> Option<()> {
        *self.around.get_mut(self.depth)? = (self.object, member);
        self.depth += 1;
        (self.object, self.before) = (inner, NONE);
        Some(())
    }

    /// Whether the object that ends is within another one, which is then read on.
    fn leaves(&mut self) -> bool {
        let around = self.depth.checked_sub(1).and_then(|depth| self.around.get(depth));
        let Some(&around) = around else { return false };
        self.depth -= 1;
        (self.object, self.before) = around;
        true
    }
}
