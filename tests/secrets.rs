//! What came from a secret variable is shown nowhere, whatever repeats it.

#![allow(clippy::unwrap_used)]

use tallow_tests::stream::Stream;
use tallow_tests::tallow;

const HIDDEN: &str = "hunter2/\"zebra";

/// What a run says, by a manifest with that line among the client's settings or the lake's options.
fn said(table: &str, line: &str, lake: Option<&str>) -> String {
    let stream = Stream::in_memory();
    stream.edit("[variables]", "[variables]\npw = { required = true, secret = true }");
    stream.edit(
        "[[trigger.kafka]]",
        &format!("[application.trigger.kafka.{table}]\n{line}\n[[trigger.kafka]]"),
    );
    let manifest = stream.manifest().display().to_string();
    let brokers = stream.brokers.clone();
    let lake = lake.map_or_else(|| stream.lake().display().to_string(), str::to_owned);
    let mut all = String::new();
    for log in ["text", "json"] {
        let up = ["--log", log, "--log-filter", "trace", "up", "--available-now", "-f", &manifest];
        let up: Vec<&str> = up.into_iter().chain(["--brokers", &brokers, "--lake", &lake]).collect();
        let finished = tallow::run_with(&[("SPIN_VARIABLE_PW", HIDDEN)], &up);
        assert!(!finished.status.success(), "{line} is refused: {finished:?}");
        all += &format!("{}\n{}\n", finished.stdout, finished.stderr);
    }
    all
}

#[test]
fn a_secret_under_a_misspelt_or_wrong_setting_is_not_shown() {
    for line in [
        r#""sasl.pasword" = "{{ pw }}""#,
        r#""linger.ms" = "{{ pw }}""#,
        r#""security.protocol" = "x{{ pw }}y""#,
        "\"security.protocol\" = \"ssl\"\n\"ssl.ca.location\" = \"/nowhere/{{ pw }}\"",
        "debug = \"all\"\n\"security.protocol\" = \"sasl_plaintext\"\n\"sasl.mechanisms\" = \"{{ pw }}\"",
    ] {
        let said = said("client", line, None);
        assert!(!said.contains("hunter2") && !said.contains("zebra"), "{line}: {said}");
    }
    assert!(said("client", r#""sasl.pasword" = "{{ pw }}""#, None).contains("sasl.pasword"));
}

#[test]
fn a_secret_among_the_lakes_options_is_not_shown() {
    for line in
        [r#"aws_conditional_put = "{{ pw }}""#, r#"allow_http = "{{ pw }}""#, r#"aws_acces_key = "{{ pw }}""#]
    {
        let line = format!("aws_access_key_id = \"x\"\naws_secret_access_key = \"y\"\n{line}");
        let said = said("lake-options", &line, Some("s3://bucket/x"));
        assert!(!said.contains("hunter2") && !said.contains("zebra"), "{line}: {said}");
    }
}
