//! Rows sorted by their key.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use tallow_contract::{Refusal, refuse};

use crate::table::Text;

/// One code a row for any number of key columns, and how many codes there are.
pub fn combine<'a>(keys: &[&'a Text], rows: usize) -> (Cow<'a, [u32]>, usize) {
    let Some((first, rest)) = keys.split_first() else {
        return (Cow::Owned(vec![0; rows]), 1);
    };
    let mut codes: Cow<'a, [u32]> = Cow::Borrowed(&first.codes);
    let mut count = first.ends.len();
    for text in rest {
        let mut pairs: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut joined = Vec::with_capacity(rows);
        let mut previous = None;
        for pair in codes.iter().copied().zip(text.codes.iter().copied()) {
            let known = match previous {
                Some((last, code)) if last == pair => code,
                _ => {
                    let next = pairs.len() as u32;
                    let inside = (pair.0 as usize) < count && (pair.1 as usize) < text.ends.len();
                    if inside { *pairs.entry(pair).or_insert(next) } else { u32::MAX }
                }
            };
            previous = Some((pair, known));
            joined.push(known);
        }
        codes = Cow::Owned(joined);
        count = pairs.len();
    }
    (codes, count)
}

/// The rows sorted by their key's code, in the order in which they came under each, and where each key's are.
pub fn by_key(
    rows: impl ExactSizeIterator<Item = u32> + Clone,
    codes: &[u32],
    distinct: usize,
) -> Result<(Vec<u32>, Vec<Range<usize>>), Refusal> {
    if let Some(first) = rows.clone().next().map(|row| codes[row as usize])
        && (first as usize) < distinct
        && codes.iter().fold(true, |one, code| one & (*code == first))
    {
        let whole = 0..rows.len();
        return Ok((rows.collect(), vec![whole]));
    }
    let mut counts = vec![0u32; distinct];
    for row in rows.clone() {
        match counts.get_mut(codes[row as usize] as usize) {
            Some(count) => *count += 1,
            None => refuse!("row {row} has a key code beyond its dictionary"),
        }
    }
    let mut ranges = Vec::new();
    let mut cursors = counts;
    let mut next = 0;
    for cursor in &mut cursors {
        let start = next;
        next += *cursor as usize;
        *cursor = start as u32;
        if next > start {
            ranges.push(start..next);
        }
    }
    let mut sorted = vec![0; next];
    for row in rows {
        let cursor = &mut cursors[codes[row as usize] as usize];
        sorted[*cursor as usize] = row;
        *cursor += 1;
    }
    Ok((sorted, ranges))
}
