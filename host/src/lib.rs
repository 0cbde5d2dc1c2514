//! tallow
