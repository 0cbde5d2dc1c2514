//! Aggregates as they are written: `sum_product(price, quantity)`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use tallow_contract::Operation;

use crate::error::{Problem, nearest};

/// A column of a candle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Name of the column that it makes.
    pub name: String,
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub operation: Operation,
    /// Column that it reads; none only for a count of rows.
    pub column: Option<String>,
    /// Second column: the weight of `vwap` (the quantity), the factor of `sum_product`.
    pub by: Option<String>,
}

/// As manifests write them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    Operation::ALL.into_iter().map(written)
}

impl Aggregate {
    /// As the manifest writes it: `sum_product(price, quantity)`.
    pub fn expression(&self) -> String {
        let columns: Vec<&str> = self.column.iter().chain(&self.by).map(String::as_str).collect();
        format!("{}({})", written(self.operation), columns.join(", "))
    }
}

/// The operation's name in manifests.
fn written(operation: Operation) -> &'static str {
    match operation {
        Operation::SumProduct => "sum_product",
        other => other.name(),
    }
}

fn named(name: &str) -> Option<Operation> {
    Operation::ALL.into_iter().find(|operation| written(*operation) == name)
}

fn write<S: Serializer>(operation: &Operation, serializer: S) -> Result<S::Ok, S::Error> {
    written(*operation).serialize(serializer)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Operation, D::Error> {
    let name = String::deserialize(deserializer)?;
    let unknown = || serde::de::Error::custom(format!("no operation `{name}`"));
    named(&name).ok_or_else(unknown)
}

/// The operation and the columns between its brackets.
pub(crate) fn parse(name: &str, text: &str) -> Result<Aggregate, Problem> {
    const FORM: &str = "write it as operation(column), like \"max(price)\" or \"count()\"";
    let (word, rest) = text.trim().split_once('(').ok_or(FORM)?;
    let inside = rest.strip_suffix(')').ok_or(FORM)?;
    let operation = operation(word.trim())?;
    let columns = columns(inside)?;
    let wants = match operation {
        Operation::Count => (0..=1, "at most one column"),
        Operation::Vwap | Operation::SumProduct => (2..=2, "two columns, like (price, quantity)"),
        _ => (1..=1, "one column"),
    };
    if !wants.0.contains(&columns.len()) {
        return Err(format!("`{}` takes {}", word.trim(), wants.1).into());
    }
    let mut columns = columns.into_iter();
    Ok(Aggregate { name: name.to_owned(), operation, column: columns.next(), by: columns.next() })
}

fn operation(word: &str) -> Result<Operation, Problem> {
    Ok(named(word).ok_or_else(|| match nearest(word, names()) {
        Some(meant) => format!("no such operation; did you mean `{meant}`?"),
        None => format!("no such operation; there are {}", names().collect::<Vec<_>>().join(", ")),
    })?)
}

fn columns(inside: &str) -> Result<Vec<String>, Problem> {
    if inside.trim().is_empty() {
        return Ok(Vec::new());
    }
    inside.split(',').map(|name| column(name.trim())).collect()
}

/// A column of parsed rows: letters, digits, `_`, and between them `.` and `-`.
pub(crate) fn column(name: &str) -> Result<String, Problem> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if starts && plain && name.len() <= 128 {
        return Ok(name.to_owned());
    }
    Err("not a column's name (letters, digits, `_`, `.`, `-`, not beginning with a digit)".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Operation, Option<String>, Option<String>) {
        let aggregate = parse("x", text).unwrap();
        (aggregate.operation, aggregate.column, aggregate.by)
    }

    #[test]
    fn every_operation_takes_the_columns_that_its_meaning_needs() {
        let price = || Some("price".to_owned());
        for (text, operation) in [
            ("first(price)", Operation::First),
            ("last(price)", Operation::Last),
            ("min(price)", Operation::Min),
            ("max(price)", Operation::Max),
            ("sum(price)", Operation::Sum),
            ("count(price)", Operation::Count),
            ("mean(price)", Operation::Mean),
        ] {
            assert_eq!(parts(text), (operation, price(), None), "{text}");
        }
        let quantity = || Some("quantity".to_owned());
        assert_eq!(parts("vwap(price, quantity)"), (Operation::Vwap, price(), quantity()));
        assert_eq!(parts(" sum_product ( price ,quantity ) "), (Operation::SumProduct, price(), quantity()));
        assert_eq!(parts("count()"), (Operation::Count, None, None));
    }

    #[test]
    fn an_aggregate_is_kept_and_shown_as_manifests_write_it() {
        let aggregate = parse("quotes", "sum_product(price,quantity)").unwrap();
        assert_eq!(aggregate.expression(), "sum_product(price, quantity)");
        let kept = r#"{"name":"quotes","operation":"sum_product","column":"price","by":"quantity"}"#;
        assert_eq!(serde_json::to_string(&aggregate).unwrap(), kept);
        assert_eq!(serde_json::from_str::<Aggregate>(kept).unwrap(), aggregate);
    }

    #[test]
    fn wrong_expressions_are_refused_with_what_is_wrong() {
        for (text, part) in [
            ("price", "write it as operation(column)"),
            ("max(price", "write it as operation(column)"),
            ("max(price) + 1", "write it as operation(column)"),
            ("maxi(price)", "did you mean `max`?"),
            ("sum-product(a, b)", "did you mean `sum_product`?"),
            ("median(price)", "no such operation"),
            ("max()", "`max` takes one column"),
            ("max(a, b)", "`max` takes one column"),
            ("vwap(price)", "`vwap` takes two columns"),
            ("count(a, b)", "`count` takes at most one column"),
            ("sum(a b)", "not a column's name"),
            ("sum(1a)", "not a column's name"),
            ("sum_product(a,,b)", "not a column's name"),
            ("sum_product(a,)", "not a column's name"),
        ] {
            let problem = parse("x", text).unwrap_err();
            assert!(problem.to_string().contains(part), "{text}: {problem}");
        }
    }
}
