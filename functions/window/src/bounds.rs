//! Numbers of a state, each within what it can be.

use tallow_contract::{Refusal, refuse};

use crate::bytes::Reader;
use crate::ids::MAX_ID;
use crate::pane::MAX_TIME_US;

/// No count in a state can be larger.
const MAX_COUNT: u64 = 1 << 56;

pub fn count(reader: &mut Reader) -> Result<u64, Refusal> {
    let count = reader.unsigned()?;
    if count < MAX_COUNT { Ok(count) } else { refuse!("a count of {count} is too large") }
}

pub fn time(time_us: i64) -> Result<i64, Refusal> {
    let far = time_us.unsigned_abs() >= 2 * MAX_TIME_US as u64;
    if far { refuse!("a time of {time_us} µs is too far") } else { Ok(time_us) }
}

pub fn id(id: i64) -> Result<i64, Refusal> {
    let far = id.unsigned_abs() > MAX_ID as u64;
    if far { refuse!("an id of {id} is too large") } else { Ok(id) }
}
