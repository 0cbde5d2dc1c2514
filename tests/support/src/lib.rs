//! What the tests of the host's crates share. It is a dev-dependency only: no production crate may use it.
//!
//! - [`faulty`]: a store that breaks on demand; [`store_conformance`]: what every store must keep;
//! - [`http`]: servers on a loopback port or in memory, and what every client must keep;
//! - [`influx`]: an InfluxDB in memory, stricter than any;
//! - [`source`]: topics in memory, and what every source must do;
//! - [`sink`]: sample epochs, and what every sink promises;
//! - [`transactions`]: transactions in memory, and what every edge of them promises.

pub mod authority;
pub mod faulty;
pub mod http;
pub mod influx;
pub mod sink;
pub mod source;
pub mod store_conformance;
pub mod transactions;
