//! Counts by reason, as people are shown them.

use std::collections::BTreeMap;

/// Reasons told apart; further ones share a line, so that hostile data cannot fill the memory.
const MOST: usize = 50;
const OTHER: &str = "other reasons";

/// Counts one under a reason, its details left out. Gives the reason that it is counted under, if that is new.
pub fn count(reasons: &mut BTreeMap<String, u64>, reason: &str) -> Option<String> {
    if let Some(known) = reasons.get_mut(reason) {
        *known += 1;
        return None;
    }
    add(reasons, &without_details(reason), 1)
}

/// Adds to the count of a reason without details. Gives the reason that it is counted under, if that is new.
pub fn add(reasons: &mut BTreeMap<String, u64>, reason: &str, count: u64) -> Option<String> {
    let known = reasons.len() < MOST || reasons.contains_key(reason);
    let reason = if known { reason } else { OTHER };
    let is_new = !reasons.contains_key(reason);
    *reasons.entry(reason.to_owned()).or_default() += count;
    is_new.then(|| reason.to_owned())
}

/// A reason without what differs from record to record, so that counts of it mean something: numbers become `N`,
/// quoted text `"…"`.
pub fn without_details(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    for (index, part) in reason.split('"').enumerate() {
        if index % 2 == 1 {
            out.push_str("\"…\"");
            continue;
        }
        for word in part.split_inclusive(' ') {
            let number = word.trim_end().trim_matches(|letter: char| !letter.is_ascii_digit());
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let starts = word.starts_with(|letter: char| letter.is_ascii_digit());
            out.push_str(&if is_number && starts { word.replacen(number, "N", 1) } else { word.to_owned() });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_differ_in_details_are_counted_together() {
        let mut reasons = BTreeMap::new();
        let new = ["JSON: EOF at byte 34", "JSON: EOF at byte 9", "price: not a decimal: \"abc\""]
            .map(|reason| count(&mut reasons, reason));
        assert_eq!(new[0].as_deref(), Some("JSON: EOF at byte N"));
        assert_eq!((&new[1], reasons["JSON: EOF at byte N"]), (&None, 2));
        assert_eq!(reasons["price: not a decimal: \"…\""], 1);
        assert_eq!(without_details("not UTF-8 at byte 12"), "not UTF-8 at byte N");
    }

    #[test]
    fn hostile_reasons_do_not_fill_the_memory() {
        let mut reasons = BTreeMap::new();
        for number in 0..1000u32 {
            let letters: String = format!("{number:04}").bytes().map(|digit| (digit + 49) as char).collect();
            count(&mut reasons, &letters);
        }
        assert_eq!((reasons.len(), reasons[OTHER]), (MOST + 1, 1000 - MOST as u64));
    }
}
