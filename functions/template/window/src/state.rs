//! The state of one definition as bytes, and back. The same state gives the same bytes.

use serde::{Deserialize, Serialize};

use crate::windows::Window;

/// Version of the layout. A new layout is a new version; [`read`] still reads the old ones.
pub const STATE_VERSION: u32 = 1;
pub const READS_STATE_VERSIONS: [u32; 1] = [1];

/// What a column that an aggregate reads holds; state holds values of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ValueType {
    Integer,
    Time,
    /// With its scale.
    Decimal(u8),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What the definition said: state is read only under one that says the same.
    pub spec: String,
    /// For each aggregate the type of its column, once a row has come.
    pub types: Vec<Option<ValueType>>,
    /// Open windows, by start and key.
    pub windows: Vec<Window>,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    state: T,
}

pub fn write(state: &State) -> Vec<u8> {
    // Nothing in a state can fail to be written: no maps, no floats.
    serde_json::to_vec(&Versioned { version: STATE_VERSION, state }).unwrap_or_default()
}

/// State that [`write`] wrote under the same definition. Anything else is an error, never a panic.
pub fn read(bytes: &[u8], spec: &str, aggregates: usize) -> Result<State, String> {
    let read: Versioned<State> =
        serde_json::from_slice(bytes).map_err(|error| format!("this is not its state: {error}"))?;
    if read.version != STATE_VERSION {
        return Err(format!("it has state version {}, and {STATE_VERSION} is the one that is read", read.version));
    }
    let State { spec: written, types, windows } = &read.state;
    if written != spec {
        return Err(format!("it was written under another definition (then: {written}; now: {spec})"));
    }
    if types.len() != aggregates || windows.iter().any(|window| window.cells.len() != aggregates) {
        return Err(format!("it does not have {aggregates} aggregates everywhere"));
    }
    Ok(read.state)
}
