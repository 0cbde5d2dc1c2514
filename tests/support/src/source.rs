//! Topics in memory, and the suite that each source passes.

pub mod conformance;
mod memory;

pub use memory::{MemoryLog, MemorySource, Raw};
