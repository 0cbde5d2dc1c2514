//! The rows of a call, column by column. Only wanted columns are made; what a row does not set is null in it.

use parse_base::columns::Columns;
use parse_base::rows::Mark;
use parse_base::{Dictionary, Range, Table, Text, symbol};

use crate::builder::{Builder, Data, push_mantissa};
use crate::decimal::{Number, Plain};
use crate::json::Value;
use crate::options::Plan;
use crate::reason::{Apart, Step};
use crate::schema::{COLUMNS, ColumnId, Kind};

/// A trade as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    pub kind: Kind,
    pub buyer_maker: bool,
    pub record: u32,
    pub symbol: u32,
    pub event_time_us: i64,
    pub id: i64,
    pub last_id: i64,
    /// Mantissas at the columns' scales.
    pub price: i64,
    pub quantity: i64,
}

pub(crate) struct Rows(parse_base::rows::Rows<Columns<ColumnId, { COLUMNS.len() }>>);

impl Rows {
    pub fn new(plan: &Plan<'_>, expected_rows: usize) -> Self {
        Rows(parse_base::rows::Rows::new(Columns::new(&plan.columns, expected_rows), expected_rows))
    }

    pub fn count(&self) -> usize {
        self.0.count()
    }

    pub fn mark(&self) -> Mark {
        self.0.mark()
    }

    pub fn back_to(&mut self, mark: Mark) {
        self.0.back_to(mark);
    }

    pub fn end(&mut self, record: u32, kind: Kind) {
        self.0.end(record, kind as u32);
    }

    pub fn time(&mut self, column: ColumnId, time_us: i64) {
        if let Some(builder) = self.0.columns.get(column) {
            builder.push_integer(Some(time_us));
        }
    }

    pub fn integer(&mut self, column: ColumnId, value: i64) -> Step<()> {
        let info = column.info();
        if value < 0 && info.range != Range::Any {
            return Err(Apart::rejected(format!("{}: negative: {value}", info.name)));
        }
        self.time(column, value);
        Ok(())
    }

    pub fn boolean(&mut self, column: ColumnId, value: bool) {
        if let Some(Builder { data: Data::Booleans(values), .. }) = self.0.columns.get(column) {
            values.push(value);
        }
    }

    pub fn text(&mut self, column: ColumnId, value: &str) {
        if let Some(builder) = self.0.columns.get(column) {
            builder.push_text(Some(value.as_bytes()));
        }
    }

    pub fn symbol(&mut self, value: &str) -> Step<()> {
        self.text(ColumnId::Symbol, symbol::of_record(value)?);
        Ok(())
    }

    /// Code of a symbol for [`Trade::symbol`].
    pub fn symbol_code(&mut self, symbol: &[u8]) -> u32 {
        self.0.columns.text_code(ColumnId::Symbol, symbol)
    }

    /// Checks the number whether or not its column is wanted: whether a message is broken does not depend on what is wanted.
    pub fn decimal(&mut self, column: ColumnId, value: Value<'_>) -> Step<()> {
        let Some(plain) = Plain::read(value.plain()) else {
            return self.any_decimal(column, value);
        };
        let Some(Builder { data: Data::Decimals { scale, low, high }, .. }) = self.0.columns.get(column)
        else {
            return Ok(());
        };
        match plain.at_scale(*scale) {
            Some(mantissa) => push_mantissa(low, high, i128::from(mantissa)),
            None => self.any_decimal(column, value)?,
        }
        Ok(())
    }

    fn any_decimal(&mut self, column: ColumnId, value: Value<'_>) -> Step<()> {
        let info = column.info();
        let text = value.text(info.name)?;
        let number = Number::read(text.as_bytes()).ok_or_else(|| value.fault(info.name, "not a decimal"))?;
        if let Some(fault) = info.range.fault(&number) {
            return Err(value.fault(info.name, fault));
        }
        let Some(Builder { data: Data::Decimals { scale, low, high }, .. }) = self.0.columns.get(column)
        else {
            return Ok(());
        };
        let scaled = number.at_scale(*scale).map_err(|unfit| value.fault(info.name, &unfit.fault(*scale)))?;
        push_mantissa(low, high, scaled.mantissa);
        self.0.rounded += u64::from(scaled.rounded);
        Ok(())
    }

    /// Rows of trades that a template has read.
    pub fn extend(&mut self, trades: &[Trade]) {
        let rows = self.0.count();
        self.0.extend(trades.iter().map(|trade| (trade.record, trade.kind as u32)));
        self.0.columns.iter_mut().for_each(|(id, builder)| extend(id, builder, rows, trades));
    }

    pub fn into_table(self) -> (Table, Vec<u32>, Text, u64) {
        let mut kinds = Dictionary::default();
        for kind in Kind::ALL {
            kinds.code(kind.name().as_bytes());
        }
        self.0.into_table(kinds)
    }
}

/// Appends trades that a template has read to a column of `rows` rows.
fn extend(id: ColumnId, builder: &mut Builder, rows: usize, trades: &[Trade]) {
    use ColumnId::{BuyerMaker, EventTime, Id, LastId, Price, Quantity, Symbol, Trades};
    match (&mut builder.data, id) {
        (Data::Integers(values), EventTime) => values.extend(trades.iter().map(|trade| trade.event_time_us)),
        (Data::Integers(values), Id) => values.extend(trades.iter().map(|trade| trade.id)),
        (Data::Integers(values), LastId) => values.extend(trades.iter().map(|trade| trade.last_id)),
        (Data::Integers(values), Trades) => {
            values.extend(trades.iter().map(|trade| trade.last_id - trade.id + 1));
        }
        (Data::Decimals { low, high, .. }, Price | Quantity) => {
            match id {
                Price => low.extend(trades.iter().map(|trade| trade.price)),
                _ => low.extend(trades.iter().map(|trade| trade.quantity)),
            }
            if !high.is_empty() {
                high.resize(rows + trades.len(), 0);
            }
        }
        (Data::Booleans(values), BuyerMaker) => values.extend(trades.iter().map(|trade| trade.buyer_maker)),
        (Data::Text { codes, .. }, Symbol) => codes.extend(trades.iter().map(|trade| trade.symbol)),
        _ => builder.fill_with_nulls(rows + trades.len()),
    }
}
