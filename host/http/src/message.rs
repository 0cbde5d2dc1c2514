//! What is asked, and what comes back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use url::form_urlencoded;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// Absolute, `http` or `https`, without credentials.
    pub url: String,
    /// Name and value, in order.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: Method::Get, url: url.into(), headers: Vec::new(), body: Bytes::new() }
    }

    /// For a path and a query (names and values, not encoded) after a base URL.
    pub fn at(method: Method, base_url: &str, path: &str, query: &[(String, String)]) -> Self {
        let mut url = format!("{base_url}{path}");
        if !query.is_empty() {
            let mut encoded = form_urlencoded::Serializer::new(String::new());
            encoded.extend_pairs(query);
            url.push('?');
            url.push_str(&encoded.finish());
        }
        Self { method, ..Self::get(url) }
    }

    pub fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self { method: Method::Post, url: url.into(), headers: Vec::new(), body: body.into() }
    }

    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case, in the server's order; what is not UTF-8 in a value is replaced.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Response {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The headers for a function, which has no clock: a date in `Retry-After` becomes the seconds until then.
    pub fn headers_in_seconds(&self, now_us: i64) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        let asked = headers.iter_mut().find(|(name, _)| name == "retry-after");
        if let Some((_, asked)) = asked
            && let Some(wait) = self.retry_after(now_us)
        {
            *asked = wait.as_micros().div_ceil(1_000_000).to_string();
        }
        headers
    }

    /// How long the server asks to wait (`Retry-After`, RFC 9110): seconds, or a date, which counts from the date that
    /// the server gave the answer (`Date`), so that its clock and ours need not agree; from `now_us` where it gave
    /// none (µs since 1970-01-01 UTC). A date in the past is no wait; `None` if there is no such header, or one that is
    /// neither.
    pub fn retry_after(&self, now_us: i64) -> Option<Duration> {
        let asked = self.header("retry-after")?.trim();
        if let Ok(seconds) = asked.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let until = since_1970(asked)?;
        let now = self.header("date").and_then(since_1970);
        let now = now.unwrap_or_else(|| Duration::from_micros(now_us.max(0).unsigned_abs()));
        Some(until.saturating_sub(now))
    }
}

/// An HTTP date, in any of the three forms that RFC 9110 has servers write or used to write.
fn since_1970(date: &str) -> Option<Duration> {
    let date: SystemTime = httpdate::parse_http_date(date.trim()).ok()?;
    date.duration_since(UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an answer with these headers at 2024-08-09 00:00:00 UTC by our clock, s.
    fn asked(headers: &[(&str, &str)]) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response { status: 429, headers, body: Bytes::new() };
        response.retry_after(1_723_161_600_000_000).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_given_in_seconds_or_as_a_date_of_any_form() {
        for (value, seconds) in [
            ("0", 0),
            (" 120 ", 120),
            ("Fri, 09 Aug 2024 00:00:30 GMT", 30),
            ("Friday, 09-Aug-24 00:01:00 GMT", 60),
            ("Fri Aug  9 00:02:00 2024", 120),
            ("Thu, 08 Aug 2024 23:59:59 GMT", 0),
        ] {
            assert_eq!(asked(&[("retry-after", value)]), Some(seconds), "{value}");
        }
    }

    #[test]
    fn a_date_counts_from_the_servers_own_clock_where_it_tells_that() {
        let until = ("retry-after", "Fri, 09 Aug 2024 10:00:30 GMT");
        // Ten hours ahead of ours.
        assert_eq!(asked(&[until, ("date", "Fri, 09 Aug 2024 10:00:00 GMT")]), Some(30));
        assert_eq!(asked(&[until, ("date", "nonsense")]), Some(36_030));
        assert_eq!(asked(&[("retry-after", "30"), ("date", "Fri, 09 Aug 2024 10:00:00 GMT")]), Some(30));
    }

    #[test]
    fn what_is_neither_asks_for_nothing() {
        for nonsense in [
            "",
            "soon",
            "-5",
            "1.5",
            "99999999999999999999",
            "Fri, 32 Aug 2024 00:00:30 GMT",
            "2024-08-09T00:00:30Z",
        ] {
            assert_eq!(asked(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
        assert_eq!(asked(&[]), None);
    }
}
