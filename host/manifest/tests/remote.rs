//! Functions behind gateways: `{ remote = "https://…" }` where a component's name may stand.

mod common;

use common::{error, read, with};
use tallow_manifest::{Manifest, Source};

const PARSE: &str = r#"parse = "parse-market""#;
const KEYS: &str = r#"keys = ["symbol"]"#;

fn manifest(text: &str) -> Manifest {
    read(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The least manifest with this value of `parse`.
fn parse(value: &str) -> String {
    with(PARSE, &format!("parse = {value}"))
}

/// The same with this `function` of its window.
fn window(value: &str) -> String {
    with(KEYS, &format!("{KEYS}\nfunction = {value}"))
}

fn remote(manifest: &Manifest, url: &str) -> Option<String> {
    match &manifest.components[url].source {
        Source::Remote { url: known, token } => {
            assert_eq!(known, url);
            token.as_ref().map(|token| token.expose().to_owned())
        }
        other => panic!("{url} is {other:?}"),
    }
}

#[test]
fn a_remote_function_goes_by_its_address_and_keeps_its_token_to_itself() {
    let read = manifest(&parse(r#"{ remote = "https://a.example.com/v1/" }"#));
    assert_eq!(read.pipelines[0].parse, "https://a.example.com/v1");
    assert_eq!(remote(&read, "https://a.example.com/v1"), None);
    let read = manifest(&window(r#"{ remote = "https://b.example.com", token = "s3cret" }"#));
    assert_eq!(remote(&read, "https://b.example.com").as_deref(), Some("s3cret"));
    assert!(!format!("{read:?}").contains("s3cret"));
    assert_eq!(manifest(&parse(r#"{ component = "parse-market" }"#)).pipelines[0].parse, "parse-market");
}

#[test]
fn a_token_may_be_a_secret_variable() {
    let text = parse(r#"{ remote = "https://a.example.com", token = "{{ token }}" }"#);
    let text = text.replace("[variables]", "[variables]\ntoken = { default = \"s3cret\", secret = true }");
    let read = manifest(&text);
    assert_eq!(remote(&read, "https://a.example.com").as_deref(), Some("s3cret"));
    assert!(!format!("{read:?}").contains("s3cret"));
}

#[test]
fn what_is_wrong_with_a_remote_function_is_said() {
    for (text, part) in [
        (parse(r#"{ remote = "https://a", component = "parse-market" }"#), "remote"),
        (parse("{}"), "remote"),
        (parse(r#"{ remote = "a.example.com" }"#), "it begins with https:// or http://"),
        (parse(r#"{ remote = "https://me:pw@a.example.com" }"#), "`token`"),
        (parse(r#"{ remote = "https://a", tokn = "x" }"#), "did you mean `token`?"),
        (parse(r#"{ remote = "http://a.example.com", token = "x" }"#), "https only"),
        (window(r#"{ remote = "http://a.example.com", token = "x" }"#), "https only"),
    ] {
        let said = error(&text);
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
    manifest(&parse(r#"{ remote = "http://127.0.0.1:3000", token = "x" }"#));
}

#[test]
fn what_a_gateway_cannot_take_is_refused_before_anything_runs() {
    let large = |parse: &str| with(PARSE, &format!("parse = {parse}\nlimits = {{ batch-bytes = \"4MiB\" }}"));
    let said = error(&large(r#"{ remote = "https://a" }"#));
    assert!(said.contains("2MiB at most"), "{said}");
    manifest(&large(r#""parse-market""#));

    // Ten thousand windows take each row.
    let sliding = |function: &str, records: u32| {
        let sliding = format!("sliding = {{ size = \"10000s\", slide = \"1s\" }}\nfunction = {function}");
        let limits = format!("{PARSE}\nlimits = {{ batch-records = {records} }}");
        with(r#"tumbling = "1m""#, &sliding).replace(PARSE, &limits)
    };
    let far = r#"{ remote = "https://a" }"#;
    let said = error(&sliding(far, 501));
    assert!(said.contains("a row is in 10000 windows") && said.contains("500 or less"), "{said}");
    manifest(&sliding(far, 500));
    manifest(&sliding(r#""window""#, 501));
}
