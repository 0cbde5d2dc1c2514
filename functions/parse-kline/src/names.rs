//! Names that files give to the columns of klines.

use crate::schema::ColumnId;

/// What a field of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Open time.
    Time,
    /// The day of the open time, if the time of day is in another field.
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
/// comes earlier here is read: a number before a date.
const NAMES: [(Field, &str); 16] = [
    (
        Time,
        "open_time open_time_us open_time_ms open_time_s time_open timestamp_us timestamp_ms \
         unix_timestamp unix_time unix timestamp event_time window_start start_time start_at start \
         mts ts t time datetime date",
    ),
    (Day, "day"),
    (TimeOfDay, "time_of_day"),
    (Cell(C::Open), "open open_price price_open o"),
    (Cell(C::High), "high high_price price_high max h"),
    (Cell(C::Low), "low low_price price_low min l"),
    (Cell(C::Close), "close close_price price_close c last price"),
    (Cell(C::Volume), "volume base_volume volume_base base_asset_volume volume_from volume_traded vol v"),
    (CloseTime, "close_time close_time_us close_time_ms time_close end_time"),
    (
        Cell(C::QuoteVolume),
        "quote_volume volume_quote vol_quote vol_ccy_quote quote_asset_volume volume_currency \
         volume_to turnover",
    ),
    (Cell(C::Trades), "trades count number_of_trades num_trades trades_count trade_count transactions n"),
    (
        Cell(C::TakerBuyVolume),
        "taker_buy_volume taker_buy_base_volume taker_buy_base_asset_volume taker_base_volume tbbav",
    ),
    (
        Cell(C::TakerBuyQuoteVolume),
        "taker_buy_quote_volume taker_buy_quote_asset_volume taker_quote_volume tbqav",
    ),
    (
        Cell(C::Symbol),
        "symbol pair ticker market instrument instrument_name instrument_id inst_id product \
         product_id",
    ),
    (Cell(C::Interval), "interval timeframe"),
    (Skipped, "granularity ignore unused _"),
];

/// What a column of that name is, and its rank among the names that mean the same.
pub fn field(name: &[u8]) -> Option<(Field, usize)> {
    let name = normalized(name);
    NAMES.iter().find_map(|(field, names)| {
        let rank = names.split(' ').position(|known| same(known, &name))?;
        Some((*field, rank))
    })
}

/// The name that the setting `columns` has for a field.
pub fn of(field: Field) -> &'static str {
    let known = NAMES.iter().find(|(known, _)| *known == field && field != Skipped);
    known.and_then(|(_, names)| names.split(' ').next()).unwrap_or("-")
}

/// Every known name.
pub fn all() -> impl Iterator<Item = &'static str> {
    NAMES.iter().flat_map(|(_, names)| names.split(' '))
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
        for (field, _) in NAMES {
            assert_eq!(super::field(of(field).as_bytes()).map(|(field, _)| field), Some(field));
        }
    }
}
