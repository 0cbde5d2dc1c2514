//! tallow-epoch
