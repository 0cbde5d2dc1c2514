//! parse-market
