//! tallow-sink
