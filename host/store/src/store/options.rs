//! Options of an object store, checked before the client sees them: what it takes for a URL or puts into a header as it
//! is makes it panic, at once or with the first request.

use std::collections::BTreeMap;

use url::Url;

/// Where an option was set, for messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Manifest,
    Environment,
}

/// Ends of the names of options that are URLs. (`use_fabric_endpoint` is none.)
const URLS: [&str; 9] = [
    "endpoint",
    "endpoint_url",
    "endpoint_url_s3",
    "endpoint_url_sts",
    "container_credentials_full_uri",
    "proxy_url",
    "authority_host",
    "fabric_token_service_url",
    "base_url",
];

/// Ends of the names of options that are texts of several lines, or paths of files.
const ANY_TEXT: [&str; 8] = [
    "proxy_ca_certificate",
    "service_account_key",
    "service_account",
    "service_account_path",
    "application_credentials",
    "token_file",
    "default_content_type",
    "user_agent",
];

/// Checks the options of the manifest, and those that the environment has for stores whose variables begin with `prefix`
/// (`AWS_`). `is_known`: whether an option of that name, in small letters, is one of that kind of store.
///
/// # Errors
/// Says which option is wrong, and what to write. No value is shown but a URL's, and of that no secret.
pub fn check(
    options: &BTreeMap<String, String>,
    environment: impl Iterator<Item = (String, String)>,
    prefix: &str,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), String> {
    for (name, value) in options {
        one(From::Manifest, name, value)?;
    }
    let set = |name: &str| options.keys().any(|option| same(option, name, prefix));
    for (name, value) in environment {
        if name.starts_with(prefix) && is_known(&name.to_ascii_lowercase()) && !set(&name) {
            one(From::Environment, &name, &value)?;
        }
    }
    Ok(())
}

fn same(option: &str, variable: &str, prefix: &str) -> bool {
    option.eq_ignore_ascii_case(variable)
        || variable.strip_prefix(prefix).is_some_and(|rest| option.eq_ignore_ascii_case(rest))
}

fn one(from: From, name: &str, value: &str) -> Result<(), String> {
    let what = match from {
        From::Manifest => format!("the store's option `{name}`"),
        From::Environment => format!("the environment's `{name}`, an option of the store,"),
    };
    let bare = name.to_ascii_lowercase();
    let is_one_of = |names: &[&str]| names.iter().any(|known| bare.ends_with(known));
    if value.is_empty() {
        let instead = if from == From::Manifest { "leave it out, or write a value" } else { "unset it" };
        return Err(format!("{what} is empty: {instead}"));
    }
    if is_one_of(&ANY_TEXT) {
        return Ok(());
    }
    if let Some(at) = value.bytes().position(|byte| !(b' '..=b'~').contains(&byte)) {
        let found = if value.as_bytes()[at] < b' ' {
            "a line end or another control character"
        } else {
            "a letter beyond ASCII"
        };
        return Err(format!("{what} has {found} at byte {at}, and cannot be sent so"));
    }
    match is_one_of(&URLS) && !bare.contains("use_") {
        true => url(value).map_err(|why| format!("{what} {why}")),
        false => Ok(()),
    }
}

fn url(value: &str) -> Result<(), String> {
    let wrong = |shown: &str| {
        format!(
            "is {shown}: write a URL with its scheme and host, as in `https://storage.example` or `http://localhost:9000`"
        )
    };
    let parsed = Url::parse(value).map_err(|_| wrong("no URL"))?;
    let has_host = parsed.host_str().is_some_and(|host| !host.is_empty());
    match (parsed.scheme(), has_host) {
        ("http" | "https", true) => Ok(()),
        ("http" | "https", false) => Err(wrong("a URL without a host")),
        _ => Err(wrong("no URL of `http:` or `https:`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, value: &str) -> String {
        let options = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        check(&options, std::iter::empty(), "AWS_", |_| true).err().unwrap_or_default()
    }

    #[test]
    fn an_endpoint_that_is_no_url_is_named_with_what_to_write() {
        for (value, why) in [
            ("", "is empty: leave it out, or write a value"),
            ("localhost:9000", "is no URL of `http:` or `https:`"),
            ("minio", "is no URL: write a URL with its scheme and host"),
            ("http://", "is no URL"),
            ("http:// x", "is no URL"),
            ("https://é", "has a letter beyond ASCII at byte 8"),
            ("ftp://host", "is no URL of `http:`"),
        ] {
            let found = checked("aws_endpoint", value);
            assert!(
                found.starts_with("the store's option `aws_endpoint` ") && found.contains(why),
                "{value}: {found}"
            );
        }
        assert_eq!(checked("aws_endpoint", "http://localhost:9000"), "");
        assert_eq!(checked("AWS_ENDPOINT_URL_S3", "https://user:secret@host/path"), "");
    }

    #[test]
    fn a_secret_with_a_line_end_is_refused_and_not_shown() {
        let found = checked("secret_access_key", "hunter2\n");
        assert!(
            found.contains("`secret_access_key` has a line end") && !found.contains("hunter2"),
            "{found}"
        );
        assert_eq!(checked("google_service_account_key", "{\n}"), "");
    }

    #[test]
    fn the_environment_is_checked_where_the_manifest_says_nothing_else() {
        let environment = || {
            [("AWS_ENDPOINT_URL", "nowhere"), ("AWS_PROFILE", ""), ("HOME", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
        };
        let known = |name: &str| name != "aws_profile";
        let found = check(&BTreeMap::new(), environment(), "AWS_", known).unwrap_err();
        assert!(
            found.starts_with("the environment's `AWS_ENDPOINT_URL`, an option of the store, is no URL"),
            "{found}"
        );
        let options = BTreeMap::from([("endpoint_url".to_owned(), "http://here".to_owned())]);
        assert_eq!(check(&options, environment(), "AWS_", known), Ok(()));
    }
}
