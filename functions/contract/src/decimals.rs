//! A column of exact decimals.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::decimal;

/// Exact decimals: the number is `mantissa / 10^scale`.
///
/// ```
/// use tallow_contract::Decimals;
/// let prices = Decimals::new(2, &[Some(4_300_010), None, Some(-5)]);
/// assert_eq!((prices.mantissa(0), prices.text(0)), (4_300_010, "43000.10".to_owned()));
/// assert_eq!(prices.text(2), "-0.05");
/// assert_eq!(prices.high, None, "each fits 64 bits");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower), component(record))]
pub struct Decimals {
    /// Places behind the point.
    pub scale: u8,
    /// The mantissas, or their low 64 bits if `high` is present.
    pub values: Vec<i64>,
    /// The high 64 bits of 128-bit mantissas, in two's complement.
    pub high: Option<Vec<i64>>,
}

impl Decimals {
    /// A column of mantissas, with high halves only if they are needed. A null row holds 0.
    pub fn new(scale: u8, mantissas: &[Option<i128>]) -> Self {
        Self::of(scale, mantissas.iter().map(|mantissa| mantissa.unwrap_or(0)))
    }

    /// A column of mantissas, with high halves only if they are needed.
    pub fn of(scale: u8, mantissas: impl Iterator<Item = i128> + Clone) -> Self {
        let wide = mantissas.clone().any(|mantissa| i64::try_from(mantissa).is_err());
        let high = wide.then(|| mantissas.clone().map(|mantissa| (mantissa >> 64) as i64).collect());
        Self { scale, values: mantissas.map(|mantissa| mantissa as i64).collect(), high }
    }

    /// How many rows the column has.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the column has no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The mantissa of a row.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn mantissa(&self, row: usize) -> i128 {
        match &self.high {
            None => i128::from(self.values[row]),
            Some(high) => joined(self.values[row], high[row]),
        }
    }

    /// The mantissas of all rows.
    pub fn mantissas(&self) -> impl Iterator<Item = i128> + '_ {
        (0..self.values.len()).map(|row| self.mantissa(row))
    }

    /// The number of a row, with all places of the scale.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn text(&self, row: usize) -> String {
        decimal::text(self.mantissa(row), self.scale)
    }
}

/// A 128-bit mantissa from its halves, as [`Decimals`] keeps them.
#[inline]
pub fn joined(low: i64, high: i64) -> i128 {
    (i128::from(high) << 64) | i128::from(low as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mantissas_of_any_size_come_back_from_their_halves() {
        let narrow = [0, -1, i128::from(i64::MAX), i128::from(i64::MIN)];
        let wide = [0, -1, i128::from(i64::MAX) + 1, -(1 << 64), 10i128.pow(38) - 1];
        for mantissas in [&narrow[..], &wide[..]] {
            let decimals = Decimals::of(8, mantissas.iter().copied());
            assert_eq!(decimals.mantissas().collect::<Vec<_>>(), mantissas);
        }
        assert!(Decimals::of(8, narrow.into_iter()).high.is_none());
        assert!(Decimals::of(8, wide.into_iter()).high.is_some());
    }
}
