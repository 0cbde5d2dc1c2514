//! Keeps the scattered ids of all keys within what they may take. Judged when windows close, by bytes that
//! follow from the ids alone: neither restarts nor the order of rows change what comes out.

use tallow_contract::{Refusal, refuse};

use crate::held::SpecState;

/// Gives up the lowest ids of the keys that hold the most, or refuses to.
pub fn bound_ids(state: &mut SpecState, version: u64) -> Result<(), Refusal> {
    let Some(ids) = &state.plan.spec.ids else { return Ok(()) };
    let (max_bytes, halt) = (ids.max_bytes, ids.halt);
    let mut sizes: Vec<u64> = Vec::new();
    let keys: Vec<u32> = state.keys.indices().collect();
    sizes.extend(
        keys.iter().map(|&key| state.states[key as usize].ids.known.bytes()).filter(|&bytes| bytes > 0),
    );
    let total: u64 = sizes.iter().sum();
    if total <= max_bytes {
        return Ok(());
    }
    if halt {
        refuse!(
            "window `{}`: the scattered ids of {} keys take {total} bytes, and may take {}",
            state.plan.spec.name,
            sizes.len(),
            max_bytes
        );
    }
    let most = allowance(&mut sizes, max_bytes);
    for key in keys {
        let ids = &mut state.states[key as usize].ids;
        if ids.known.bytes() > most {
            ids.give_up(most);
            state.touch(key, version);
        }
    }
    Ok(())
}

/// The most that each may have so that all together have no more than `room`.
fn allowance(sizes: &mut [u64], room: u64) -> u64 {
    sizes.sort_unstable();
    let mut room = room;
    for (index, &size) in sizes.iter().enumerate() {
        let share = room / (sizes.len() - index) as u64;
        if size > share {
            return share;
        }
        room -= size;
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_small_ones_leave_is_shared_by_the_large_ones() {
        assert_eq!(allowance(&mut [10, 100, 1000], 1000), 890);
        assert_eq!(allowance(&mut [500, 10, 700], 610), 300);
        assert_eq!(allowance(&mut [5, 5, 5], 14), 4);
        assert_eq!(allowance(&mut [5, 5, 5], 15), u64::MAX);
    }
}
