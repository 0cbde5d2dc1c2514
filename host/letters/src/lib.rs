//! A pipeline's dead letters, read back from the lake. In the order of the data's way:
//!
//! - [`Letters`]: those that a [`Filter`] takes, one after the other, however many there are;
//! - [`Summary`]: how many there are of each reason, and where the first and the last stood;
//! - [`Replay`]: which of them are sent again, as messages that say where they come from. Pure;
//! - [`Journal`]: what was sent before, kept in the lake. A record that dies again counts its replays by it, whether or
//!   not its headers are known.

mod error;
mod filter;
mod journal;
mod read;
mod replay;
mod summary;

pub use error::LettersError;
pub use filter::Filter;
pub use journal::{Journal, Sent, Target, Writer};
pub use read::{Letters, Read};
pub use replay::{Outcome, REPLAYS, Replay, Rules, Tally};
pub use summary::{Group, Seen, Summary};
