//! Messages whose keys come in any order: first where the values are, by the quotes, then the values in the order of the
//! schema. What comes next cannot be guessed in such a message, and a wrong guess costs more than a value; so there is
//! little to guess.

use parse_base::cursor::Cursor;
use parse_base::json::Value;
use parse_base::swar::{low_bytes, non_digits};
use parse_base::window::{MAX_MESSAGE_BYTES, Quotes, Window, Windows};

use super::{Place, Quick, Read, code_of_kind};
use crate::kinds::Kinds;
use crate::members::{MOST_NODES, Member, Members};
use crate::plan::Rows;
use crate::take::{Take, skip};
use crate::tree::ROOT;

/// Most values without quotes whose keys the schema does not name.
const MOST_OTHERS: usize = 32;

/// What a message without objects within it is made of.
pub(super) struct Flat {
    /// The members that the schema names.
    named: Vec<Named>,
    quotes: Quotes,
    values: Extents,
}

/// The named values by their places in the schema, then the others without quotes.
type Extents = [Extent; MOST_NODES + MOST_OTHERS];

#[derive(Clone, Copy)]
struct Named {
    take: Take,
    member: usize,
    texts: usize,
    node: usize,
    bit: u64,
}

/// A value without its quotes: where it begins and ends in the message, and whether it has quotes, in one word.
#[derive(Clone, Copy, Default)]
struct Extent(u32);

impl Extent {
    /// Of places in a window. `quoted` is 0 or 1.
    #[inline(always)]
    fn new(start: usize, end: usize, quoted: usize) -> Self {
        Extent((start | end << 12 | quoted << 24) as u32)
    }

    #[inline(always)]
    fn start(self) -> usize {
        self.0 as usize & 0xfff
    }

    #[inline(always)]
    fn end(self) -> usize {
        (self.0 >> 12) as usize & 0xfff
    }

    #[inline(always)]
    fn is_quoted(self) -> bool {
        self.0 >> 24 != 0
    }
}

/// What the quotes tell of a message.
struct Parts {
    /// Places that came.
    seen: u64,
    others: usize,
}

impl Flat {
    /// `None`: the schema names objects within the message, or its kind is a column, too.
    pub fn new(members: &[Member<'_>]) -> Option<Self> {
        let mut named = Vec::new();
        for (index, member) in members.iter().enumerate() {
            if matches!(member.take, Take::Object(_)) || member.is_kind && !matches!(member.take, Take::Kind)
            {
                return None;
            }
            let &Member { take, texts, node, bit, .. } = member;
            named.push(Named { take, member: index, texts, node, bit });
        }
        // What is not of a wanted kind is not looked at any further.
        named.sort_by_key(|it| !matches!(it.take, Take::Kind));
        Some(Flat { named, quotes: Quotes::default(), values: [Extent::default(); MOST_NODES + MOST_OTHERS] })
    }
}

impl<'p, 'a> Quick<'p, 'a> {
    /// Reads a message that fits a window and has no white space. `None`: it is another one, or of a kind that is not
    /// wanted, and no column has any of it.
    #[inline(never)]
    pub(super) fn flat(
        &mut self,
        place: Place<'a>,
        windows: &mut Windows<'_>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<Read<'a>> {
        let window = windows.at(place.start);
        let length = place.end - place.start;
        let parts = self.parts(window, length)?;
        let flat = self.flat.as_ref()?;
        for &other in flat.values.get(MOST_NODES..MOST_NODES + parts.others)? {
            if !is_short(window, other) {
                value(place, other)?;
            }
        }
        let (mut kind, mut nulls, mut texts) = (kinds.only(), 0, 0);
        self.texts.clear();
        for named in &flat.named {
            if parts.seen & named.bit == 0 {
                continue;
            }
            let extent = *flat.values.get(named.node)?;
            let mut cursor = Cursor::starting_at(window, extent.start());
            if let Take::Kind = named.take {
                extent.is_quoted().then_some(())?;
                let found = code_of_kind(&mut self.kinds, place, &mut cursor, place.start, kinds)?;
                kind = Some(Ok(found.ok()?));
                continue;
            }
            let seen = self.members.texts.get_mut(named.texts)?;
            let read = named.take.read(extent.is_quoted(), &mut cursor, seen, &mut rows.columns);
            if let Some(value) = read
                && cursor.is_at(extent.end())
            {
                self.values[named.node % MOST_NODES] = value;
                continue;
            }
            let value = value(place, extent)?;
            if Value(value).is_null() {
                nulls |= named.bit;
            } else {
                texts |= named.bit;
                self.texts.push((named.member, value));
            }
        }
        Some(Read { kind: kind?, filled: parts.seen & !nulls, texts })
    }

    /// Finds the values of a message: strings come in pairs of quotes, every other one is a key, or every one whose
    /// value has no quotes.
    #[inline(never)]
    fn parts(&mut self, window: &Window, length: usize) -> Option<Parts> {
        let flat = self.flat.as_mut()?;
        if length > MAX_MESSAGE_BYTES {
            return None;
        }
        flat.quotes.find(window, length)?;
        values(window, length, &flat.quotes, &self.members, &mut flat.values)
    }
}

/// Where the values are; `None` if the message is not made of keys and values alone.
#[inline(never)]
fn values(
    window: &Window,
    length: usize,
    quotes: &Quotes,
    members: &Members<'_>,
    values: &mut Extents,
) -> Option<Parts> {
    let start = Cursor::new(window);
    let root = members.by_length(ROOT)?;
    let (mut seen, mut others) = (0, 0);
    // The quote that begins the next key, and the delimiter before it.
    let (mut next, mut at, mut before) = (0, 0, b'{');
    let mut differs = 0;
    while next < quotes.count() {
        let (open, close) = (quotes.at(next), quotes.at(next + 1));
        let node = root.find(&Cursor::starting_at(window, open), close.wrapping_sub(open + 1))?;
        differs |= (open ^ (at + 1)) as u64 | seen & 1 << (node % MOST_NODES);
        differs |= u64::from((start.byte_after(at) ^ before) | (start.byte_after(close + 1) ^ b':'));
        // Keys that the schema does not name may come twice.
        seen |= (1 << (node % MOST_NODES)) & !(1 << ROOT);
        let quoted = usize::from(start.byte_after(close + 2) == b'"');
        // Before the comma and the next key, or before the next quote.
        let end = quotes.at(next + 2 + quoted).wrapping_sub(1 - quoted);
        let is_other = node == ROOT;
        let place = if is_other { MOST_NODES + others % MOST_OTHERS } else { node % MOST_NODES };
        values[place] = Extent::new(close + 2 + quoted, end, quoted);
        others += usize::from(is_other) & (quoted ^ 1);
        (next, at, before) = (next + 2 + 2 * quoted, end + quoted, b',');
    }
    let ends = start.byte_after(at) == b'}' && at + 1 == length && next == quotes.count();
    (differs == 0 && ends && others <= MOST_OTHERS).then_some(Parts { seen, others })
}

/// Whether a value is `true`, `false`, or a short number, with as little to guess as can be.
#[inline(always)]
fn is_short(window: &Window, extent: Extent) -> bool {
    let cursor = Cursor::starting_at(window, extent.start());
    let length = extent.end().wrapping_sub(extent.start());
    let is_word = (length == 4) & cursor.sees(b"true") | (length == 5) & cursor.sees(b"false");
    let is_number = (1..=16).contains(&length)
        & (non_digits(cursor.word()) & low_bytes(length as u32) == 0)
        & (non_digits(cursor.word_after(8)) & low_bytes(length.saturating_sub(8) as u32) == 0)
        & (cursor.byte() != b'0');
    if is_word | is_number {
        return true;
    }
    let mut cursor = cursor;
    skip(false, &mut cursor).is_some() && cursor.is_at(extent.end())
}

/// A value with its quotes, as written; `None` if it is not one value.
#[inline(never)]
fn value<'a>(place: Place<'a>, extent: Extent) -> Option<&'a [u8]> {
    let quote = usize::from(extent.is_quoted());
    let value = place.value(place.start + extent.start() - quote)?;
    (value.len() == extent.end() - extent.start() + 2 * quote).then_some(value)
}
