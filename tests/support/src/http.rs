//! The other side of HTTP: servers that break on demand, and the suite that each client passes.

pub mod conformance;
pub mod local;
mod memory;
mod names;
mod serve;

pub use memory::MemoryNet;
pub use names::ScriptedNames;
pub use serve::{Answer, Handler, Received, Trouble};
