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
use crate::{misdeed, variant};

struct Component;

export!(Component);

impl contract::Guest for Component {
    fn describe() -> contract::Description {
        use contract::ColumnType::{Decimal, Int64, Text, TimestampUs};
        let columns = [
            ("symbol", Text, "first word".to_owned()),
            ("event_time", TimestampUs, "second word, µs".to_owned()),
            ("price", Decimal, format!("third word, {SCALE} places")),
            ("id", Int64, "fourth word".to_owned()),
            ("quantity", Decimal, format!("fifth word, {SCALE} places")),
        ];
        contract::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kinds: vec!["trade".to_owned()],
            columns: columns
                .map(|(name, type_, meaning)| contract::ColumnInfo { name: name.to_owned(), type_, meaning })
                .into(),
            wants_keys: false,
            wants_headers: variant::is(variant::WANTS_HEADERS),
        }
    }

    fn parse(batch: types::Batch, options: contract::Options) -> Result<contract::Parsed, String> {
        if variant::is(variant::TRAPS) && !batch.values.ends.is_empty() {
            core::arch::wasm32::unreachable();
        }
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
                Some(trade) => answer.row(record, trade),
                None => answer.reject(record, b"neither a trade nor a misdeed".to_vec()),
            }
        }
        answer.into_parsed(&options.columns)
    }
}
