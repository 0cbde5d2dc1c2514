//! The columns of lines without a header, by arithmetic: the one of the common orders in which high and low are what they
//! should be.

use tallow_contract::{Refusal, refuse};

use crate::layout::Layout;
use crate::names::Field;
use crate::sample::Sample;
use crate::schema::ColumnId as C;

const O: Field = Field::Cell(C::Open);
const H: Field = Field::Cell(C::High);
const L: Field = Field::Cell(C::Low);
const K: Field = Field::Cell(C::Close);
const V: Field = Field::Cell(C::Volume);
const Q: Field = Field::Cell(C::QuoteVolume);
const N: Field = Field::Cell(C::Trades);
const X: Field = Field::Skipped;
const E: Field = Field::CloseTime;

/// Orders behind the time that exchanges and vendors write, by the number of fields, the most common one first. No two of
/// them differ by open and close alone, which no arithmetic could tell.
const ORDERS: [&[Field]; 14] = [
    &[O, H, L, K],
    &[O, K, H, L],
    &[L, H, O, K],
    &[O, H, L, K, V],
    &[O, K, H, L, V],
    &[L, H, O, K, V],
    &[V, K, H, L, O],
    &[V, O, K, H, L],
    &[O, H, L, K, V, X],
    &[O, K, H, L, V, X],
    &[Q, K, H, L, O, V],
    &[O, H, L, K, X, V, N],
    &[O, H, L, K, V, E, Q, N, Field::Cell(C::TakerBuyVolume), Field::Cell(C::TakerBuyQuoteVolume)],
    &[O, H, L, K, V, E, Q, N, Field::Cell(C::TakerBuyVolume), Field::Cell(C::TakerBuyQuoteVolume), X],
];

/// How much higher a high is than its low, at most.
const MOST_TIMES: f64 = 10.0;

/// The columns of lines, and whether any other order would give the same.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub layout: Layout,
    pub sure: bool,
}

/// `None` if the lines are no klines. An error says which orders fit, or which are known.
pub fn by_arithmetic(sample: &Sample<'_>) -> Result<Option<Found>, Refusal> {
    let Some(prefix) = sample.time_prefix() else { return Ok(None) };
    let behind = sample.width - prefix.len();
    let whole = |order: &&&[Field]| Layout { fields: [&prefix[..], order].concat() };
    let known: Vec<Layout> =
        ORDERS.iter().filter(|order| order.len() == behind).map(|order| whole(&order)).collect();
    if known.is_empty() {
        refuse!("{} fields, and no header that is known", sample.width);
    }
    let fitting: Vec<&Layout> = known.iter().filter(|layout| fits(layout, sample)).collect();
    let found = match fitting[..] {
        [] => refuse!("the prices fit none of the orders that are known: {}", listed(&known)),
        [one] => Found { layout: one.clone(), sure: true },
        [first, ..]
            if is_flat(first, sample) || fitting.iter().all(|other| same_values(first, other, sample)) =>
        {
            Found { layout: first.clone(), sure: false }
        }
        _ => refuse!("the prices fit more than one order: {}", listed(fitting)),
    };
    Ok(Some(Found { layout: with_last(found.layout, sample), ..found }))
}

fn listed<'l>(layouts: impl IntoIterator<Item = &'l Layout>) -> String {
    layouts.into_iter().map(Layout::as_setting).collect::<Vec<_>>().join(" or ")
}

/// Prices and volume of a row; `None` if one is missing.
fn values(layout: &Layout, row: &[Option<f64>]) -> Option<[f64; 5]> {
    let number = |field: Field| {
        let place = layout.fields.iter().position(|known| *known == field);
        place.map_or(Some(0.0), |place| row.get(place).copied().flatten())
    };
    Some([number(O)?, number(H)?, number(L)?, number(K)?, number(V).unwrap_or(0.0)])
}

/// Whether high and low are above and below the others, and no volume is taken for a price, in all rows but one in a
/// hundred.
fn fits(layout: &Layout, sample: &Sample<'_>) -> bool {
    let rows = sample.numbers.iter().filter_map(|row| values(layout, row));
    let (mut all, mut wrong) = (0, 0);
    for [open, high, low, close, volume] in rows {
        let in_order = high >= open.max(close) && low <= open.min(close);
        let sound = in_order && low > 0.0 && volume >= 0.0 && high <= MOST_TIMES * low;
        all += 1;
        wrong += usize::from(!sound);
    }
    wrong * 100 <= all
}

/// Whether nothing moves: orders differ in what they take for a volume alone, and the most common one is right.
fn is_flat(layout: &Layout, sample: &Sample<'_>) -> bool {
    let flat = |[open, high, low, close, _]: [f64; 5]| high == low && open == close && open == high;
    sample.numbers.iter().filter_map(|row| values(layout, row)).all(flat)
}

fn same_values(one: &Layout, other: &Layout, sample: &Sample<'_>) -> bool {
    sample.numbers.iter().all(|row| values(one, row) == values(other, row))
}

/// What the field behind the volume is: the volume in the quote coin, or the number of trades.
fn with_last(mut layout: Layout, sample: &Sample<'_>) -> Layout {
    let last = layout.fields.len() - 1;
    if layout.fields[last] != X || layout.has(Q) {
        return layout;
    }
    let whole = |row: &Vec<Option<f64>>| {
        row.get(last).copied().flatten().is_none_or(|number| number >= 0.0 && number.fract() == 0.0)
    };
    layout.fields[last] = match crate::volumes::quote_by_arithmetic(&layout.fields, &sample.numbers) {
        Some(place) if place == last => Q,
        _ if sample.numbers.iter().all(whole) => N,
        _ => X,
    };
    layout
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Result<Option<(String, bool)>, Refusal> {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let sample = Sample::new(&lines, b',');
        by_arithmetic(&sample).map(|found| found.map(|found| (found.layout.as_setting(), found.sure)))
    }

    #[test]
    fn the_order_follows_from_what_high_and_low_must_be() {
        for (line, columns) in [
            ("1646092800000,10,12,9,11,5.5", "open_time,open,high,low,close,volume"),
            ("1646092800000,10,11,12,9,5.5", "open_time,open,close,high,low,volume"),
            ("1646092800000,9,12,10,11,5.5", "open_time,low,high,open,close,volume"),
            ("1646092800000,5.5,10,12,9,11", "open_time,volume,close,high,low,open"),
            ("1646092800,10,12,9,11,5.5,8", "open_time,open,high,low,close,volume,trades"),
            ("1646092800,10,12,9,11,10.5,5.5,8", "open_time,open,high,low,close,-,volume,trades"),
            ("2024.01.02,00:00,10,12,9,11,5", "day,time_of_day,open,high,low,close,volume"),
            ("ABC,2024-01-02,10,12,9,11,5", "symbol,open_time,open,high,low,close,volume"),
            ("2024-01-02,10,11,12,9", "open_time,open,close,high,low"),
        ] {
            assert_eq!(found(&[line, line]), Ok(Some((columns.to_owned(), true))), "{line}");
        }
        let quote = ["1,10,12,9,11,2,21.5", "2,10,12,9,11,3,31.5"].map(|line| format!("164609280{line}"));
        let quote = quote.each_ref().map(String::as_str);
        let columns = "open_time,open,high,low,close,volume,quote_volume".to_owned();
        assert_eq!(found(&quote), Ok(Some((columns, true))));
    }

    #[test]
    fn what_fits_two_orders_is_refused_unless_both_give_the_same() {
        let flat = "1646092800000,10,10,10,10,5.5";
        let columns = "open_time,open,high,low,close,volume".to_owned();
        assert_eq!(found(&[flat]), Ok(Some((columns.clone(), false))));
        // Low and open are the same, and so are high and close; 1 is no low.
        assert_eq!(found(&["1646092800000,1000,1100,1000,1100,1"]), Ok(Some((columns, false))));
        // Open is low and close is high, or the other way round.
        let error = found(&["1646092800000,9,11,11,9,5"]).unwrap_err().to_string();
        assert!(error.contains("open,close,high,low,volume or open_time,low,high,"), "{error}");
        let error = found(&["1646092800000,12,10,11,9,5"]).unwrap_err().to_string();
        assert!(error.starts_with("the prices fit none"), "{error}");
        let error = found(&["1646092800000,12,10,11,9,5,1,1,1"]).unwrap_err().to_string();
        assert!(error.starts_with("9 fields"), "{error}");
        assert_eq!(found(&["<html>,1,2,3,4,5"]), Ok(None));
    }
}
