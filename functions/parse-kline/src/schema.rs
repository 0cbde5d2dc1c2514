//! What this function can make: klines, with the columns that parse-market gives to klines.

use parse_base::ColumnInfo;
use parse_base::column::{
    ColumnType::{Decimal, Int64, Text, TimestampUs},
    Range::{Any, NotNegative, Positive},
    column,
};

pub const KINDS: [&str; 1] = ["kline"];

/// A column: its index in [`COLUMNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ColumnId {
    Symbol,
    EventTime,
    Id,
    LastId,
    Interval,
    Open,
    High,
    Low,
    Close,
    Volume,
    QuoteVolume,
    TakerBuyVolume,
    TakerBuyQuoteVolume,
    Trades,
    Flagged,
    Settings,
    Remarks,
}

impl ColumnId {
    /// The decimal columns, in the order of [`COLUMNS`].
    pub const DECIMALS: [ColumnId; 8] = [
        C::Open,
        C::High,
        C::Low,
        C::Close,
        C::Volume,
        C::QuoteVolume,
        C::TakerBuyVolume,
        C::TakerBuyQuoteVolume,
    ];

    pub fn info(self) -> &'static ColumnInfo<ColumnId> {
        &COLUMNS[self as usize]
    }

    /// The place of a decimal column in [`ColumnId::DECIMALS`].
    pub const fn decimal(self) -> usize {
        self as usize - C::Open as usize
    }
}

impl From<ColumnId> for usize {
    fn from(id: ColumnId) -> usize {
        id as usize
    }
}

use ColumnId as C;

/// Every column, in the order of [`ColumnId`]. A column that a line does not have is null in its row.
#[rustfmt::skip]
pub const COLUMNS: [ColumnInfo<ColumnId>; 17] = [
    column(C::Symbol, "symbol", Text, Any, "trading pair: a column's, or the setting `symbol`"),
    column(C::EventTime, "event_time", TimestampUs, Any, "open time"),
    column(C::Id, "id", Int64, NotNegative, "open time / interval, or by the setting `id-unit-us`; null where neither is known"),
    column(C::LastId, "last_id", Int64, NotNegative, "equal to `id`"),
    column(C::Interval, "interval", Text, Any, "`1m`, `1d` …: by the setting `interval`, or from open to close time"),
    column(C::Open, "open", Decimal, Positive, "open price, in the quote asset"),
    column(C::High, "high", Decimal, Positive, "high price, in the quote asset"),
    column(C::Low, "low", Decimal, Positive, "low price, in the quote asset"),
    column(C::Close, "close", Decimal, Positive, "close price, in the quote asset"),
    column(C::Volume, "volume", Decimal, NotNegative, "volume, in the base asset"),
    column(C::QuoteVolume, "quote_volume", Decimal, NotNegative, "volume, in the quote asset"),
    column(C::TakerBuyVolume, "taker_buy_volume", Decimal, NotNegative, "volume bought by takers, in the base asset"),
    column(C::TakerBuyQuoteVolume, "taker_buy_quote_volume", Decimal, NotNegative, "volume bought by takers, in the quote asset"),
    column(C::Trades, "trades", Int64, NotNegative, "number of trades"),
    column(C::Flagged, "flagged", Int64, NotNegative, "1 where high or low contradict open, close or each other, else 0"),
    column(C::Settings, "settings", Text, Any, "settings by which lines like this one are read, `name=value` each on a line"),
    column(C::Remarks, "remarks", Text, Any, "what people should know of how a file is read, each on a line, with the setting `beginning`"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_id_is_its_columns_index() {
        for (index, info) in COLUMNS.iter().enumerate() {
            assert_eq!(info.id as usize, index, "{}", info.name);
        }
        for (index, id) in ColumnId::DECIMALS.into_iter().enumerate() {
            assert_eq!((id.decimal(), id.info().column_type), (index, Decimal));
        }
    }
}
