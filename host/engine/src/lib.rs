//! tallow-engine
