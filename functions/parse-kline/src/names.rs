//! Names that files give to the columns of klines.

use crate::schema::ColumnId;

/// What a field of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Open time.
    Time,
    CloseTime,
    /// A column of the row as it is written.
    Cell(ColumnId),
    /// Not read.
    Skipped,
}

use ColumnId as C;
use Field::{Cell, CloseTime, Skipped, Time};

/// Known names, as [`normalized`] writes them. Where a file has two columns that mean the same, the one whose name
/// stands earlier here is read: a number before a date.
const NAMES: [(&str, Field); 58] = [
    ("open_time", Time),
    ("open_time_us", Time),
    ("open_time_ms", Time),
    ("open_time_s", Time),
    ("opentime", Time),
    ("timestamp_us", Time),
    ("timestamp_ms", Time),
    ("unix_timestamp", Time),
    ("unix_time", Time),
    ("unix", Time),
    ("timestamp", Time),
    ("event_time", Time),
    ("window_start", Time),
    ("start_time", Time),
    ("time", Time),
    ("datetime", Time),
    ("date_time", Time),
    ("date", Time),
    ("open", Cell(C::Open)),
    ("open_price", Cell(C::Open)),
    ("high", Cell(C::High)),
    ("high_price", Cell(C::High)),
    ("low", Cell(C::Low)),
    ("low_price", Cell(C::Low)),
    ("close", Cell(C::Close)),
    ("close_price", Cell(C::Close)),
    ("volume", Cell(C::Volume)),
    ("base_volume", Cell(C::Volume)),
    ("base_asset_volume", Cell(C::Volume)),
    ("volume_btc", Cell(C::Volume)),
    ("vol", Cell(C::Volume)),
    ("close_time", CloseTime),
    ("close_time_us", CloseTime),
    ("close_time_ms", CloseTime),
    ("closetime", CloseTime),
    ("quote_volume", Cell(C::QuoteVolume)),
    ("quote_asset_volume", Cell(C::QuoteVolume)),
    ("volume_currency", Cell(C::QuoteVolume)),
    ("volume_usd", Cell(C::QuoteVolume)),
    ("volume_usdt", Cell(C::QuoteVolume)),
    ("trades", Cell(C::Trades)),
    ("count", Cell(C::Trades)),
    ("number_of_trades", Cell(C::Trades)),
    ("num_trades", Cell(C::Trades)),
    ("trade_count", Cell(C::Trades)),
    ("tradecount", Cell(C::Trades)),
    ("taker_buy_volume", Cell(C::TakerBuyVolume)),
    ("taker_buy_base_volume", Cell(C::TakerBuyVolume)),
    ("taker_buy_base_asset_volume", Cell(C::TakerBuyVolume)),
    ("taker_buy_quote_volume", Cell(C::TakerBuyQuoteVolume)),
    ("taker_buy_quote_asset_volume", Cell(C::TakerBuyQuoteVolume)),
    ("symbol", Cell(C::Symbol)),
    ("pair", Cell(C::Symbol)),
    ("ticker", Cell(C::Symbol)),
    ("market", Cell(C::Symbol)),
    ("interval", Cell(C::Interval)),
    ("ignore", Skipped),
    ("_", Skipped),
];

/// What a column of that name is, and its rank among the names that mean the same.
pub fn field(name: &[u8]) -> Option<(Field, usize)> {
    let name = normalized(name);
    let rank = NAMES.iter().position(|(known, _)| *known == name)?;
    Some((NAMES[rank].1, rank))
}

/// Every known name.
pub fn all() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// Lower case, anything but letters and digits as one `_` between words: `Volume_(BTC)` is `volume_btc`.
fn normalized(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for &byte in name.strip_prefix("\u{feff}".as_bytes()).unwrap_or(name) {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => out.push(byte as char),
            b'A'..=b'Z' => out.push(byte.to_ascii_lowercase() as char),
            // A name in another script must not become a known one.
            0x80.. => out.push('?'),
            _ if out.ends_with('_') => {}
            _ => out.push('_'),
        }
    }
    match out.trim_matches('_') {
        "" => "_".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_however_they_are_written() {
        for (name, meant) in [
            ("Open time", Time),
            ("\u{feff}timestamp_ms", Time),
            ("Volume_(BTC)", Cell(C::Volume)),
            ("Quote asset volume", Cell(C::QuoteVolume)),
            ("-", Skipped),
        ] {
            assert_eq!(field(name.as_bytes()).map(|(field, _)| field), Some(meant), "{name}");
        }
        assert_eq!(field("öpen".as_bytes()), None);
        assert!(field(b"unix_timestamp").unwrap().1 < field(b"timestamp").unwrap().1);
    }
}
