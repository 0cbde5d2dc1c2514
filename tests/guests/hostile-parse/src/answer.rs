//! The answer to a batch: trades as columns, and what a record asked to spoil of it.

use crate::adapter::contract::{Marked, Parsed, WantedColumn};
use crate::adapter::types::{Column, ColumnData, Decimals, Table, Text};
use crate::trade::{SCALE, Trade};

pub enum Spoil {
    UnequalColumns,
    CodesOutOfRange,
    RecordsBackwards,
    Refuse,
}

#[derive(Default)]
pub struct Answer {
    rows: Vec<(u32, Trade)>,
    ignored: Vec<u32>,
    rejected: Vec<(u32, Vec<u8>)>,
    pub spoil: Option<Spoil>,
}

impl Answer {
    pub fn row(&mut self, record: u32, trade: Trade) {
        self.rows.push((record, trade));
    }

    pub fn ignore(&mut self, record: u32) {
        self.ignored.push(record);
    }

    pub fn reject(&mut self, record: u32, reason: Vec<u8>) {
        self.rejected.push((record, reason));
    }

    pub fn into_parsed(self, wanted: &[WantedColumn]) -> Result<Parsed, String> {
        let rows = self.rows.len();
        let columns = wanted.iter().map(|wanted| self.column(&wanted.name));
        let mut parsed = Parsed {
            rows: Table { rows: rows as u32, columns: columns.collect::<Result<_, _>>()? },
            records: self.rows.iter().map(|(record, _)| *record).collect(),
            kinds: text(vec![b"trade".to_vec()], vec![0; rows]),
            ignored: marked(self.ignored.into_iter().map(|record| (record, b"null".to_vec())).collect()),
            rejected: marked(self.rejected),
            rounded: 0,
        };
        match self.spoil {
            Some(Spoil::UnequalColumns) => shorten(&mut parsed.rows.columns),
            Some(Spoil::CodesOutOfRange) => parsed.kinds.codes.fill(7),
            Some(Spoil::RecordsBackwards) => parsed.records.reverse(),
            Some(Spoil::Refuse) => return Err("a record asked for it".to_owned()),
            None => {}
        }
        Ok(parsed)
    }

    fn column(&self, name: &str) -> Result<Column, String> {
        let integers = |of: fn(&Trade) -> i64| self.rows.iter().map(|(_, trade)| of(trade)).collect();
        let decimals = |of| ColumnData::Decimal(Decimals { scale: SCALE, values: integers(of), high: None });
        let data = match name {
            "symbol" => {
                let symbols = self.rows.iter().map(|(_, trade)| trade.symbol.clone().into_bytes());
                ColumnData::Text(text(symbols.collect(), (0..self.rows.len() as u32).collect()))
            }
            "event_time" => ColumnData::TimestampUs(integers(|trade| trade.time_us)),
            "id" => ColumnData::Int64(integers(|trade| trade.id)),
            "price" => decimals(|trade| trade.price),
            "quantity" => decimals(|trade| trade.quantity),
            "weight" => {
                let float = |trade: &Trade| trade.quantity as f64 / 10f64.powi(SCALE.into());
                ColumnData::Float64(self.rows.iter().map(|(_, trade)| float(trade)).collect())
            }
            _ => return Err(format!("there is no column `{name}`")),
        };
        Ok(Column { name: name.to_owned(), data, validity: None })
    }
}

fn shorten(columns: &mut [Column]) {
    for column in columns {
        if let ColumnData::Decimal(decimals) = &mut column.data {
            decimals.values.pop();
        }
    }
}

fn marked(marked: Vec<(u32, Vec<u8>)>) -> Marked {
    let (records, reasons): (Vec<u32>, Vec<Vec<u8>>) = marked.into_iter().unzip();
    let codes = (0..records.len() as u32).collect();
    Marked { records, reasons: text(reasons, codes) }
}

fn text(entries: Vec<Vec<u8>>, codes: Vec<u32>) -> Text {
    let ends = entries.iter().scan(0, |end, entry| {
        *end += entry.len() as u32;
        Some(*end)
    });
    Text { ends: ends.collect(), bytes: entries.concat(), codes }
}
