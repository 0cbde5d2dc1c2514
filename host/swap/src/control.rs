//! Asking something of a running `tallow up`: `POST /control/PIPELINE` with a line of JSON; answers as lines of JSON, the
//! last of which says how it ended. By a socket in a private folder, or by a port with a token where that is wanted.
//!
//! [`protocol`] says what may be asked, [`serve`] answers it. [`server`] lets clients in, by the rules of [`guests`], and
//! [`http`] hears what they want; [`socket`] and [`token`] keep others out. [`ask`] is the other side.

pub mod ask;
pub mod guests;
mod http;
pub mod protocol;
pub mod serve;
pub mod server;
pub mod socket;
pub mod token;

/// A component of some 96 MB, in Base64.
pub const LARGEST_REQUEST_BYTES: usize = 128 << 20;
