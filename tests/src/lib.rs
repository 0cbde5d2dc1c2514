//! tallow-tests
