//! Asking something of a running `tallow up`: a request a connection, as a line of JSON; answers as lines of JSON, the
//! last of which says how it ended. By a socket in a private folder, or by HTTP with a token where that is wanted.
//!
//! [`protocol`] says what may be asked, [`serve`] answers it, [`socket`] and [`http`] carry it.

pub mod http;
pub mod protocol;
pub mod serve;
pub mod socket;
