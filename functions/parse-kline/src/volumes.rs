//! Which of a file's volumes is in the base coin: by the coins in their names and in the symbol, or by arithmetic.

use crate::names::{self, Field};
use crate::schema::ColumnId as C;

/// Coins that others are priced in.
const QUOTES: [&str; 17] = [
    "usd", "usdt", "usdc", "busd", "tusd", "fdusd", "dai", "eur", "gbp", "jpy", "krw", "try", "brl", "aud",
    "cad", "chf", "idr",
];

const BASE: Field = Field::Cell(C::Volume);
const QUOTE: Field = Field::Cell(C::QuoteVolume);

/// Which columns those like `Volume ETH` are, unless another column is.
pub fn by_coin(fields: &mut [Field], header: &[&[u8]], symbol: Option<&str>) {
    let symbol = symbol.map(letters);
    let coins: Vec<(usize, String)> = header
        .iter()
        .enumerate()
        .filter(|(at, name)| fields.get(*at) == Some(&Field::Skipped) && names::field(name).is_none())
        .filter_map(|(at, name)| Some((at, names::coin_of_volume(name)?)))
        .collect();
    for (at, coin) in &coins {
        let role = role(coin, symbol.as_deref(), coins.len());
        if let Some(role) = role.filter(|role| !fields.contains(role)) {
            fields[*at] = role;
        }
    }
}

/// Which volume is in a coin. `beside`: how many such columns there are.
fn role(coin: &str, symbol: Option<&str>, beside: usize) -> Option<Field> {
    if let Some(symbol) = symbol {
        let known_as: &[&str] = if coin == "btc" { &["btc", "xbt"] } else { &[coin] };
        let is = |at: fn(&str, &str) -> bool| known_as.iter().any(|coin| at(symbol, coin));
        match (is(|symbol, coin| symbol.starts_with(coin)), is(|symbol, coin| symbol.ends_with(coin))) {
            (true, false) => return Some(BASE),
            (false, true) => return Some(QUOTE),
            _ => {}
        }
    }
    match () {
        () if QUOTES.contains(&coin) => Some(QUOTE),
        () if coin == "btc" && beside == 1
            || symbol.is_none() && coin.as_bytes()[0].is_ascii_alphabetic() =>
        {
            Some(BASE)
        }
        () => None,
    }
}

/// Letters and digits alone, in lower case: `ETH/BTC` is `ethbtc`.
fn letters(symbol: &str) -> String {
    let kept = symbol.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The column, of those that are not read, that is the volume times a price between low and high in all rows that were
/// traded in: the volume in the quote coin.
pub fn quote_by_arithmetic(fields: &[Field], rows: &[Vec<Option<f64>>]) -> Option<usize> {
    let place = |field: Field| fields.iter().position(|known| *known == field);
    if place(QUOTE).is_some() {
        return None;
    }
    let [high, low, base] = [place(Field::Cell(C::High))?, place(Field::Cell(C::Low))?, place(BASE)?];
    let is_quote = |at: usize| {
        let mut traded = 0;
        let all = rows.iter().all(|row| {
            let number = |at: usize| row.get(at).copied().flatten();
            let (Some(high), Some(low), Some(base), Some(value)) =
                (number(high), number(low), number(base), number(at))
            else {
                return true;
            };
            traded += usize::from(base > 0.0);
            // A rounded volume is not exactly what the price says.
            base <= 0.0 && value == 0.0
                || base > 0.0 && (low * 0.999..=high * 1.001).contains(&(value / base))
        });
        all && traded > 1
    };
    let unread = fields.iter().enumerate().filter(|(_, field)| **field == Field::Skipped);
    unread.map(|(at, _)| at).find(|at| is_quote(*at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::cells;
    use crate::layout::Layout;

    fn roles(symbol: Option<&str>, volumes: &str) -> Vec<Option<Field>> {
        let header = format!("time,open,high,low,close,{volumes}");
        let layout = Layout::by_header(&cells(header.as_bytes(), b','), symbol).unwrap();
        layout.fields[5..].iter().map(|field| (*field != Field::Skipped).then_some(*field)).collect()
    }

    #[test]
    fn the_symbol_says_which_coin_is_the_base() {
        let [base, quote] = [Some(BASE), Some(QUOTE)];
        for (symbol, volumes, expected) in [
            (Some("ETHUSDT"), "Volume ETH,Volume USDT", [base, quote]),
            (Some("ETH/BTC"), "Volume ETH,Volume BTC", [base, quote]),
            (Some("ETH-BTC"), "Volume BTC,Volume ETH", [quote, base]),
            (Some("XBTUSD"), "Volume_(BTC),Volume_(Currency)", [base, quote]),
            (Some("bitstamp"), "Volume_(BTC),Volume_(Currency)", [base, quote]),
            (Some("USDCUSDT"), "Volume USDC,Volume USDT", [base, quote]),
            (None, "Volume SOL,Volume USD", [base, quote]),
            (Some("BTCUSD"), "vol,vol_ccy", [base, None]),
        ] {
            assert_eq!(roles(symbol, volumes), expected, "{symbol:?} {volumes}");
        }
    }

    #[test]
    fn a_volume_times_the_price_is_in_the_quote_coin() {
        let layout = Layout::by_setting("time,open,high,low,close,volume,-,-").unwrap();
        let row = |base: f64, quote: f64| [0.0, 10.0, 11.0, 9.0, 10.5, base, base, quote].map(Some).to_vec();
        let rows = [row(2.0, 20.0), row(0.0, 0.0), row(3.0, 29.0)];
        assert_eq!(quote_by_arithmetic(&layout.fields, &rows), Some(7));
        assert_eq!(quote_by_arithmetic(&layout.fields, &[row(2.0, 20.0), row(3.0, 40.0)]), None);
    }
}
