//! Where two JSON values first differ.

use serde_json::Value;

use super::GoldenError;

/// How a missing value is shown.
const NOTHING: &str = "nothing";

/// Checks that two values are the same. The error names the place, from `at` on, by keys and, in a list, by the
/// index and the record that the element names itself.
pub fn same(at: &str, expected: &Value, found: &Value) -> Result<(), GoldenError> {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            let inner = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}, {key}") };
            for (key, expected) in left {
                match right.get(key) {
                    Some(found) => same(&inner(key), expected, found)?,
                    None => return Err(difference(&inner(key), Some(expected), None)),
                }
            }
            match right.iter().find(|(key, _)| !left.contains_key(*key)) {
                Some((key, found)) => Err(difference(&inner(key), None, Some(found))),
                None => Ok(()),
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().max(right.len()) {
                let (expected, found) = (left.get(index), right.get(index));
                let inner = format!("{at}[{index}]{}", record(expected.or(found)));
                match (expected, found) {
                    (Some(expected), Some(found)) => same(&inner, expected, found)?,
                    _ => return Err(difference(&inner, expected, found)),
                }
            }
            Ok(())
        }
        _ if expected == found => Ok(()),
        _ => Err(difference(at, Some(expected), Some(found))),
    }
}

fn record(element: Option<&Value>) -> String {
    match element.and_then(|element| element.get("record")) {
        Some(record) => format!(" (record {record})"),
        None => String::new(),
    }
}

fn difference(at: &str, expected: Option<&Value>, found: Option<&Value>) -> GoldenError {
    let shown = |value: Option<&Value>| value.map_or(NOTHING.to_owned(), Value::to_string);
    GoldenError::Difference { at: at.to_owned(), expected: shown(expected), found: shown(found) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first(expected: Value, found: Value) -> String {
        same("", &expected, &found).unwrap_err().to_string()
    }

    #[test]
    fn equal_values_are_the_same_whatever_the_order_of_their_keys() {
        same("", &json!({"a": [1, {"b": null}], "c": "x"}), &json!({"c": "x", "a": [1, {"b": null}]}))
            .unwrap();
    }

    #[test]
    fn the_first_difference_names_list_index_record_and_column() {
        let expected = json!({"rows": [{"record": 0, "price": "1.0"}, {"record": 4, "price": "2.0"}]});
        let mut found = expected.clone();
        found["rows"][1]["price"] = json!("2.5");
        assert_eq!(first(expected, found), r#"rows[1] (record 4), price: expected "2.0", found "2.5""#);
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_are_told() {
        assert_eq!(first(json!([1, 2]), json!([1])), "[1]: expected 2, found nothing");
        assert_eq!(first(json!([]), json!(["x"])), r#"[0]: expected nothing, found "x""#);
        assert_eq!(first(json!({"a": 1}), json!({})), "a: expected 1, found nothing");
        assert_eq!(first(json!({}), json!({"a": 1})), "a: expected nothing, found 1");
    }

    #[test]
    fn a_number_is_not_its_text_and_null_is_not_zero() {
        assert_eq!(first(json!(1), json!("1")), r#": expected 1, found "1""#);
        assert_eq!(first(json!(0), json!(null)), ": expected 0, found null");
    }
}
