//! Secrets are passed on and never shown.

mod common;

use common::{MINIMAL, read, read_with, with};
use proptest::prelude::*;
use tallow_manifest::{Overrides, Setting};

const HIDDEN: &str = "hunter2zebra";

fn with_secrets() -> String {
    with("[variables]", &format!("[variables]\npw = {{ default = \"{HIDDEN}\", secret = true }}")).replace(
        "[[trigger.kafka]]",
        &format!(
            "[application.trigger.kafka.client]\n\"sasl.username\" = \"{{{{ pw }}}}\"\n\
             \"ssl.key.password\" = \"plain-{HIDDEN}\"\n\"client.id\" = \"tallow\"\n\
             [application.trigger.kafka.lake-options]\naws_secret_access_key = \"{{{{ pw }}}}\"\n\
             [[trigger.kafka]]"
        ),
    )
}

#[test]
fn settings_from_secret_variables_and_of_secret_names_print_as_stars() {
    let manifest = read(&with_secrets()).unwrap();
    let client = &manifest.kafka.client;
    assert_eq!(client["sasl.username"].expose(), HIDDEN);
    assert_eq!(client["ssl.key.password"].expose(), format!("plain-{HIDDEN}"));
    assert_eq!(client["client.id"], Setting::Plain("tallow".to_owned()));
    assert!(client["sasl.username"].is_secret() && client["ssl.key.password"].is_secret());
    assert_eq!(format!("{:?}", client["sasl.username"]), "Secret(***)");
    let printed = format!("{manifest:?} {manifest:#?}");
    assert!(!printed.contains(HIDDEN) && printed.contains("***"));
}

#[test]
fn a_secret_from_the_environment_is_as_secret_as_a_default() {
    let env = [("SPIN_VARIABLE_PW", "other-zebra")];
    let manifest = read_with(&with_secrets(), &env, &Overrides::default()).unwrap();
    assert_eq!(manifest.kafka.lake_options["aws_secret_access_key"].expose(), "other-zebra");
    assert!(!format!("{manifest:?}").contains("zebra"));
}

#[test]
fn a_secret_variable_is_refused_wherever_its_value_would_be_shown() {
    for key in ["topic", "parse", "delay", "on-reject"] {
        let line = if key == "topic" { "topic = \"trades\"" } else { "parse = \"parse-market\"" };
        let by = match key {
            "topic" | "parse" => format!("{key} = \"{{{{ pw }}}}\""),
            _ => format!("{line}\n{key} = \"{{{{ pw }}}}\""),
        };
        let text = with_secrets().replace(line, &by);
        let errors = read(&text).unwrap_err().to_string();
        assert!(errors.contains("a secret variable cannot be used here"), "{key}: {errors}");
        assert!(!errors.contains(HIDDEN), "{errors}");
    }
}

#[test]
fn a_secret_is_hidden_in_whatever_text_it_turns_up() {
    const AWKWARD: &str = "p\"w/zé+1";
    let text = with_secrets().replace(&format!("default = \"{HIDDEN}\""), r#"default = 'p"w/zé+1'"#);
    let secrets = read(&text).unwrap().secrets;
    for told in [
        format!("No such property: \"sasl.pasword\" (value `{AWKWARD}`)"),
        format!("{:?}", Some(AWKWARD)),
        serde_json::json!({ "why": AWKWARD }).to_string(),
        "PUT https://bucket/x?X-Amz-Credential=p%22w%2Fz%C3%A9%2B1".to_owned(),
        format!("plain-{HIDDEN}, which a name tells of"),
    ] {
        let hidden = secrets.hide(&told);
        assert!(hidden.contains("***") && !hidden.contains("w/z") && !hidden.contains("zebra"), "{hidden}");
        assert!(!hidden.contains("%2Fz"), "{hidden}");
    }
    assert_eq!(secrets.hide("nothing of it"), "nothing of it");
    assert_eq!(format!("{secrets:?}"), "***");
}

#[test]
fn a_secret_of_a_few_letters_does_not_hide_ordinary_words() {
    let text = with_secrets().replace(&format!("default = \"{HIDDEN}\""), "default = \"an\"");
    let secrets = read(&text).unwrap().secrets;
    assert_eq!(secrets.hide("candles: value \"an\" and `an`"), "candles: value *** and ***");
}

#[test]
fn each_line_of_a_key_is_a_secret_and_the_longest_one_goes_first() {
    let key = "-----BEGIN KEY-----\\nMIIEabcd\\nMIIEabcdefgh\\n-----END KEY-----";
    let text = with_secrets().replace(&format!("default = \"{HIDDEN}\""), &format!("default = \"{key}\""));
    let secrets = read(&text).unwrap().secrets;
    assert_eq!(secrets.hide("line 3: MIIEabcdefgh, line 2: MIIEabcd"), "line 3: ***, line 2: ***");
}

#[test]
fn credentials_in_the_lakes_url_are_refused_without_repeating_them() {
    let errors =
        read(&with("lake = \"lake\"", &format!("lake = \"s3://key:{HIDDEN}@bucket/x\""))).unwrap_err();
    assert!(errors.to_string().contains("credentials do not belong in the URL"));
    assert!(!errors.to_string().contains(HIDDEN), "{errors}");
}

#[test]
fn the_digest_does_not_depend_on_secrets() {
    let digest = |text: &str| read(text).unwrap().pipelines[0].digest;
    assert_eq!(digest(&with_secrets()), digest(MINIMAL));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// A slip of the pen anywhere around a secret: whatever is said about it does not say the secret.
    #[test]
    fn no_slip_of_the_pen_makes_an_error_show_a_secret(
        at in 0usize..2000,
        slip in prop::sample::select(vec!["", "\"", "=", "[", "{", "}", "#", "\n", "x", "'", "{{", "1"]),
        cut in 0usize..2,
    ) {
        let text = with_secrets();
        let at = at % text.len();
        let broken = format!("{}{slip}{}", &text[..at], &text[(at + cut).min(text.len())..]);
        // A slip inside the secret makes another value of it, of which a long part is left.
        let inside = !broken.contains(HIDDEN);
        if let Err(errors) = read(&broken) && !inside {
            prop_assert!(!errors.to_string().contains(HIDDEN), "{}\n{}", errors, broken);
        }
    }
}
