//! Records under another key, which columns of their rows make.

use tallow_contract::{Refusal, Text, is_valid};
use tallow_sink::{DeadLetter, ReasonKind, Rekeyed, record_key};

use crate::dead_letter::{dead_letter, headers};
use crate::ledger_entries::record_and_row;
use crate::slices::ParsedSlice;

/// The records of a slice that have rows of the kinds, once for each key that these have, in their order; and a dead
/// letter for each row without a key.
pub fn records(
    slice: &ParsedSlice,
    keys: &[String],
    kinds: &[String],
) -> Result<(Vec<Rekeyed>, Vec<DeadLetter>), Refusal> {
    let rows = &slice.parsed.rows;
    let mut columns: Vec<(&str, &Text, Option<&[u8]>)> = Vec::with_capacity(keys.len());
    for key in keys {
        let column = rows.table.column(key)?;
        columns.push((key, column.texts()?, column.validity.as_deref()));
    }
    let is_wanted: Vec<bool> = (0..rows.kinds.ends.len() as u32)
        .map(|code| kinds.iter().any(|kind| kind.as_bytes() == rows.kinds.entry(code)))
        .collect();
    let (mut rekeyed, mut keyless) = (Vec::<Rekeyed>::new(), Vec::new());
    // Where the keys of the record begin that the row belongs to.
    let (mut record_before, mut begun) = (None, 0);
    for row in 0..rows.table.rows {
        let (at, record) = (row as usize, rows.records[row as usize]);
        if !is_wanted[rows.kinds.codes[at] as usize] {
            continue;
        }
        if record_before.replace(record) != Some(record) {
            begun = rekeyed.len();
        }
        let lacks = columns.iter().find(|(_, _, validity)| !is_valid(*validity, at));
        if let Some((name, ..)) = lacks {
            let (record, within) = record_and_row(rows, row);
            let reason = format!("it lacks the key `{name}`");
            let mut letter = dead_letter(&slice.batch, record, ReasonKind::Invalid, reason);
            letter.row = Some(within);
            keyless.push(letter);
            continue;
        }
        let text = |text: &Text| String::from_utf8_lossy(text.entry(text.codes[at])).into_owned();
        let texts: Vec<(&str, String)> = columns.iter().map(|(name, it, _)| (*name, text(it))).collect();
        let Some(key) = record_key(&texts) else { continue };
        if rekeyed[begun..].iter().any(|it| it.key == key) {
            continue;
        }
        let (batch, record) = (&slice.batch, record as usize);
        rekeyed.push(Rekeyed {
            place: batch.place(record),
            timestamp_us: batch.timestamps_us[record],
            key,
            value: batch.values.get(record).map(<[u8]>::to_vec),
            headers: headers(batch, record),
        });
    }
    Ok((rekeyed, keyless))
}
