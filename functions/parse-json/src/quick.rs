//! Messages of objects, in one pass: along a track if there is one that fits, else member by member. Whatever is not written
//! in a common way leaves the whole message to the full reader.

mod flat;
mod one_by_one;

use parse_base::cursor::Cursor;
use parse_base::json::{Scanner, Value};
use parse_base::short_texts::{ShortTexts, is_plain};
use parse_base::window::{MAX_MESSAGE_BYTES, Windows};

use crate::convert::write;
use crate::kinds::Kinds;
use crate::members::{MOST_NODES, Members};
use crate::plan::{Plan, Rows};
use crate::take::{Take, push};
use crate::track::{Tracks, Trail};
use flat::Flat;

/// The code of kinds that are not wanted.
const UNWANTED: u32 = u32::MAX;

/// Where a message is in the bytes of its batch.
#[derive(Clone, Copy)]
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

/// What was read, before it is in the columns.
struct Read<'a> {
    kind: Result<u32, &'a [u8]>,
    /// The places that have a value other than null: in [`Quick::values`] or in [`Quick::texts`].
    filled: u64,
    /// Those of [`Quick::texts`].
    texts: u64,
}

pub(crate) struct Quick<'p, 'a> {
    plan: &'p Plan,
    members: Members<'p>,
    kinds: ShortTexts,
    /// The values of a message by their places, until it has been read whole.
    values: [i64; MOST_NODES],
    /// Values that are read by way of their text, each with its member.
    texts: Vec<(usize, &'a [u8])>,
    /// The wanted columns, each after the place of its value.
    stores: Vec<(usize, usize)>,
    trail: Trail,
    tracks: Tracks,
    /// `None`: the schema names objects within the message.
    flat: Option<Flat>,
    /// The place of each column's value; 0 if it is not in the message.
    bits: Vec<u64>,
    /// The places of all columns, if messages have each of them and rows have no other cell.
    all: Option<u64>,
}

impl<'p, 'a> Quick<'p, 'a> {
    /// `learns`: whether tracks are made. `None` if messages of this schema go to the full reader.
    pub fn new(plan: &'p Plan, learns: bool) -> Option<Self> {
        let members = Members::new(plan)?;
        let flat = Flat::new(&members.all);
        let (mut bits, mut stores) = (vec![0; plan.columns.len()], Vec::new());
        for (node, place) in plan.tree.nodes.iter().enumerate() {
            for column in place.cells.iter().filter_map(|cell| plan.cell_columns.get(*cell)) {
                bits[*column] = 1 << node;
                stores.extend(plan.columns[*column].wanted.map(|into| (node, into)));
            }
        }
        // The column of a message's text, if there is one, has another source.
        let all_read =
            plan.columns.iter().filter(|column| column.wanted.is_some()).count() == plan.wanted.len();
        let all = (all_read && !bits.contains(&0)).then(|| bits.iter().fold(0, |all, bit| all | bit));
        Some(Quick {
            plan,
            members,
            kinds: ShortTexts::default(),
            values: [0; MOST_NODES],
            texts: Vec::new(),
            stores,
            trail: Trail::new(),
            tracks: if learns { Tracks::default() } else { Tracks::none() },
            flat,
            bits,
            all,
        })
    }

    /// Whether the message has a value for each column.
    #[inline(always)]
    pub fn is_whole(&self, found: &Found<'_>) -> bool {
        self.all.is_some_and(|all| found.filled & all == all)
    }

    /// The columns without a value in the message.
    pub fn missing(&self, found: &Found<'_>, missing: &mut Vec<usize>) {
        let columns = self.bits.iter().enumerate().filter(|(_, bit)| **bit & found.filled == 0);
        missing.clear();
        missing.extend(columns.map(|(column, _)| column));
    }

    /// Reads a message. `None`: it is left to the full reader, and some of its values may be in their columns.
    #[inline]
    pub fn read(
        &mut self,
        place: Place<'a>,
        windows: &mut Windows<'_>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<Found<'a>> {
        if place.end - place.start <= MAX_MESSAGE_BYTES {
            for turn in 0..self.tracks.count() {
                let track = self.tracks.turn(turn);
                if let Some(read) = self.along(track, place, windows, kinds, rows) {
                    self.tracks.fits(track);
                    return self.store(read, rows);
                }
            }
        }
        let learns = self.tracks.learns();
        if !learns && let Some(read) = self.flat(place, windows, kinds, rows) {
            return self.store(read, rows);
        }
        let read = self.one_by_one(place, windows, kinds, rows)?;
        if learns && read.kind.is_ok() {
            self.tracks.learn(&self.trail, place.bytes.get(place.start..place.end)?, &self.members.all);
        }
        self.store(read, rows)
    }

    /// Reads a message along a track. `None`: it does not fit, and no column has any of it.
    #[inline(never)]
    fn along(
        &mut self,
        track: usize,
        place: Place<'a>,
        windows: &mut Windows<'_>,
        kinds: &mut Kinds<'p, 'a>,
        rows: &mut Rows,
    ) -> Option<Read<'a>> {
        let track = self.tracks.get(track)?;
        let mut cursor = Cursor::new(windows.at(place.start));
        let (mut kind, mut filled, mut texts) = (kinds.only(), 0, 0);
        self.texts.clear();
        for step in &track.steps {
            step.reach(&mut cursor)?;
            match step.take {
                Take::Any => {
                    let value = place.value(place.start + cursor.position())?;
                    cursor.skip(value.len());
                    if !Value(value).is_null() {
                        texts |= step.bit;
                        self.texts.push((step.member, value));
                    }
                }
                Take::Kind => {
                    let found = code_of_kind(&mut self.kinds, place, &mut cursor, place.start, kinds)?;
                    kind = Some(Ok(found.ok()?));
                }
                take => {
                    let seen = self.members.texts.get_mut(step.texts)?;
                    let value = take.read(step.quoted, &mut cursor, seen, &mut rows.columns)?;
                    self.values[step.node % MOST_NODES] = value;
                    filled |= step.bit;
                }
            }
        }
        let ends = place.start + cursor.position() + track.end.length() == place.end;
        (ends && cursor.sees_literal(&track.end)).then_some(Read {
            kind: kind?,
            filled: filled | texts,
            texts,
        })
    }

    /// Puts the values of a message into their columns.
    #[inline(never)]
    fn store(&mut self, read: Read<'a>, rows: &mut Rows) -> Option<Found<'a>> {
        if read.kind.is_ok() {
            for (node, into) in &self.stores {
                if (read.filled & !read.texts) >> (node % MOST_NODES) & 1 == 1 {
                    push(rows.columns.get_mut(*into)?, self.values[node % MOST_NODES]);
                }
            }
            if !self.texts.is_empty() {
                self.store_texts(rows)?;
            }
        }
        Some(Found { kind: read.kind, filled: read.filled })
    }

    #[inline(never)]
    fn store_texts(&self, rows: &mut Rows) -> Option<()> {
        for (member, value) in &self.texts {
            // The kind's cell has no column.
            let columns = self.members.all.get(*member)?.cells.iter();
            for column in columns.filter_map(|cell| self.plan.cell_columns.get(*cell)) {
                let column = self.plan.columns.get(*column)?;
                let into = column.wanted.and_then(|wanted| rows.columns.get_mut(wanted));
                write(column, Value(value), into, &mut rows.rounded).ok()?;
            }
        }
        Some(())
    }
}

/// Reads a kind up to its closing quote: its code, or how it is written if it is not wanted. `base`: where the cursor's
/// window begins in the batch.
#[inline(always)]
fn code_of_kind<'a>(
    seen: &mut ShortTexts,
    place: Place<'a>,
    cursor: &mut Cursor<'_>,
    base: usize,
    kinds: &mut Kinds<'_, 'a>,
) -> Option<Result<u32, &'a [u8]>> {
    let from = base + cursor.position() - 1;
    let (words, length) = cursor.short_text(b'"')?;
    let written = place.bytes.get(from..base + cursor.position() + 1)?;
    let code = seen.code(words, length, |text| {
        let code = kinds.code(Value(written)).ok()?.unwrap_or(UNWANTED);
        text.iter().all(is_plain).then_some(code)
    })?;
    Some(if code == UNWANTED { Err(written) } else { Ok(code) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{batch, options};

    /// Rows that are right tell nothing of the way in which they were read.
    #[test]
    fn tracks_fit_what_came_twice_and_quotes_tell_any_order() {
        let message = |number: usize| {
            let mut members = [
                r#""e":"trade""#.to_owned(),
                format!(r#""s":"S{number}""#),
                r#""x":[1.5]"#.to_owned(),
                format!(r#""t":{number}"#),
            ];
            members.rotate_left(number % 3);
            format!(r#"{{"p":"1.5","T":172316160{number:04},"m":true,{}}}"#, members.join(","))
        };
        let values: Vec<String> = (1..=300).map(message).collect();
        let batch = batch(&values);
        let options = options();
        let plan = Plan::new(&options).unwrap();
        for learns in [true, false] {
            let mut quick = Quick::new(&plan, learns).unwrap();
            let mut windows = Windows::new(&batch.values.bytes);
            let (mut kinds, mut rows) = (Kinds::new(&plan), plan.rows(300));
            let (mut start, mut on_tracks, mut by_quotes) = (0, 0, 0);
            for (index, end) in (0..).zip(&batch.values.ends) {
                let place = Place { bytes: &batch.values.bytes, start, end: *end as usize };
                start = place.end;
                let tracks = 0..quick.tracks.count();
                on_tracks += tracks
                    .filter(|it| quick.along(*it, place, &mut windows, &mut kinds, &mut rows).is_some())
                    .count();
                by_quotes += usize::from(quick.flat(place, &mut windows, &mut kinds, &mut rows).is_some());
                assert!(quick.read(place, &mut windows, &mut kinds, &mut rows).is_some());
                rows.end(index, 0);
            }
            // The first messages of each order, and the one with a key that is new, go member by member.
            assert_eq!((on_tracks, by_quotes), (if learns { 294 } else { 0 }, 299));
        }
    }
}
