//! A trade in the shape of Binance's `trade` stream.

use std::io::Write;

/// Prices and quantities in 10^-8.
pub struct Trade<'a> {
    pub symbol: &'a str,
    pub id: i64,
    pub price_e8: i64,
    pub quantity_e8: i64,
    /// When it was traded.
    pub event_ms: i64,
    /// When the exchange sent it.
    pub sent_ms: i64,
    pub buyer_is_maker: bool,
}

const ONE: i64 = 100_000_000;

impl Trade<'_> {
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        let (price, quantity) = (self.price_e8, self.quantity_e8);
        let written = write!(
            out,
            r#"{{"e":"trade","E":{},"s":"{}","t":{},"p":"{}.{:08}","q":"{}.{:08}","T":{},"m":{},"M":true}}"#,
            self.sent_ms,
            self.symbol,
            self.id,
            price / ONE,
            price % ONE,
            quantity / ONE,
            quantity % ONE,
            self.event_ms,
            self.buyer_is_maker,
        );
        debug_assert!(written.is_ok(), "memory can always be written to");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_has_binances_fields_in_binances_order() {
        let trade = Trade {
            symbol: "BTCUSDT",
            id: 3735683259,
            price_e8: 6_183_763_000_000,
            quantity_e8: 2_000_000,
            event_ms: 1723161255342,
            sent_ms: 1723161255343,
            buyer_is_maker: true,
        };
        // As recorded from the exchange on 2024-08-08.
        let recorded = r#"{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}"#;
        assert_eq!(String::from_utf8(trade.json()).unwrap(), recorded);
    }
}
