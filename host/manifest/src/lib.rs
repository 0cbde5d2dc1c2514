//! tallow-manifest
