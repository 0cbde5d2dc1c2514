//! What the tests of the built program share: a real Kafka and a real InfluxDB, the program as a process, recordings, a
//! reference that shares no code with the functions, and the lake read back.

// A harness fails the test wherever something goes wrong.
#![allow(clippy::expect_used)]

pub mod bars;
pub mod batch;
pub mod components;
pub mod disk;
pub mod duckdb;
pub mod exchange;
pub mod folder;
pub mod gateway;
pub mod gateways;
pub mod influxdb;
pub mod kafka;
pub mod lake;
pub mod ledger;
pub mod markdown;
pub mod market;
pub mod messages;
pub mod paths;
pub mod proxy;
pub mod python;
pub mod recordings;
pub mod reference;
pub mod remote;
pub mod results;
pub mod s3;
pub mod spin;
pub mod stream;
pub mod tallow;
pub mod wait;

/// Says that a test does not run on this machine, and why.
pub fn skip(test: &str, why: &str) {
    eprintln!("skipped: {test}: {why}");
}

/// As [`skip`], but the build machine (`CI=true`) has what it takes: there the test fails.
pub fn skip_unless_ci(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{test} must run here: {why}");
    skip(test, why);
}
