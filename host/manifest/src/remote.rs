//! `{ remote = "https://…" }`: a function behind a gateway.

use crate::error::Problem;
use crate::forms::{COMPONENT, Form};
use crate::secret::Secret;
use crate::table::{Rule, only, table};
use crate::{schema_pieces, values};

table! {
    /// Where a function is, written as a table.
    pub(crate) struct FunctionPlace in "parse = { … }, and function = { … } of a window",
        "Where the function is: exactly one of `component` and `remote`.";
    rule Rule::ExactlyOne(&["component", "remote"]);
    fn read(reader, report);

    "A component of this manifest."
    pub component: Option<String> = key("component", COMPONENT, none("`remote` says it"));

    "A gateway that runs the function. Batches and state go there and come back. docs/platforms.md says what that costs."
    pub remote: Option<String> = key("remote", GATEWAY, none("`component` says it"));

    "What the gateway, or a proxy before it, expects as `Authorization: Bearer`."
    pub token: Option<Secret> =
        key("token", Form::new("a string", schema_pieces::text, values::secret), none("none is sent"));
}

const GATEWAY: Form<String> = Form::parsed(
    "an address, `https://host`",
    || schema_pieces::matching("https?://.+"),
    "a gateway's address, https://host",
    address,
);

/// The name of a function: a component's, or the address of its gateway.
pub(crate) const FUNCTION: Form<String> = Form::new(
    "a component's name",
    || schema_pieces::either([schema_pieces::text(), FunctionPlace::declaration().schema()]),
    |node, report| {
        if node.as_table().is_none() {
            return values::text(node, report);
        }
        let place = FunctionPlace::read(node, report)?;
        let remote = node.find(&["remote"]).zip(place.remote.as_ref());
        if let Some((node, url)) = remote
            && place.token.is_some()
            && url.starts_with("http://")
            && !is_loopback(url)
        {
            return report.refuse(node, "a `token` goes over https only: anybody on the way could read it");
        }
        only([Some(place.component), Some(place.remote)])
    },
);

/// Scheme, host and path of a gateway, without a slash at the end.
pub(crate) fn address(text: &str) -> Result<String, Problem> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or("it begins with https:// or http://")?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("it has no host".into());
    }
    if host.contains('@') {
        return Err("no user name in it: write `token` beside it".into());
    }
    if text.contains(['?', '#']) || text.contains(char::is_whitespace) {
        return Err("it ends with a host or a path; no query".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

pub(crate) fn is_loopback(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_nothing_that_must_not_be_logged() {
        assert_eq!(address("https://candles.example.com/").unwrap(), "https://candles.example.com");
        assert_eq!(address("http://gateway:3000/v1").unwrap(), "http://gateway:3000/v1");
        for wrong in
            ["candles.example.com", "ftp://a", "https://", "https://:3000", "https://u:p@a", "https://a?k=v"]
        {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn loopback_is_told_from_hosts_that_are_called_alike() {
        assert!(is_loopback("http://127.0.0.1:3000") && is_loopback("http://localhost/x"));
        assert!(is_loopback("http://[::1]:80"));
        assert!(!is_loopback("http://localhost.example.com") && !is_loopback("http://127.0.0.10"));
    }
}
