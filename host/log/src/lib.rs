//! tallow-log
