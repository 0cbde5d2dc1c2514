//! Batches in the words of the functions' crates, which know nothing of components.

use tallow_record::Batch;

pub fn batch(batch: &Batch) -> parse_market::Batch {
    let column = |column: &tallow_record::ByteColumn| parse_market::ByteColumn {
        bytes: column.bytes.clone(),
        ends: column.ends.clone(),
        nulls: column.nulls.clone(),
    };
    parse_market::Batch {
        values: column(&batch.values),
        keys: Some(column(&batch.keys)),
        ..parse_market::Batch::default()
    }
}
