//! The contract `tallow:parse`.

wit_bindgen::generate!({
    path: ["../../../wit/types", "../../../wit/parse"],
    world: "tallow:parse/parse-function",
    generate_all,
});

pub use exports::tallow::parse::parse as contract;
pub use tallow::types::types;

use crate::answer::Answer;
use crate::trade::{SCALE, Trade};
use crate::{habit, misdeed, variant};

pub const COLUMNS: [&str; 6] = ["symbol", "event_time", "price", "id", "quantity", "weight"];

struct Component;

export!(Component);

impl contract::Guest for Component {
    fn describe() -> contract::Description {
        use contract::ColumnType::{Decimal, Float64, Int64, Text, TimestampUs};
        let types = [Text, TimestampUs, Decimal, Int64, Decimal, Float64];
        let meanings = [
            "first word".to_owned(),
            "second word, µs".to_owned(),
            format!("third word, {SCALE} places"),
            "fourth word".to_owned(),
            format!("fifth word, {SCALE} places"),
            "the quantity as a float".to_owned(),
        ];
        let columns = COLUMNS.into_iter().zip(types).zip(meanings);
        contract::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kinds: vec!["trade".to_owned()],
            columns: columns
                .map(|((name, type_), meaning)| contract::ColumnInfo {
                    name: name.to_owned(),
                    type_,
                    meaning,
                })
                .collect(),
            wants_keys: false,
            wants_headers: variant::is(variant::WANTS_HEADERS),
        }
    }

    fn parse(batch: types::Batch, options: contract::Options) -> Result<contract::Parsed, String> {
        if variant::is(variant::TRAPS) && !batch.values.ends.is_empty() {
            core::arch::wasm32::unreachable();
        }
        let habit = options.settings.iter().find(|(name, _)| name == "habit");
        let habit = habit.map_or("", |(_, habit)| habit);
        let mut answer = Answer::default();
        let mut from = 0;
        for (record, end) in (0..).zip(&batch.values.ends) {
            let value = &batch.values.bytes[from..*end as usize];
            from = *end as usize;
            if batch.values.nulls.contains(&record) {
                answer.ignore(record);
                continue;
            }
            let text = String::from_utf8_lossy(value);
            if misdeed::commit(&text, record, &mut answer).is_some() {
                continue;
            }
            match Trade::read(&text) {
                Some(_) if variant::is(variant::REJECTS) => answer.reject(record, b"a trade".to_vec()),
                Some(trade) if trade.id % 3 == 0 && variant::is(variant::REJECTS_SOME) => {
                    answer.reject(record, b"a third trade".to_vec());
                }
                Some(_) if misdeed::commit(habit, record, &mut answer).is_some() => {}
                Some(trade) => answer.row(record, trade),
                None => answer.reject(record, b"neither a trade nor a misdeed".to_vec()),
            }
        }
        let mut parsed = answer.into_parsed(&habit::wanted(habit, options.columns))?;
        habit::spoil(habit, &mut parsed);
        Ok(parsed)
    }
}
