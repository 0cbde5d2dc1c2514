//! Which letters are wanted.

use std::ops::RangeInclusive;

use tallow_sink::DeadLetter;

/// What is `None` lets every letter through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A kind of reason (`rejected`), or a part of the reason's text.
    pub reason: Option<String>,
    /// Kafka's timestamp is not before this, µs. A record without one is let through: when it came is not known.
    pub since_us: Option<i64>,
    pub topic: Option<String>,
    pub partition: Option<i32>,
    pub offsets: Option<RangeInclusive<i64>>,
}

impl Filter {
    pub fn takes(&self, letter: &DeadLetter) -> bool {
        let place = &letter.place;
        let reason =
            |wanted: &String| letter.kind.as_str() == wanted || letter.reason.contains(wanted.as_str());
        let since = |since_us: &i64| letter.timestamp_us == -1 || letter.timestamp_us >= *since_us;
        self.reason.as_ref().is_none_or(reason)
            && self.since_us.as_ref().is_none_or(since)
            && self.topic.as_ref().is_none_or(|topic| **topic == *place.topic)
            && self.partition.is_none_or(|partition| partition == place.partition)
            && self.offsets.as_ref().is_none_or(|offsets| offsets.contains(&place.offset))
    }
}

#[cfg(test)]
mod tests {
    use tallow_record::Place;
    use tallow_sink::ReasonKind;

    use super::*;

    #[test]
    fn each_part_of_a_filter_leaves_letters_out() {
        let letter = DeadLetter {
            place: Place { topic: "trades".into(), partition: 1, offset: 7 },
            timestamp_us: 50,
            key: None,
            value: None,
            headers: vec![],
            kind: ReasonKind::Rejected,
            reason: "price: not a decimal".to_owned(),
            window: None,
            row: None,
        };
        let text = |text: &str| Some(text.to_owned());
        for (filter, takes) in [
            (Filter::default(), true),
            (Filter { reason: text("rejected"), ..Filter::default() }, true),
            (Filter { reason: text("not a decimal"), ..Filter::default() }, true),
            (Filter { reason: text("reject"), ..Filter::default() }, false),
            (Filter { reason: text("trap"), ..Filter::default() }, false),
            (Filter { since_us: Some(50), ..Filter::default() }, true),
            (Filter { since_us: Some(51), ..Filter::default() }, false),
            (Filter { topic: text("trades"), partition: Some(1), ..Filter::default() }, true),
            (Filter { topic: text("trade"), ..Filter::default() }, false),
            (Filter { partition: Some(0), ..Filter::default() }, false),
            (Filter { offsets: Some(7..=7), ..Filter::default() }, true),
            (Filter { offsets: Some(0..=6), ..Filter::default() }, false),
        ] {
            assert_eq!(filter.takes(&letter), takes, "{filter:?}");
        }
        let untimed = DeadLetter { timestamp_us: -1, ..letter };
        assert!(Filter { since_us: Some(51), ..Filter::default() }.takes(&untimed));
    }
}
