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

/// Most strings of a message.
const MOST_KEYS: usize = 64;
/// Most values without quotes whose keys the schema does not name.
const MOST_OTHERS: usize = 32;

/// What a message without objects within it is made of.
pub(super) struct Flat {
    /// The members that the schema names.
    named: Vec<Named>,
    quotes: Quotes,
    keys: Keys,
    /// The named values by their places in the schema.
    found: [Extent; MOST_NODES],
    others: [Extent; MOST_OTHERS],
}

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
        Some(Flat {
            named,
            quotes: Quotes::default(),
            keys: Keys { strings: [0; MOST_KEYS], members: [0; MOST_KEYS], count: 0 },
            found: [Extent::default(); MOST_NODES],
            others: [Extent::default(); MOST_OTHERS],
        })
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
        for &other in flat.others.get(..parts.others)? {
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
            let extent = *flat.found.get(named.node)?;
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

    /// Finds the values of a message. Nothing here has to wait for the value before it: strings come in pairs of quotes,
    /// and those before a colon are keys. Each pass is small, so that what it needs stays in registers.
    #[inline(never)]
    fn parts(&mut self, window: &Window, length: usize) -> Option<Parts> {
        let flat = self.flat.as_mut()?;
        if length > MAX_MESSAGE_BYTES {
            return None;
        }
        flat.quotes.find(window, length)?;
        flat.keys.find(window, &flat.quotes);
        flat.keys.look_up(window, &flat.quotes, &self.members)?;
        flat.values(window, length, &self.members)
    }
}

/// The keys of a message: which of its strings they are, and whose.
struct Keys {
    strings: [u8; MOST_KEYS],
    members: [u16; MOST_KEYS],
    count: usize,
}

impl Keys {
    #[inline(always)]
    fn find(&mut self, window: &Window, quotes: &Quotes) {
        let start = Cursor::new(window);
        let mut count = 0;
        for string in 0..(quotes.count() / 2).min(MOST_KEYS) {
            self.strings[count % MOST_KEYS] = string as u8;
            count += usize::from(start.byte_after(quotes.at(2 * string + 1) + 1) == b':');
        }
        self.count = count;
    }

    #[inline(never)]
    fn look_up(&mut self, window: &Window, quotes: &Quotes, members: &Members<'_>) -> Option<()> {
        for (string, member) in self.strings.iter().zip(&mut self.members).take(self.count) {
            let string = 2 * usize::from(*string);
            let open = quotes.at(string);
            let key = Cursor::starting_at(window, open);
            *member = members.find_by_length(ROOT, &key, quotes.at(string + 1) - open - 1)? as u16;
        }
        Some(())
    }
}

impl Flat {
    /// Where the values are; `None` if the message is not made of keys and values alone.
    #[inline(never)]
    fn values(&mut self, window: &Window, length: usize, members: &Members<'_>) -> Option<Parts> {
        let Flat { quotes, keys, found, others, .. } = self;
        let start = Cursor::new(window);
        let mut parts = Parts { seen: 0, others: 0 };
        // The string of the next key, and the delimiter before it.
        let (mut next, mut at, mut differs) = (0, 0, 0);
        let mut before = b'{';
        for (string, member) in keys.strings.iter().zip(&keys.members).take(keys.count) {
            let member = members.all.get(usize::from(*member))?;
            let string = usize::from(*string);
            let value = quotes.at(2 * string + 1) + 2;
            let quoted = usize::from(start.byte_after(value) == b'"');
            // Before the comma and the next key, or before the next quote.
            let end = quotes.at(2 * string + 2 + quoted) + quoted - 1;
            differs |= (string ^ next) | (quotes.at(2 * string) ^ (at + 1));
            differs |= usize::from(start.byte_after(at) ^ before);
            differs |= usize::from(parts.seen & member.bit != 0);
            parts.seen |= member.bit;
            let extent = Extent::new(value + quoted, end, quoted);
            found[member.node % MOST_NODES] = extent;
            others[parts.others % MOST_OTHERS] = extent;
            parts.others += usize::from(member.bit == 0) & (quoted ^ 1);
            at = end + quoted;
            next = string + 1 + quoted;
            before = b',';
        }
        let whole = next == quotes.count() / 2 && quotes.count() % 2 == 0;
        let ends = start.byte_after(at) == b'}' && at + 1 == length;
        (differs == 0 && whole && ends && parts.others <= MOST_OTHERS).then_some(parts)
    }
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
