//! Sample epochs, and the suite that each sink passes.

pub mod conformance;
mod sample;

pub use sample::{Variant, sample};
