//! Which topics a source reads.

use regex::Regex;

use crate::SourceError;

/// Topics by name, or by a regular expression that has to match the whole name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    Names(Vec<String>),
    Pattern(String),
}

/// [`Topics`], checked.
#[derive(Debug)]
pub enum Chosen {
    Names(Vec<String>),
    Pattern(Regex),
}

impl Chosen {
    pub fn new(topics: &Topics) -> Result<Self, SourceError> {
        match topics {
            Topics::Names(names) => {
                let mut names = names.clone();
                names.sort();
                names.dedup();
                Ok(Self::Names(names))
            }
            Topics::Pattern(pattern) => {
                Regex::new(&format!("^(?:{pattern})$")).map(Self::Pattern).map_err(|error| {
                    SourceError::Other(format!("topic pattern `{pattern}` is no regular expression: {error}"))
                })
            }
        }
    }

    /// Whether a pattern takes the topic. Kafka's own topics (`__consumer_offsets` …) have to be named.
    pub fn matches(pattern: &Regex, topic: &str) -> bool {
        !topic.starts_with("__") && pattern.is_match(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(pattern: &str, topic: &str) -> bool {
        match Chosen::new(&Topics::Pattern(pattern.to_owned())).unwrap() {
            Chosen::Pattern(pattern) => Chosen::matches(&pattern, topic),
            Chosen::Names(_) => unreachable!(),
        }
    }

    #[test]
    fn a_pattern_has_to_match_the_whole_name() {
        assert!(takes("trades-.*", "trades-btc"));
        assert!(!takes("trades", "trades-btc"));
        assert!(!takes("b|trades", "trades-b"));
    }

    #[test]
    fn a_pattern_never_takes_kafkas_own_topics() {
        assert!(!takes(".*", "__consumer_offsets"));
    }

    #[test]
    fn a_broken_pattern_is_named() {
        let error = Chosen::new(&Topics::Pattern("trades(".to_owned())).unwrap_err().to_string();
        assert!(error.contains("`trades(`"), "{error}");
    }
}
