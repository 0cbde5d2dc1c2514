//! The ledger as `tallow status --json` shows it, added up again.

use std::collections::BTreeMap;

use serde_json::Value;

/// Counts by partition, and by window definition.
#[derive(Debug)]
pub struct Ledger {
    partitions: BTreeMap<String, Value>,
    windows: BTreeMap<String, Value>,
}

impl Ledger {
    /// The ledger of the only pipeline in what `tallow status --json` printed.
    pub fn of(status: &str) -> Self {
        let status: Value = serde_json::from_str(status).unwrap_or_else(|error| panic!("{error}: {status}"));
        let ledger = find(&status).unwrap_or_else(|| panic!("no ledger in {status}"));
        let windows = ledger["windows"].as_object().unwrap_or_else(|| panic!("no windows in {ledger}"));
        let partitions =
            ledger["partitions"].as_array().unwrap_or_else(|| panic!("no partitions in {ledger}"));
        let name = |counts: &Value| format!("{}/{}", counts["topic"], counts["partition"]);
        Self {
            partitions: partitions.iter().map(|counts| (name(counts), counts.clone())).collect(),
            windows: windows.iter().map(|(name, counts)| (name.clone(), counts.clone())).collect(),
        }
    }

    /// Fails unless both identities hold: of every partition's records, and of every window's assignments.
    pub fn assert_balanced(&self) {
        for (partition, counts) in &self.partitions {
            let parts = ["with_rows", "ignored", "rejected", "set_aside"];
            assert_eq!(number(&counts["records"]), sum(counts, &parts), "{partition}: {counts}");
        }
        for (window, counts) in &self.windows {
            let parts = ["closed", "open", "late", "duplicate", "conflict"];
            assert_eq!(number(&counts["assignments"]), sum(counts, &parts), "{window}: {counts}");
        }
    }

    pub fn records(&self) -> u64 {
        self.partitions.values().map(|counts| number(&counts["records"])).sum()
    }

    pub fn with_rows(&self) -> u64 {
        self.partitions.values().map(|counts| number(&counts["with_rows"])).sum()
    }

    pub fn assignments(&self, window: &str) -> u64 {
        number(&self.windows.get(window).unwrap_or_else(|| panic!("no window {window}"))["assignments"])
    }
}

fn find(value: &Value) -> Option<&Value> {
    match value {
        Value::Object(map) => map.get("ledger").or_else(|| map.values().find_map(find)),
        Value::Array(items) => items.iter().find_map(find),
        _ => None,
    }
}

fn sum(counts: &Value, parts: &[&str]) -> u64 {
    parts.iter().map(|part| number(&counts[*part])).sum()
}

/// A count, or the sum of counts by reason.
fn number(value: &Value) -> u64 {
    match value {
        Value::Object(reasons) => reasons.values().map(number).sum(),
        _ => value.as_u64().unwrap_or_else(|| panic!("{value} is not a count")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(rejected: u64) -> String {
        format!(
            r#"[{{"ledger":{{"partitions":[{{"topic":"t","partition":0,"records":9,"with_rows":4,
            "ignored":{{"a":1,"b":2}},"rejected":{rejected},"set_aside":{{}}}}],"windows":{{}}}}}}]"#
        )
    }

    #[test]
    fn reasons_are_added_up() {
        let ledger = Ledger::of(&status(2));
        ledger.assert_balanced();
        assert_eq!((ledger.records(), ledger.with_rows()), (9, 4));
    }

    #[test]
    #[should_panic(expected = "\"t\"/0")]
    fn a_record_that_is_unaccounted_for_is_seen() {
        Ledger::of(&status(1)).assert_balanced();
    }
}
