//! What this function can make: kinds of rows and their columns.

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

parse_base::define_columns! {
    Symbol: "symbol", Text, Any, "trading pair as the exchange writes it; `name` of a json row";
    EventTime: "event_time", TimestampUs, Any, "when it happened: trade time `T`, a kline's open time, a ticker's event time";
    Id: "id", Int64, NotNegative, "trade id; first trade id of an agg-trade; a kline's open time / interval; `data_id` of a json row if it is an integer";
    LastId: "last_id", Int64, NotNegative, "last id that the row stands for: equal to `id` but in an agg-trade";
    Price: "price", Decimal, Positive, "price of a trade or the ticker's last price, in the quote asset";
    Quantity: "quantity", Decimal, NotNegative, "quantity of a trade, in the base asset";
    Trades: "trades", Int64, NotNegative, "trades that the row stands for: 1 for a trade";
    BuyerMaker: "buyer_maker", Boolean, Any, "whether the buyer was the maker";
    Interval: "interval", Text, Any, "interval of a kline: `1m`, `1d` …";
    Open: "open", Decimal, Positive, "open price of a kline, in the quote asset";
    High: "high", Decimal, Positive, "high price of a kline, in the quote asset";
    Low: "low", Decimal, Positive, "low price of a kline, in the quote asset";
    Close: "close", Decimal, Positive, "close price of a kline, in the quote asset";
    Volume: "volume", Decimal, NotNegative, "volume of a kline, in the base asset";
    QuoteVolume: "quote_volume", Decimal, NotNegative, "volume of a kline, in the quote asset";
    TakerBuyVolume: "taker_buy_volume", Decimal, NotNegative, "volume of a kline bought by takers, in the base asset";
    TakerBuyQuoteVolume: "taker_buy_quote_volume", Decimal, NotNegative, "volume of a kline bought by takers, in the quote asset";
    RollingOpen: "rolling_open", Decimal, NotNegative, "ticker: price 24 hours ago, in the quote asset";
    RollingHigh: "rolling_high", Decimal, NotNegative, "ticker: highest price of the last 24 hours, in the quote asset";
    RollingLow: "rolling_low", Decimal, NotNegative, "ticker: lowest price of the last 24 hours, in the quote asset";
    RollingVolume: "rolling_volume", Decimal, NotNegative, "ticker: volume of the last 24 hours, in the base asset";
    RollingQuoteVolume: "rolling_quote_volume", Decimal, NotNegative, "ticker: volume of the last 24 hours, in the quote asset";
    RollingTrades: "rolling_trades", Int64, NotNegative, "ticker: trades of the last 24 hours";
    RollingPriceChange: "rolling_price_change", Decimal, Any, "ticker: price change over 24 hours, in the quote asset";
    RollingPriceChangePercent: "rolling_price_change_percent", Decimal, Any, "ticker: price change over 24 hours, in percent";
    DataId: "data_id", Text, Any, "`data_id` of a json row as it was written";
}
