//! Messages of objects, member by member, straight into columns. Each key is compared with the one that came in its place
//! the last time. Whatever is not written in a common way leaves the whole message to the full reader.

use parse_base::cursor::Cursor;
use parse_base::json::{Scanner, Value};
use parse_base::short_texts::{ShortTexts, is_plain};
use parse_base::window::Windows;

use crate::convert::write;
use crate::kinds::Kinds;
use crate::members::Members;
use crate::plan::{Plan, Rows};
use crate::take::{Take, short_text};
use crate::tree::ROOT;

/// Most objects within each other.
const DEEPEST: usize = 8;
/// Where in a window a member may begin at most: it has to be in the window with its value.
const FAR: usize = 96;
/// The code of kinds that are not wanted.
const UNWANTED: u32 = u32::MAX;

/// Where a message is in the bytes of its batch.
pub(crate) struct Place<'a> {
    pub bytes: &'a [u8],
    pub start: usize,
    pub end: usize,
}

/// What was read of a message. Its values are in their columns.
pub(crate) struct Found<'a> {
    /// The code of the kind, or how one is written that is not wanted: no value counts then.
    pub kind: Result<u32, &'a [u8]>,
    /// The places that have a value other than null.
    filled: u64,
}

pub(crate) struct Quick<'p> {
    plan: &'p Plan,
    members: Members<'p>,
    kinds: ShortTexts,
    /// The place of each column's value; 0 if it is not in the message.
    bits: Vec<u64>,
    /// The places of all columns, if each of them is in the message.
    all: Option<u64>,
}

/// How far a message has been read.
struct Reading<'a> {
    /// Where the window begins in the batch.
    base: usize,
    object: usize,
    before: Option<usize>,
    /// Places that came.
    seen: u64,
    filled: u64,
    kind: Option<Result<u32, &'a [u8]>>,
    /// The objects around this one, each with the member of it that is read.
    around: [(usize, usize); DEEPEST],
    depth: usize,
}

impl<'p> Quick<'p> {
    /// `None` if messages of this schema go to the full reader.
    pub fn new(plan: &'p Plan) -> Option<Self> {
        let members = Members::new(plan)?;
        let mut bits = vec![0; plan.columns.len()];
        for (node, place) in plan.tree.nodes.iter().enumerate() {
            for column in place.cells.iter().filter_map(|cell| plan.cell_columns.get(*cell)) {
                bits[*column] = 1 << node;
            }
        }
        let all = (!bits.contains(&0)).then(|| bits.iter().fold(0, |all, bit| all | bit));
        Some(Quick { plan, members, kinds: ShortTexts::default(), bits, all })
    }

    /// The columns without a value in the message.
    #[inline]
    pub fn missing(&self, found: &Found<'_>, missing: &mut Vec<usize>) {
        missing.clear();
        if self.all.is_none_or(|all| found.filled & all != all) {
            let columns = self.bits.iter().enumerate().filter(|(_, bit)| **bit & found.filled == 0);
            missing.extend(columns.map(|(column, _)| column));
        }
    }

    /// Reads a message. `None`: it is left to the full reader, and some of its values may be in their columns.
    #[inline]
    pub fn read<'a>(
        &mut self,
        place: &Place<'a>,
        windows: &mut Windows<'_>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<Found<'a>> {
        let mut reading = Reading::new(place.start, kinds.only());
        let mut cursor = Cursor::new(windows.at(place.start));
        cursor.white();
        cursor.accept_byte(b'{').then_some(())?;
        loop {
            if cursor.position() > FAR {
                cursor = reading.window(reading.base + cursor.position(), place, windows)?;
            }
            cursor.white();
            // An object may be empty.
            if reading.before.is_some() || cursor.byte() != b'}' {
                let member = self.member(&mut reading, &mut cursor, place)?;
                if let Take::Object(inner) = self.members.get(member)?.take {
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
                    return ends.then_some(Found { kind: reading.kind?, filled: reading.filled });
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
        place: &Place<'_>,
    ) -> Option<usize> {
        let at = reading.base + cursor.position();
        let rest = || place.bytes.get(at..place.end);
        let index = self.members.next(reading.object, reading.before, cursor, rest)?;
        let member = self.members.get(index)?;
        // A key that comes twice.
        if reading.seen & member.bit != 0 {
            return None;
        }
        reading.seen |= member.bit;
        cursor.skip(member.key.length());
        cursor.white();
        reading.before = Some(index);
        Some(index)
    }

    /// Reads a value; gives where it ends in the batch.
    #[inline(always)]
    fn value<'a>(
        &mut self,
        member: usize,
        reading: &mut Reading<'a>,
        cursor: &mut Cursor<'_>,
        place: &Place<'a>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<usize> {
        let from = reading.base + cursor.position();
        let member = self.members.get(member)?;
        let skips = matches!(reading.kind, Some(Err(_)));
        let mut skip = Take::Skip;
        let take = if skips { &mut skip } else { &mut member.take };
        if let Take::Kind = take
            && let Some((words, length)) = short_text(cursor)
        {
            let end = reading.base + cursor.position();
            let written = place.bytes.get(from..end)?;
            let code = self.kinds.code(words, length, |text| {
                let code = kinds.code(Value(written)).ok()?.unwrap_or(UNWANTED);
                text.iter().all(is_plain).then_some(code)
            })?;
            reading.kind = Some(if code == UNWANTED { Err(written) } else { Ok(code) });
            return Some(end);
        }
        if take.read(cursor, &mut rows.columns).is_some() {
            reading.filled |= member.bit;
            return Some(reading.base + cursor.position());
        }
        let value = place.value(from)?;
        if !skips && !Value(value).is_null() {
            reading.filled |= member.bit;
            let cells = member.cells;
            self.any(cells, value, reading, kinds, rows)?;
        }
        Some(from + value.len())
    }

    /// Gives a value to each of the cells.
    #[inline(never)]
    fn any<'a>(
        &self,
        cells: &[usize],
        value: &'a [u8],
        reading: &mut Reading<'a>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<()> {
        for cell in cells {
            let Some(column) = self.plan.cell_columns.get(*cell) else {
                reading.kind = Some(kinds.code(Value(value)).ok()?.ok_or(value));
                continue;
            };
            let column = self.plan.columns.get(*column)?;
            let into = column.wanted.and_then(|wanted| rows.columns.get_mut(wanted));
            write(column, Value(value), into, &mut rows.rounded).ok()?;
        }
        Some(())
    }
}

impl<'a> Reading<'a> {
    fn new(base: usize, kind: Option<Result<u32, &'a [u8]>>) -> Self {
        let around = [(ROOT, ROOT); DEEPEST];
        Reading { base, object: ROOT, before: None, seen: 0, filled: 0, kind, around, depth: 0 }
    }

    /// A window that begins at a place of the batch.
    #[inline(always)]
    fn window<'w>(
        &mut self,
        at: usize,
        place: &Place<'_>,
        windows: &'w mut Windows<'_>,
    ) -> Option<Cursor<'w>> {
        self.base = at;
        (at <= place.end).then(|| Cursor::new(windows.at(at)))
    }

    /// Begins the object that is the value of a member. `None`: it is too deep.
    fn enter(&mut self, member: usize, inner: usize) -> Option<()> {
        *self.around.get_mut(self.depth)? = (self.object, member);
        self.depth += 1;
        (self.object, self.before) = (inner, None);
        Some(())
    }

    /// Whether the object that ends is within another one, which is then read on.
    fn leaves(&mut self) -> bool {
        let Some(depth) = self.depth.checked_sub(1) else { return false };
        self.depth = depth;
        (self.object, self.before) = match self.around.get(depth) {
            Some(&(object, member)) => (object, Some(member)),
            None => return false,
        };
        true
    }
}

impl<'a> Place<'a> {
    /// Any value, as written.
    #[inline(never)]
    fn value(&self, at: usize) -> Option<&'a [u8]> {
        let rest = self.bytes.get(at..self.end)?;
        // White space would not be part of the value.
        matches!(rest.first(), Some(first) if !first.is_ascii_whitespace()).then_some(())?;
        Scanner::new(rest).value()
    }
}
