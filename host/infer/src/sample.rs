//! A sample of messages.

use parse_base::json::{Scanner, Value, array};

use crate::place::Place;

/// Broken messages that are named.
const NAMED: usize = 5;

/// What was seen of messages so far.
#[derive(Debug, Default)]
pub struct Sample {
    pub(crate) root: Place,
    pub(crate) messages: u64,
    pub(crate) broken: u64,
    /// The first broken messages, by number, with what is wrong.
    pub(crate) named: Vec<(u64, String)>,
}

impl Sample {
    /// Looks at a message; what is no JSON object or array is counted as broken.
    pub fn see(&mut self, message: &[u8]) {
        self.messages += 1;
        match whole(message) {
            Ok(value) => self.root.see(value, 0),
            Err(why) => {
                self.broken += 1;
                if self.named.len() < NAMED {
                    self.named.push((self.messages, why));
                }
            }
        }
    }

    /// What is wrong with the first broken message.
    pub fn first_fault(&self) -> Option<&str> {
        self.named.first().map(|(_, why)| why.as_str())
    }

    /// Whether any message could be read.
    pub fn is_empty(&self) -> bool {
        self.root.objects + self.root.arrays == 0
    }
}

/// The messages of a file: its lines, the items of one array, or one object over many lines.
pub fn messages(text: &[u8]) -> Vec<&[u8]> {
    let lines = || text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    if lines().next().is_some_and(|first| whole(first).is_err())
        && let Ok(value) = whole(text.trim_ascii())
    {
        return match array(value.0) {
            Ok(items) => items.into_iter().map(|item| item.0).collect(),
            Err(_) => vec![value.0],
        };
    }
    lines().collect()
}

fn whole(message: &[u8]) -> Result<Value<'_>, String> {
    if std::str::from_utf8(message).is_err() {
        return Err("not UTF-8".to_owned());
    }
    let mut scanner = Scanner::new(message);
    let value = scanner.value().and_then(|value| scanner.end().map(|()| Value(value)));
    match value {
        Some(value) if value.is_object() || value.is_array() => Ok(value),
        Some(_) => Err("neither an object nor an array".to_owned()),
        None => Err(scanner.fault().reason().to_owned()),
    }
}
