//! Which origins may be talked to.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Scheme, host and port: what a request goes to, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// Why a text or URL names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    #[error("`{0}:` is not HTTP; write https://host or http://host")]
    Scheme(String),
    #[error("credentials do not belong in a URL")]
    Credentials,
    #[error("the host is missing")]
    NoHost,
    #[error("write a host without a path")]
    Path,
    #[error(transparent)]
    Url(#[from] url::ParseError),
}

impl Origin {
    /// Of an absolute URL.
    pub fn of(url: &Url) -> Result<Self, OriginError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OriginError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::Credentials);
        }
        // Both are there in every `http` URL.
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(OriginError::NoHost);
        };
        // `a.` and `a` are one host.
        let host = match host {
            Host::Domain(name) => name.trim_end_matches('.').to_owned(),
            address => address.to_string(),
        };
        Ok(Self { scheme: url.scheme().to_owned(), host, port })
    }

    /// As a URL writes it: IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// `https://host`, `https://host:port`, `host` or `host:port` (`https` is meant).
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole)?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError::Path);
        }
        Self::of(&url)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        let usual = if self.scheme == "https" { 443 } else { 80 };
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// The origins that may be talked to. Every other one is refused, by whatever way a request comes to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    /// Whether the origin may be at an internal address.
    origins: BTreeMap<Origin, bool>,
}

impl AllowList {
    /// Adds an origin that is on the public Internet.
    pub fn public(mut self, origin: Origin) -> Self {
        self.origins.entry(origin).or_insert(false);
        self
    }

    /// Adds an origin that may be on this machine or in its network.
    pub fn internal(mut self, origin: Origin) -> Self {
        self.origins.insert(origin, true);
        self
    }

    /// Whether the origin may be at an internal address; `None` if it may not be talked to at all.
    pub(crate) fn find(&self, origin: &Origin) -> Option<bool> {
        self.origins.get(origin).copied()
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.origins.keys().map(Origin::to_string).collect();
        f.write_str(&if names.is_empty() { "none".to_owned() } else { names.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<String, OriginError> {
        text.parse::<Origin>().map(|origin| origin.to_string())
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_however_it_is_written() {
        for (text, shown) in [
            ("api.example.com", "https://api.example.com"),
            ("API.example.com:443", "https://api.example.com"),
            ("https://api.example.com./", "https://api.example.com"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://0x7f.1", "http://127.0.0.1"),
            ("http://2130706433:81", "http://127.0.0.1:81"),
            ("http://[0:0::1]", "http://[::1]"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(shown), "{text}");
        }
        for wrong in
            ["", "file:///etc/passwd", "ftp://host", "https://u:p@host", "https://host/path", "host?x=1"]
        {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_scheme_or_port_is_another_origin() {
        let allow = AllowList::default().public("https://a.example".parse().unwrap());
        for (text, found) in [
            ("https://a.example:443", Some(false)),
            ("http://a.example", None),
            ("https://a.example:8443", None),
            ("https://b.a.example", None),
        ] {
            assert_eq!(allow.find(&text.parse().unwrap()), found, "{text}");
        }
    }
}
