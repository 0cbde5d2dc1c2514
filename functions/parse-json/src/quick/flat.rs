//! Messages whose keys come in any order: first where the values are, by the quotes, then the values in the order of the
//! schema. What comes next cannot be guessed in such a message, and a wrong guess costs more than a value; so there is
//! little to guess.

use parse_base::cursor::Cursor;
use parse_base::json::Value;
use parse_base::window::{MAX_MESSAGE_BYTES, Quotes, Window, Windows};

use super::{Place, Quick, Read, code_of_kind};
use crate::kinds::Kinds;
use crate::members::{MOST_NODES, Member};
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

/// A value without its quotes: where it begins and ends in the message.
#[derive(Clone, Copy, Default)]
struct Extent {
    start: usize,
    end: usize,
    quoted: bool,
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
        for other in flat.others.get(..parts.others)? {
            let mut cursor = Cursor::starting_at(window, other.start);
            let short = skip(false, &mut cursor).is_some() && cursor.is_at(other.end);
            (short || value(place, other).is_some()).then_some(())?;
        }
        let (mut kind, mut nulls, mut texts) = (kinds.only(), 0, 0);
        self.texts.clear();
        for named in &flat.named {
            if parts.seen & named.bit == 0 {
                continue;
            }
            let extent = flat.found.get(named.node)?;
            let mut cursor = Cursor::starting_at(window, extent.start);
            if let Take::Kind = named.take {
                extent.quoted.then_some(())?;
                let found = code_of_kind(&mut self.kinds, place, &mut cursor, place.start, kinds)?;
                kind = Some(Ok(found.ok()?));
                continue;
            }
            let seen = self.members.texts.get_mut(named.texts)?;
            let read = named.take.read(extent.quoted, &mut cursor, seen, &mut rows.columns);
            if let Some(value) = read
                && cursor.is_at(extent.end)
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

    /// Finds the values of a message.
    #[inline(never)]
    fn parts(&mut self, window: &Window, length: usize) -> Option<Parts> {
        let flat = self.flat.as_mut()?;
        if length > MAX_MESSAGE_BYTES {
            return None;
        }
        flat.quotes.find(window, length)?;
        let start = Cursor::new(window);
        let mut parts = Parts { seen: 0, others: 0 };
        let (mut at, mut quote, mut before) = (0, 0, b'{');
        // Each turn reads a delimiter, a key and a value. Where the next one begins follows from the quotes alone, so that
        // the keys can be looked up side by side.
        while start.byte_after(at) == before && flat.quotes.at(quote) == at + 1 {
            let value = flat.quotes.at(quote + 1) + 2;
            let quoted = start.byte_after(value) == b'"';
            // Before the comma and the next key, or before the next quote.
            let end = flat.quotes.at(quote + 2 + usize::from(quoted)) - usize::from(!quoted);
            let key = Cursor::starting_at(window, at + 1);
            let member = self.members.find(ROOT, &key).and_then(|found| self.members.all.get(found))?;
            if parts.seen & member.bit != 0 || at + 1 + member.key.length() != value {
                return None;
            }
            parts.seen |= member.bit;
            let extent = Extent { start: value + usize::from(quoted), end, quoted };
            *flat.found.get_mut(member.node)? = extent;
            *flat.others.get_mut(parts.others)? = extent;
            parts.others += usize::from((member.bit == 0) & !quoted);
            at = end + usize::from(quoted);
            quote += 2 + 2 * usize::from(quoted);
            before = b',';
        }
        (start.byte_after(at) == b'}' && at + 1 == length).then_some(parts)
    }
}

/// A value with its quotes, as written; `None` if it is not one value.
#[inline(never)]
fn value<'a>(place: Place<'a>, extent: &Extent) -> Option<&'a [u8]> {
    let quote = usize::from(extent.quoted);
    let value = place.value(place.start + extent.start - quote)?;
    (value.len() == extent.end - extent.start + 2 * quote).then_some(value)
}
