//! Which rows of a column have a value: one bit per row, least significant bit first, 1 = there is a value.

/// The bitmap of some values; `None` if every row has a value.
///
/// ```
/// use tallow_contract::validity;
/// assert_eq!(validity(&[Some(1), None, Some(3)]), Some(vec![0b101]));
/// assert_eq!(validity(&[Some(1), Some(2)]), None);
/// ```
pub fn validity<T>(values: &[Option<T>]) -> Option<Vec<u8>> {
    if values.iter().all(Option::is_some) {
        return None;
    }
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    for (row, value) in values.iter().enumerate() {
        bits[row / 8] |= u8::from(value.is_some()) << (row % 8);
    }
    Some(bits)
}

/// Whether a row has a value; without a bitmap every row has one.
///
/// # Panics
/// If the bitmap has no bit for the row.
#[inline]
pub fn is_valid(validity: Option<&[u8]>, row: usize) -> bool {
    validity.is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1)
}
