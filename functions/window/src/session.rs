//! Sessions: rows of a key of which each is at most a gap away from the next.

use crate::held::{KeyState, Pane, Panes, Recent};
use crate::keys::FixedMap;
use crate::order::Topics;
use crate::spec::Plan;

/// Finds or makes the session that a row joins, stretching and merging those that it touches: a row
/// exactly at a session's end belongs to it. A session that was merged into another is noted in `merged`
/// as (its slot, the other's); its slot stays taken until the update has been folded.
pub fn join(
    state: &mut KeyState,
    panes: &mut Panes,
    plan: &Plan,
    topics: &Topics,
    row: (u32, i64, i64),
    merged: &mut Vec<(u32, u32)>,
) -> u32 {
    let (key, time_us, gap_us) = row;
    let end_us = time_us + gap_us;
    let recent = state.recent;
    if recent.start_us != i64::MIN && recent.start_us <= time_us {
        let session = panes.get_mut(recent.slot);
        if time_us <= session.end_us && end_us < recent.next_us {
            session.end_us = session.end_us.max(end_us);
            return recent.slot;
        }
    }
    let touched: Vec<(i64, u32)> = state
        .open
        .range(..=end_us)
        .rev()
        .map(|(&start, &slot)| (start, slot))
        .take_while(|&(_, slot)| panes.get(slot).end_us >= time_us)
        .collect();
    let slot = match touched.split_first() {
        None => panes.add(Pane::new(plan, key, time_us, end_us)),
        Some((&(_, slot), rest)) => {
            for &(_, other) in rest {
                let absorbed = panes.get(other).clone();
                let session = panes.get_mut(slot);
                session.start_us = session.start_us.min(absorbed.start_us);
                session.end_us = session.end_us.max(absorbed.end_us);
                session.absorb(&absorbed, plan, topics);
                merged.push((other, slot));
            }
            let session = panes.get_mut(slot);
            session.start_us = session.start_us.min(time_us);
            session.end_us = session.end_us.max(end_us);
            slot
        }
    };
    for (start, _) in touched {
        state.open.remove(&start);
    }
    let start_us = panes.get(slot).start_us;
    state.open.insert(start_us, slot);
    let next_us = state.open.range(start_us + 1..).next().map_or(i64::MAX, |(&start, _)| start);
    state.recent = Recent { start_us, slot, next_us };
    slot
}

/// The session that each merged one ended up in, by slot.
pub fn survivors(merged: &[(u32, u32)]) -> FixedMap<u32, u32> {
    let mut survivors: FixedMap<u32, u32> = FixedMap::default();
    // A session is merged once, into one that may be merged later: the latest merge is settled first.
    for &(from, into) in merged.iter().rev() {
        let survivor = survivors.get(&into).copied().unwrap_or(into);
        survivors.insert(from, survivor);
    }
    survivors
}
