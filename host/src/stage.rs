//! The stages between a fetch and a commit, in the order of the data's way.

pub mod budget;
pub mod contact;
pub mod epoch;
pub mod fetch;
pub mod isolate;
pub mod order;
pub mod parse;
pub mod search;
pub mod state_limit;
mod unknown;
pub mod window;
