//! Names that files give to the columns of klines.

use crate::schema::ColumnId;

/// What a field of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Open time.
    Time,
    /// The day of the open time, where the time of day stands in a field of its own.
    Day,
    TimeOfDay,
    CloseTime,
    /// A column of the row as it is written.
    Cell(ColumnId),
    /// Not read.
    Skipped,
}

use ColumnId as C;
use Field::{Cell, CloseTime, Day, Skipped, Time, TimeOfDay};

/// Known names, as [`normalized`] writes them. Where a file has two columns that mean the same, the one whose name
/// stands earlier here is read: a number before a date.
const NAMES: [(&str, Field); 98] = [
    ("open_time", Time),
    ("open_time_us", Time),
    ("open_time_ms", Time),
    ("open_time_s", Time),
    ("time_open", Time),
    ("timestamp_us", Time),
    ("timestamp_ms", Time),
    ("unix_timestamp", Time),
    ("unix_time", Time),
    ("unix", Time),
    ("timestamp", Time),
    ("event_time", Time),
    ("window_start", Time),
    ("start_time", Time),
    ("start_at", Time),
    ("start", Time),
    ("mts", Time),
    ("ts", Time),
    ("t", Time),
    ("time", Time),
    ("datetime", Time),
    ("date", Time),
    ("day", Day),
    ("time_of_day", TimeOfDay),
    ("open", Cell(C::Open)),
    ("open_price", Cell(C::Open)),
    ("price_open", Cell(C::Open)),
    ("o", Cell(C::Open)),
    ("high", Cell(C::High)),
    ("high_price", Cell(C::High)),
    ("price_high", Cell(C::High)),
    ("max", Cell(C::High)),
    ("h", Cell(C::High)),
    ("low", Cell(C::Low)),
    ("low_price", Cell(C::Low)),
    ("price_low", Cell(C::Low)),
    ("min", Cell(C::Low)),
    ("l", Cell(C::Low)),
    ("close", Cell(C::Close)),
    ("close_price", Cell(C::Close)),
    ("price_close", Cell(C::Close)),
    ("c", Cell(C::Close)),
    ("last", Cell(C::Close)),
    ("price", Cell(C::Close)),
    ("volume", Cell(C::Volume)),
    ("base_volume", Cell(C::Volume)),
    ("volume_base", Cell(C::Volume)),
    ("base_asset_volume", Cell(C::Volume)),
    ("volume_from", Cell(C::Volume)),
    ("volume_traded", Cell(C::Volume)),
    ("vol", Cell(C::Volume)),
    ("v", Cell(C::Volume)),
    ("close_time", CloseTime),
    ("close_time_us", CloseTime),
    ("close_time_ms", CloseTime),
    ("time_close", CloseTime),
    ("end_time", CloseTime),
    ("quote_volume", Cell(C::QuoteVolume)),
    ("volume_quote", Cell(C::QuoteVolume)),
    ("vol_quote", Cell(C::QuoteVolume)),
    ("vol_ccy_quote", Cell(C::QuoteVolume)),
    ("quote_asset_volume", Cell(C::QuoteVolume)),
    ("volume_currency", Cell(C::QuoteVolume)),
    ("volume_to", Cell(C::QuoteVolume)),
    ("turnover", Cell(C::QuoteVolume)),
    ("trades", Cell(C::Trades)),
    ("count", Cell(C::Trades)),
    ("number_of_trades", Cell(C::Trades)),
    ("num_trades", Cell(C::Trades)),
    ("trades_count", Cell(C::Trades)),
    ("trade_count", Cell(C::Trades)),
    ("transactions", Cell(C::Trades)),
    ("n", Cell(C::Trades)),
    ("taker_buy_volume", Cell(C::TakerBuyVolume)),
    ("taker_buy_base_volume", Cell(C::TakerBuyVolume)),
    ("taker_buy_base_asset_volume", Cell(C::TakerBuyVolume)),
    ("taker_base_volume", Cell(C::TakerBuyVolume)),
    ("tbbav", Cell(C::TakerBuyVolume)),
    ("taker_buy_quote_volume", Cell(C::TakerBuyQuoteVolume)),
    ("taker_buy_quote_asset_volume", Cell(C::TakerBuyQuoteVolume)),
    ("taker_quote_volume", Cell(C::TakerBuyQuoteVolume)),
    ("tbqav", Cell(C::TakerBuyQuoteVolume)),
    ("symbol", Cell(C::Symbol)),
    ("pair", Cell(C::Symbol)),
    ("ticker", Cell(C::Symbol)),
    ("market", Cell(C::Symbol)),
    ("instrument", Cell(C::Symbol)),
    ("instrument_name", Cell(C::Symbol)),
    ("instrument_id", Cell(C::Symbol)),
    ("inst_id", Cell(C::Symbol)),
    ("product", Cell(C::Symbol)),
    ("product_id", Cell(C::Symbol)),
    ("interval", Cell(C::Interval)),
    ("timeframe", Cell(C::Interval)),
    ("granularity", Skipped),
    ("ignore", Skipped),
    ("unused", Skipped),
    ("_", Skipped),
];

/// What a column of that name is, and its rank among the names that mean the same.
pub fn field(name: &[u8]) -> Option<(Field, usize)> {
    let name = normalized(name);
    let rank = NAMES.iter().position(|(known, _)| same(known, &name))?;
    Some((NAMES[rank].1, rank))
}

/// The name that the setting `columns` has for a field.
pub fn of(field: Field) -> &'static str {
    match field {
        Skipped => "-",
        field => NAMES.iter().find(|(_, known)| *known == field).map_or("-", |(name, _)| name),
    }
}

/// Every known name.
pub fn all() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// The coin of a column like `Volume ETH`, `Volume_(BTC)` or `eth_volume`, in lower case.
pub fn coin_of_volume(name: &[u8]) -> Option<String> {
    let name = normalized(name);
    let coin = ["volume_", "vol_"].iter().find_map(|prefix| name.strip_prefix(prefix));
    let coin = coin.or_else(|| name.strip_suffix("_volume"))?;
    let is_coin = (2..=10).contains(&coin.len()) && coin.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_coin.then(|| coin.to_owned())
}

/// The same but for where words are separated: `timeOpen` is `time_open`.
fn same(known: &str, name: &str) -> bool {
    known == name || known.bytes().filter(|byte| *byte != b'_').eq(name.bytes().filter(|byte| *byte != b'_'))
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
            ("timeOpen", Time),
            ("MTS", Time),
            ("Vol.", Cell(C::Volume)),
            ("<OPEN>", Cell(C::Open)),
            ("Quote asset volume", Cell(C::QuoteVolume)),
            ("quoteAssetVolume", Cell(C::QuoteVolume)),
            ("-", Skipped),
        ] {
            assert_eq!(field(name.as_bytes()).map(|(field, _)| field), Some(meant), "{name}");
        }
        assert_eq!(field("öpen".as_bytes()), None);
        assert!(field(b"unix_timestamp").unwrap().1 < field(b"timestamp").unwrap().1);
    }

    #[test]
    fn a_volumes_coin_is_in_its_name() {
        for (name, coin) in [
            ("Volume ETH", Some("eth")),
            ("Volume_(BTC)", Some("btc")),
            ("usdt_volume", Some("usdt")),
            ("volume", None),
            ("taker_buy_volume", None),
        ] {
            assert_eq!(coin_of_volume(name.as_bytes()).as_deref(), coin, "{name}");
        }
    }

    #[test]
    fn every_field_has_a_name_that_means_it() {
        for (_, field) in NAMES {
            assert_eq!(super::field(of(field).as_bytes()).map(|(field, _)| field), Some(field));
        }
    }
}
