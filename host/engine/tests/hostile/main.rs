//! Whatever a function does wrong is contained, has a name, and leaves the host as it was.

// Clippy allows these in test functions; here the helpers are part of the tests too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cache;
mod hand_written;
mod parse;
mod refused;
mod support;
mod wasi;
mod window;
