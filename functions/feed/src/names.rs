//! The symbols and streams of a subscription, found by name.

use std::collections::BTreeMap;

use crate::{Refusal, Series, Subscription, refuse};

/// Where each symbol and stream is in a subscription.
pub struct Names<'a> {
    symbols: BTreeMap<&'a str, u32>,
    streams: BTreeMap<&'a str, u32>,
}

impl<'a> Names<'a> {
    pub fn new(subscription: &'a Subscription) -> Self {
        let index =
            |names: &'a [String]| (0..).zip(names).map(|(index, name)| (name.as_str(), index)).collect();
        Self { symbols: index(&subscription.symbols), streams: index(&subscription.streams) }
    }

    /// The series of a symbol and a stream, if it is subscribed to.
    pub fn series(&self, symbol: &str, stream: &str) -> Option<Series> {
        Some(Series { symbol: *self.symbols.get(symbol)?, stream: *self.streams.get(stream)? })
    }

    /// Whether a stream is subscribed to.
    pub fn has_stream(&self, stream: &str) -> bool {
        self.streams.contains_key(stream)
    }
}

/// Whether a subscription can be one at all: it has symbols and streams, each once, in letters that lead out of no path.
pub fn check(subscription: &Subscription, settings: &[&str]) -> Result<(), Refusal> {
    let Subscription { symbols, streams, .. } = subscription;
    for (what, names) in [("symbol", symbols), ("stream", streams)] {
        if names.is_empty() {
            refuse!("name at least one {what}");
        }
        for (index, name) in names.iter().enumerate() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
                refuse!("`{}` is not a {what}", name.escape_default());
            }
            if names[..index].contains(name) {
                refuse!("the {what} `{name}` is there twice");
            }
        }
    }
    if let Some((name, _)) = subscription.settings.iter().find(|(name, _)| !settings.contains(&name.as_str()))
    {
        let known = if settings.is_empty() { "none".to_owned() } else { settings.join(", ") };
        refuse!("there is no setting `{name}`; there are: {known}");
    }
    Ok(())
}
