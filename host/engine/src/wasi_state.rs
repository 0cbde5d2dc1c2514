//! What an instance has of WASI.

use tallow_env::SeededRandom;

const SEED: u64 = 0x7a11_0e5e_ed00_0003;

/// What an instance has of WASI.
pub(crate) struct WasiState {
    pub random: SeededRandom,
    pub resources: u32,
}

impl Default for WasiState {
    fn default() -> Self {
        Self { random: SeededRandom::new(SEED), resources: 0 }
    }
}

impl WasiState {
    /// A call begins: what was drawn before changes nothing in it.
    pub fn begin(&mut self) {
        self.random = SeededRandom::new(SEED);
    }
}
