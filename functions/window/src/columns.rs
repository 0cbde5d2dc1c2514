//! The columns that aggregates read, as integers: a float becomes an integer that sorts as it does.

use std::borrow::Cow;

use tallow_contract::{Refusal, ValueType, refuse};

use crate::decimal::MAX_SCALE;
use crate::spec::{Op, Operation, Plan};
use crate::table::{ColumnData, Table, is_valid, joined};

/// The scale under which sums take a type.
pub fn sum_scale(value_type: ValueType) -> Option<u8> {
    match value_type {
        ValueType::Int64 => Some(0),
        ValueType::Decimal(scale) => Some(scale),
        _ => None,
    }
}

/// An integer with the order of the float. -0.0 counts as 0.0; NaN has none.
pub fn float_to_sortable(value: f64) -> Option<i64> {
    if value.is_nan() {
        return None;
    }
    let bits = if value == 0.0 { 0 } else { value.to_bits() as i64 };
    Some(flip(bits))
}

/// The float that [`float_to_sortable`] was given.
pub fn sortable_to_float(sortable: i64) -> f64 {
    f64::from_bits(flip(sortable) as u64)
}

fn flip(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The values of an input.
pub enum Values<'a> {
    Narrow(Cow<'a, [i64]>),
    Wide {
        low: &'a [i64],
        high: &'a [i64],
    },
    /// Only counted.
    Opaque,
}

/// One input of an update.
pub struct Input<'a> {
    pub kind: ValueType,
    pub values: Values<'a>,
    pub validity: Option<Cow<'a, [u8]>>,
    /// Whether every row is null.
    pub is_empty: bool,
}

impl Input<'_> {
    #[inline]
    pub fn is_valid(&self, row: u32) -> bool {
        is_valid(self.validity.as_deref(), row as usize)
    }

    /// The value of a row; only for a row that is not null.
    #[inline]
    pub fn value(&self, row: u32) -> i128 {
        match &self.values {
            Values::Narrow(values) => i128::from(values[row as usize]),
            Values::Wide { low, high } => joined(low[row as usize], high[row as usize]),
            Values::Opaque => 0,
        }
    }
}

/// Checks inputs against the types that a plan's state holds.
pub fn check_known(plan: &Plan, known: &[Option<ValueType>], inputs: &[Input]) -> Result<(), Refusal> {
    for ((name, known), input) in plan.inputs.iter().zip(known).zip(inputs) {
        if let Some(known) = known
            && *known != input.kind
        {
            refuse!(
                "column `{name}` came as {} and was {known} before: the state cannot hold both",
                input.kind
            );
        }
    }
    Ok(())
}

/// The inputs of a plan in a table.
pub fn resolve<'a>(plan: &Plan, table: &'a Table) -> Result<Vec<Input<'a>>, Refusal> {
    let mut inputs = Vec::with_capacity(plan.inputs.len());
    for name in &plan.inputs {
        inputs.push(resolve_one(name, table)?);
    }
    for (aggregate, op) in plan.spec.aggregates.iter().zip(&plan.ops) {
        check_types(op, &inputs)
            .map_err(|wrong| wrong.within(format_args!("aggregate `{}`", aggregate.name)))?;
    }
    if let Some(latest) = plan.latest
        && !matches!(inputs[latest].kind, ValueType::Int64 | ValueType::TimestampUs)
    {
        let (name, kind) = (&plan.inputs[latest], inputs[latest].kind);
        refuse!(
            "rows cannot replace each other by column `{name}`, which is {kind}: int64 or timestamp is needed"
        );
    }
    Ok(inputs)
}

fn resolve_one<'a>(name: &str, table: &'a Table) -> Result<Input<'a>, Refusal> {
    let column = table.column(name)?;
    let mut validity = column.validity.as_deref().map(Cow::Borrowed);
    let values = match &column.data {
        ColumnData::Int64(values) | ColumnData::TimestampUs(values) => Values::Narrow(Cow::Borrowed(values)),
        ColumnData::Decimal(decimals) if decimals.scale > MAX_SCALE => {
            refuse!("column `{name}` has a scale of {}: at most {MAX_SCALE}", decimals.scale);
        }
        ColumnData::Decimal(decimals) => match &decimals.high {
            Some(high) => Values::Wide { low: &decimals.values, high },
            None => Values::Narrow(Cow::Borrowed(&decimals.values)),
        },
        ColumnData::Float64(floats) => {
            let sortable: Vec<Option<i64>> = floats.iter().map(|&value| float_to_sortable(value)).collect();
            if sortable.contains(&None) {
                validity = Some(Cow::Owned(without_nan(&sortable, validity.as_deref())));
            }
            let values = sortable.into_iter().map(Option::unwrap_or_default).collect();
            Values::Narrow(Cow::Owned(values))
        }
        ColumnData::Boolean(_) | ColumnData::Text(_) => Values::Opaque,
    };
    let is_empty = validity.as_deref().is_some_and(|bits| bits.iter().all(|bits| *bits == 0));
    Ok(Input { kind: ValueType::of(&column.data), values, validity, is_empty })
}

/// A validity bitmap in which NaN counts as null.
fn without_nan(values: &[Option<i64>], validity: Option<&[u8]>) -> Vec<u8> {
    let mut bits = vec![0u8; values.len().div_ceil(8)];
    for (row, value) in values.iter().enumerate() {
        if value.is_some() && is_valid(validity, row) {
            bits[row / 8] |= 1 << (row % 8);
        }
    }
    bits
}

fn check_types(op: &Op, inputs: &[Input]) -> Result<(), Refusal> {
    let what = op.operation.name();
    let kinds = [op.column, op.by].map(|slot| slot.map(|slot| inputs[slot].kind));
    match op.operation {
        Operation::Count => Ok(()),
        Operation::First | Operation::Last | Operation::Min | Operation::Max => {
            match kinds[0].filter(|kind| matches!(kind, ValueType::Boolean | ValueType::Text)) {
                Some(kind) => refuse!("`{what}` does not take {kind}"),
                None => Ok(()),
            }
        }
        Operation::Sum | Operation::Mean | Operation::Vwap | Operation::SumProduct => {
            let mut scales = 0;
            for kind in kinds.into_iter().flatten() {
                let Some(scale) = sum_scale(kind) else {
                    refuse!("`{what}` takes decimals and int64, not {kind}: its sum must be exact");
                };
                scales += scale;
            }
            if op.operation == Operation::SumProduct && scales > MAX_SCALE {
                refuse!("its columns' scales add up to {scales}: at most {MAX_SCALE}");
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sortable_floats_sort_as_floats_and_come_back(left: f64, right: f64) {
            let (a, b) = (float_to_sortable(left), float_to_sortable(right));
            prop_assert_eq!(a.is_none(), left.is_nan());
            if let (Some(a), Some(b)) = (a, b) {
                prop_assert_eq!(Some(a.cmp(&b)), left.partial_cmp(&right));
                prop_assert_eq!(sortable_to_float(a), left);
            }
        }
    }

    #[test]
    fn minus_zero_is_zero() {
        assert_eq!(float_to_sortable(-0.0), float_to_sortable(0.0));
        assert!(sortable_to_float(float_to_sortable(-0.0).unwrap()).is_sign_positive());
    }
}
