//! A record as the formats need it, and what is asked of it.

use crate::options::Plan;
use crate::reason::{Apart, Step};
use crate::schema::Kind;

/// A record as the formats need it.
pub(crate) struct Record<'a> {
    pub index: u32,
    pub value: &'a [u8],
    pub key: Option<&'a [u8]>,
}

/// Ends the reading of kinds that were not asked for.
pub(crate) fn asked_for(kind: Kind, plan: &Plan<'_>) -> Step<()> {
    if plan.wants(kind) { Ok(()) } else { Err(Apart::ignored(not_asked_for(kind))) }
}

pub(crate) fn not_asked_for(kind: Kind) -> &'static str {
    match kind {
        Kind::Trade => "trade: not asked for",
        Kind::AggTrade => "agg-trade: not asked for",
        Kind::Kline => "kline: not asked for",
        Kind::Ticker => "ticker: not asked for",
        Kind::Json => "json: not asked for",
        Kind::TradeIds => "trade off the market: not asked for",
    }
}
