//! `{data_id, name, timestamp}`: what a scheduler sends each minute, one message per name.

use crate::Message;

/// Names, numbered from 1.
const NAMES: [&str; 4] = ["BTC", "ETH", "DOT", "BTT"];
const MINUTE_S: i64 = 60;
const SECOND_US: i64 = 1_000_000;

/// Four messages a minute without an end, a second apart, each to be sent at its timestamp.
#[derive(Clone, Debug)]
pub struct DataIds {
    /// Messages since 1970.
    next: i64,
}

impl DataIds {
    /// From the last message whose time is not after `from_us` (µs since 1970-01-01 UTC).
    pub fn from(from_us: i64) -> Self {
        let (names, second) = (NAMES.len() as i64, from_us.div_euclid(SECOND_US));
        let (minute, within) = (second.div_euclid(MINUTE_S), second.rem_euclid(MINUTE_S));
        Self { next: minute * names + within.min(names - 1) }
    }
}

impl Iterator for DataIds {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let names = NAMES.len() as i64;
        let (minute, index) = (self.next.div_euclid(names), self.next.rem_euclid(names));
        self.next += 1;
        let (name, second) = (NAMES[index as usize], minute * MINUTE_S + index);
        let value = format!(r#"{{"data_id":{},"name":"{name}","timestamp":{second}}}"#, index + 1);
        let at_us = Some(second * SECOND_US);
        let value = value.into_bytes();
        Some(Message { key: Some(name.into()), value, event_us: at_us, due_us: at_us, ..Message::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(from_s: i64, count: usize) -> Vec<String> {
        let messages = DataIds::from(from_s * SECOND_US).take(count);
        messages.map(|message| String::from_utf8(message.value).unwrap()).collect()
    }

    #[test]
    fn four_names_a_minute_each_at_its_second() {
        let all = texts(1_704_067_200, 5);
        assert_eq!(all[0], r#"{"data_id":1,"name":"BTC","timestamp":1704067200}"#);
        assert_eq!(all[3], r#"{"data_id":4,"name":"BTT","timestamp":1704067203}"#);
        assert_eq!(all[4], r#"{"data_id":1,"name":"BTC","timestamp":1704067260}"#);
    }

    #[test]
    fn it_begins_with_the_last_message_that_is_due() {
        for (from, first) in [(1_704_067_201, "1704067201"), (1_704_067_259, "1704067203"), (-1, "-57")] {
            assert!(texts(from, 1)[0].contains(&format!(":{first}}}")), "{from}");
        }
    }
}
