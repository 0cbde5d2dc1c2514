//! Messages that look like one before them: the same keys in the same order, and the same bytes between the values. What is
//! between two values is compared at once; only the values themselves are read.

use parse_base::cursor::{Cursor, Literal};
use parse_base::window::MAX_MESSAGE_BYTES;

use crate::members::Member;
use crate::take::Take;

/// Most values of a message that has a track.
const MOST_VALUES: usize = 32;
/// Tracks that are kept.
const TRACKS: usize = 4;
/// Messages of a call that are looked at for tracks to make: where every order comes once, none is worth it.
const MOST_LOOKS: u32 = 32;

/// How a message was read: its values in their order.
pub(crate) struct Trail {
    values: [Passed; MOST_VALUES],
    /// May be more than fit.
    count: usize,
}

/// A value of a message, and where in the message it is.
#[derive(Clone, Copy, Default)]
struct Passed {
    member: usize,
    start: usize,
    end: usize,
    /// Its [`Take`] could not read it.
    any: bool,
}

impl Trail {
    pub fn new() -> Self {
        Trail { values: [Passed::default(); MOST_VALUES], count: 0 }
    }

    pub fn begin(&mut self) {
        self.count = 0;
    }

    #[inline(always)]
    pub fn pass(&mut self, member: usize, start: usize, end: usize, any: bool) {
        if let Some(place) = self.values.get_mut(self.count) {
            *place = Passed { member, start, end, any };
        }
        self.count += 1;
    }

    /// What tells two orders of members apart; `None` if there are too many of them.
    pub fn order(&self) -> Option<u64> {
        let values = self.values.get(..self.count)?;
        let step = |order: u64, it: &Passed| {
            (order.rotate_left(7) ^ (it.member * 2 + usize::from(it.any)) as u64)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        Some(values.iter().fold(1, step))
    }
}

/// The way through messages of one look.
pub(crate) struct Track {
    pub steps: Box<[Step]>,
    /// What comes after the last value.
    pub end: Literal,
}

pub(crate) struct Step {
    /// What comes before the value, with its opening quote unless the value is read by way of its text.
    pub before: Literal,
    pub quoted: bool,
    /// [`Take::Any`] for a value that is read by way of its text.
    pub take: Take,
    pub member: usize,
    pub texts: usize,
    pub node: usize,
    pub bit: u64,
}

/// The tracks of a call.
#[derive(Default)]
pub(crate) struct Tracks {
    all: Vec<Track>,
    /// The one that fitted last.
    last: usize,
    /// Where the next one goes.
    next: usize,
    looks: u32,
    /// The orders that came last without a track, and the next place among them.
    orders: [u64; TRACKS],
    order: usize,
}

impl Tracks {
    /// No tracks, and no message is looked at for one.
    pub fn none() -> Self {
        Tracks { looks: MOST_LOOKS, ..Tracks::default() }
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// The track to try in this turn: the one that fitted last comes first.
    #[inline(always)]
    pub fn turn(&self, turn: usize) -> usize {
        let at = self.last + turn;
        if at < self.all.len() { at } else { at - self.all.len() }
    }

    #[inline(always)]
    pub fn get(&self, track: usize) -> Option<&Track> {
        self.all.get(track)
    }

    #[inline(always)]
    pub fn fits(&mut self, track: usize) {
        self.last = track;
    }

    /// Whether messages that fit none are looked at.
    #[inline(always)]
    pub fn learns(&self) -> bool {
        self.looks < MOST_LOOKS
    }

    /// Makes a track of a message that fitted none, if it is the second of its order.
    #[inline(never)]
    pub fn learn(&mut self, trail: &Trail, message: &[u8], members: &[Member<'_>]) {
        if message.len() > MAX_MESSAGE_BYTES {
            return;
        }
        self.looks += 1;
        let Some(order) = trail.order() else { return };
        if !self.orders.contains(&order) {
            self.orders[self.order] = order;
            self.order = (self.order + 1) % TRACKS;
            return;
        }
        let Some(track) = Track::of(trail, message, members) else { return };
        self.last = self.next;
        self.next = (self.next + 1) % TRACKS;
        match self.all.get_mut(self.last) {
            Some(old) => *old = track,
            None => self.all.push(track),
        }
    }
}

impl Track {
    /// The track of a message that left this trail.
    fn of(trail: &Trail, message: &[u8], members: &[Member<'_>]) -> Option<Self> {
        let mut from = 0;
        let mut steps = Vec::new();
        for passed in trail.values.get(..trail.count)? {
            let member = members.get(passed.member)?;
            if passed.any && member.is_kind {
                return None;
            }
            let quoted = !passed.any && message.get(passed.start) == Some(&b'"');
            let start = passed.start + usize::from(quoted);
            steps.push(Step {
                before: Literal::new(message.get(from..start)?),
                quoted,
                take: if passed.any { Take::Any } else { member.take },
                member: passed.member,
                texts: member.texts,
                node: member.node,
                bit: member.bit,
            });
            // Its closing quote is before the next value.
            from = passed.end - usize::from(quoted);
        }
        Some(Track { steps: steps.into(), end: Literal::new(message.get(from..)?) })
    }
}

impl Step {
    /// Moves up to the value.
    #[inline(always)]
    pub fn reach(&self, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.sees_literal(&self.before).then(|| cursor.skip(self.before.length()))
    }
}
