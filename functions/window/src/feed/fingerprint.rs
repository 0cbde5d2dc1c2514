//! Fingerprints, which tell a repeated row from another one with the same id.

use std::ops::Range;

use crate::block::Block;
use crate::columns::{Input, Values};

/// A fingerprint covers what makes two rows of one id the same: time, ids and all inputs.
pub fn fingerprints(block: &Block, of: Range<usize>, inputs: &[Input]) -> Vec<u64> {
    const NULL: i64 = 0x6e75_6c6c;
    let with = |hashes: &mut [u64], values: &[i64]| {
        hashes.iter_mut().zip(values).for_each(|(hash, &value)| *hash = mix(*hash, value));
    };
    let rows = block.first_ids[of.clone()].iter().zip(&block.time_us[of.clone()]);
    let mut hashes: Vec<u64> = rows.map(|(&id, &time_us)| mix(mix(0, id), time_us)).collect();
    if let Some(last_ids) = block.last_ids.get(of.clone()) {
        with(&mut hashes, last_ids);
    }
    for (index, input) in inputs.iter().enumerate() {
        match block.plain(index, &of) {
            Some(values) => with(&mut hashes, values),
            None if input.is_empty => hashes.iter_mut().for_each(|hash| *hash = mix(*hash, NULL)),
            None => {
                let each = hashes.iter_mut().zip(&block.rows[of.clone()]);
                each.for_each(|(hash, &row)| *hash = mix_value(*hash, input, row, NULL));
            }
        }
    }
    hashes
}

/// Mixes one value in, the same way whether or not its column has nulls or high halves in this update.
fn mix_value(hash: u64, input: &Input, row: u32, null: i64) -> u64 {
    if !input.is_valid(row) {
        return mix(hash, null);
    }
    if matches!(input.values, Values::Opaque) {
        return hash;
    }
    let value = input.value(row);
    match i64::try_from(value) {
        Ok(narrow) => mix(hash, narrow),
        Err(_) => mix(mix(hash, value as i64), (value >> 64) as i64),
    }
}

#[inline]
fn mix(hash: u64, value: i64) -> u64 {
    (hash.rotate_left(23) ^ value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
