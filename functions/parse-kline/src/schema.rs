//! What this function can make: klines, with the columns that parse-market gives to klines.

use ColumnId as C;

pub const KINDS: [&str; 1] = ["kline"];

parse_base::define_columns! {
    Symbol: "symbol", Text, Any, "trading pair: a column's, or the setting `symbol`";
    EventTime: "event_time", TimestampUs, Any, "open time";
    Id: "id", Int64, NotNegative, "open time / interval, or by the setting `id-unit-us`; null if neither is known";
    LastId: "last_id", Int64, NotNegative, "equal to `id`";
    Interval: "interval", Text, Any, "`1m`, `1d` …: by the setting `interval`, or from open to close time";
    Open: "open", Decimal, Positive, "open price, in the quote asset";
    High: "high", Decimal, Positive, "high price, in the quote asset";
    Low: "low", Decimal, Positive, "low price, in the quote asset";
    Close: "close", Decimal, Positive, "close price, in the quote asset";
    Volume: "volume", Decimal, NotNegative, "volume, in the base asset";
    QuoteVolume: "quote_volume", Decimal, NotNegative, "volume, in the quote asset";
    TakerBuyVolume: "taker_buy_volume", Decimal, NotNegative, "volume bought by takers, in the base asset";
    TakerBuyQuoteVolume: "taker_buy_quote_volume", Decimal, NotNegative, "volume bought by takers, in the quote asset";
    Trades: "trades", Int64, NotNegative, "number of trades";
    Flagged: "flagged", Int64, NotNegative, "1 if high or low contradict open, close or each other, else 0";
    Settings: "settings", Text, Any, "settings by which lines like this one are read, `name=value` each on a line";
    Remarks: "remarks", Text, Any, "what people should know of how a file is read, each on a line, with the setting `beginning`";
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

    /// The place of a decimal column in [`ColumnId::DECIMALS`].
    pub const fn decimal(self) -> usize {
        self as usize - C::Open as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_in_the_order_of_their_columns() {
        for (index, id) in ColumnId::DECIMALS.into_iter().enumerate() {
            assert_eq!((id.decimal(), id.info().column_type), (index, parse_base::ColumnType::Decimal));
        }
    }
}
