//! What this function can make: kinds of rows and their columns.

use parse_base::column::column;
pub use parse_base::{ColumnType, Range};

/// The kind of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Trade,
    AggTrade,
    Kline,
    Ticker,
    Json,
    /// A trade that was not made on the market: no window takes its price, and its id is not missing.
    TradeIds,
}

impl Kind {
    pub const ALL: [Kind; 6] =
        [Kind::Trade, Kind::AggTrade, Kind::Kline, Kind::Ticker, Kind::Json, Kind::TradeIds];

    /// The kind's name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Trade => "trade",
            Kind::AggTrade => "agg-trade",
            Kind::Kline => "kline",
            Kind::Ticker => "ticker",
            Kind::Json => "json",
            Kind::TradeIds => "trade:ids",
        }
    }
}

/// A column: its index in [`COLUMNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ColumnId {
    Symbol,
    EventTime,
    Id,
    LastId,
    Price,
    Quantity,
    Trades,
    BuyerMaker,
    Interval,
    Open,
    High,
    Low,
    Close,
    Volume,
    QuoteVolume,
    TakerBuyVolume,
    TakerBuyQuoteVolume,
    RollingOpen,
    RollingHigh,
    RollingLow,
    RollingVolume,
    RollingQuoteVolume,
    RollingTrades,
    RollingPriceChange,
    RollingPriceChangePercent,
    DataId,
}

impl ColumnId {
    pub(crate) fn info(self) -> &'static ColumnInfo {
        &COLUMNS[self as usize]
    }
}

impl From<ColumnId> for usize {
    fn from(id: ColumnId) -> usize {
        id as usize
    }
}

/// What there is to know about a column.
pub type ColumnInfo = parse_base::ColumnInfo<ColumnId>;

use ColumnId as C;
use ColumnType::{Boolean, Decimal, Int64, Text, TimestampUs};
use Range::{Any, NotNegative, Positive};

/// Every column, in the order of [`ColumnId`]. A column that a kind does not have is null in its rows.
#[rustfmt::skip]
pub const COLUMNS: [ColumnInfo; 26] = [
    column(C::Symbol, "symbol", Text, Any, "trading pair as the exchange writes it; `name` of a json row"),
    column(C::EventTime, "event_time", TimestampUs, Any, "when it happened: trade time `T`, a kline's open time, a ticker's event time"),
    column(C::Id, "id", Int64, NotNegative, "trade id; first trade id of an agg-trade; a kline's open time / interval; `data_id` of a json row where it is an integer"),
    column(C::LastId, "last_id", Int64, NotNegative, "last id that the row stands for: equal to `id` but in an agg-trade"),
    column(C::Price, "price", Decimal, Positive, "price of a trade or the ticker's last price, in the quote asset"),
    column(C::Quantity, "quantity", Decimal, NotNegative, "quantity of a trade, in the base asset"),
    column(C::Trades, "trades", Int64, NotNegative, "trades that the row stands for: 1 for a trade"),
    column(C::BuyerMaker, "buyer_maker", Boolean, Any, "whether the buyer was the maker"),
    column(C::Interval, "interval", Text, Any, "interval of a kline: `1m`, `1d` …"),
    column(C::Open, "open", Decimal, Positive, "open price of a kline, in the quote asset"),
    column(C::High, "high", Decimal, Positive, "high price of a kline, in the quote asset"),
    column(C::Low, "low", Decimal, Positive, "low price of a kline, in the quote asset"),
    column(C::Close, "close", Decimal, Positive, "close price of a kline, in the quote asset"),
    column(C::Volume, "volume", Decimal, NotNegative, "volume of a kline, in the base asset"),
    column(C::QuoteVolume, "quote_volume", Decimal, NotNegative, "volume of a kline, in the quote asset"),
    column(C::TakerBuyVolume, "taker_buy_volume", Decimal, NotNegative, "volume of a kline bought by takers, in the base asset"),
    column(C::TakerBuyQuoteVolume, "taker_buy_quote_volume", Decimal, NotNegative, "volume of a kline bought by takers, in the quote asset"),
    column(C::RollingOpen, "rolling_open", Decimal, NotNegative, "ticker: price 24 hours ago, in the quote asset"),
    column(C::RollingHigh, "rolling_high", Decimal, NotNegative, "ticker: highest price of the last 24 hours, in the quote asset"),
    column(C::RollingLow, "rolling_low", Decimal, NotNegative, "ticker: lowest price of the last 24 hours, in the quote asset"),
    column(C::RollingVolume, "rolling_volume", Decimal, NotNegative, "ticker: volume of the last 24 hours, in the base asset"),
    column(C::RollingQuoteVolume, "rolling_quote_volume", Decimal, NotNegative, "ticker: volume of the last 24 hours, in the quote asset"),
    column(C::RollingTrades, "rolling_trades", Int64, NotNegative, "ticker: trades of the last 24 hours"),
    column(C::RollingPriceChange, "rolling_price_change", Decimal, Any, "ticker: price change over 24 hours, in the quote asset"),
    column(C::RollingPriceChangePercent, "rolling_price_change_percent", Decimal, Any, "ticker: price change over 24 hours, in percent"),
    column(C::DataId, "data_id", Text, Any, "`data_id` of a json row as it was written"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_id_is_its_columns_index() {
        for (index, info) in COLUMNS.iter().enumerate() {
            assert_eq!(info.id as usize, index, "{}", info.name);
        }
    }
}
