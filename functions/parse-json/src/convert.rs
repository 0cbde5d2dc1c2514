//! From the text of a value to what a column holds.

use parse_base::builder::{Builder, Data, push_mantissa};
use parse_base::decimal::{Number, Plain};
use parse_base::json::Value;
use parse_base::reason::Step;

use crate::column::{Column, Type};

/// Appends a value to its column. What is not wanted is only checked.
#[inline]
pub(crate) fn write(
    column: &Column,
    value: Value<'_>,
    into: Option<&mut Builder>,
    rounded: &mut u64,
) -> Step<()> {
    let name = &column.name;
    match &column.type_ {
        Type::Decimal => return decimal(name, value, into, rounded),
        Type::Text => return text(name, value, into),
        Type::Int64 => {
            let integer = Value(value.plain()).integer(name)?;
            push(into, |data| {
                if let Data::Integers(values) = data {
                    values.push(integer);
                }
            });
        }
        Type::Timestamp(form) => {
            let time_us = form.read(name, value)?;
            push(into, |data| {
                if let Data::Integers(values) = data {
                    values.push(time_us);
                }
            });
        }
        Type::Float64 => {
            let float = float(name, value)?;
            push(into, |data| {
                if let Data::Floats(values) = data {
                    values.push(float);
                }
            });
        }
        Type::Boolean => {
            let boolean = value.boolean(name)?;
            push(into, |data| {
                if let Data::Booleans(values) = data {
                    values.push(boolean);
                }
            });
        }
    }
    Ok(())
}

/// Whether a column can hold the value.
pub(crate) fn check(column: &Column, value: Value<'_>) -> Step<()> {
    write(column, value, None, &mut 0)
}

#[inline(always)]
fn push(into: Option<&mut Builder>, push: impl FnOnce(&mut Data)) {
    if let Some(builder) = into {
        push(&mut builder.data);
    }
}

/// A string's text; anything else as it is written.
#[inline]
fn text(name: &str, value: Value<'_>, into: Option<&mut Builder>) -> Step<()> {
    match value.0 {
        [b'"', inner @ .., b'"'] if inner.contains(&b'\\') => push_text(into, value.text(name)?.as_bytes()),
        [b'"', inner @ .., b'"'] => push_text(into, inner),
        other => push_text(into, other),
    }
    Ok(())
}

/// `text` is UTF-8.
#[inline]
pub(crate) fn push_text(into: Option<&mut Builder>, text: &[u8]) {
    push(into, |data| {
        if let Data::Text { dictionary, codes } = data {
            let code = match codes.last() {
                // A text mostly comes more than once in a row.
                Some(&last) if dictionary.entry(last) == Some(text) => last,
                _ => dictionary.code(text),
            };
            codes.push(code);
        }
    });
}

#[inline]
fn decimal(name: &str, value: Value<'_>, into: Option<&mut Builder>, rounded: &mut u64) -> Step<()> {
    let plain = Plain::read(value.plain());
    match into.map(|builder| &mut builder.data) {
        Some(Data::Decimals { scale, low, high }) => {
            if let Some(mantissa) = plain.and_then(|plain| plain.at_scale(*scale)) {
                push_mantissa(low, high, i128::from(mantissa));
                return Ok(());
            }
            let number =
                Number::read(value.plain()).ok_or_else(|| value.fault(name, "not a decimal number"))?;
            let scaled = number.at_scale(*scale).map_err(|unfit| value.fault(name, &unfit.fault(*scale)))?;
            push_mantissa(low, high, scaled.mantissa);
            *rounded += u64::from(scaled.rounded);
            Ok(())
        }
        _ if plain.is_some() || Number::read(value.plain()).is_some() => Ok(()),
        _ => Err(value.fault(name, "not a decimal number")),
    }
}

/// The nearest double. What is too large for one is a fault: infinity is no measurement.
fn float(name: &str, value: Value<'_>) -> Step<f64> {
    let text = value.plain();
    let number = Number::read(text).and_then(|_| std::str::from_utf8(text).ok()?.parse::<f64>().ok());
    match number {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(value.fault(name, "too large for a double")),
        None => Err(value.fault(name, "not a number")),
    }
}
