//! Whatever the manifest's text is, the answer is a manifest or at least one error, never a panic.

mod common;

use common::{MINIMAL, read};
use proptest::prelude::*;

fn answers(text: &str) {
    if let Err(errors) = read(text) {
        assert!(errors.iter().count() > 0, "no reason given for:\n{text}");
        assert!(!errors.to_string().is_empty());
    }
}

/// Values of every type, right and wrong, for any key.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|yes| yes.to_string()),
        Just("1.5".to_owned()),
        Just("nan".to_owned()),
        Just("1979-05-27".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        "[ -~]{0,12}".prop_map(|text| format!("{text:?}")),
        Just("\"{{ x }}\"".to_owned()),
        Just("\"1m\"".to_owned()),
        Just("\"sum(price)\"".to_owned()),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map("[a-z-]{1,9}", inner, 0..4).prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

/// The manifest's lines that have a key and a value.
fn keyed_lines() -> Vec<usize> {
    let lines = MINIMAL.lines().enumerate();
    lines.filter(|(_, line)| line.contains(" = ")).map(|(index, _)| index).collect()
}

const KEYS: [&str; 18] = [
    "topics",
    "topic-pattern",
    "parse-settings",
    "scales",
    "delay",
    "starting-offsets",
    "parse-workers",
    "epoch",
    "limits",
    "lake",
    "windows",
    "sliding",
    "session",
    "offset",
    "ids",
    "on-untracked",
    "keep-ids",
    "aggregates",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        answers(&text);
    }

    #[test]
    fn any_text_of_tomls_letters_has_an_answer(text in "[a-z\\[\\]{}=\".,#0-9\n -]{0,200}") {
        answers(&text);
    }

    #[test]
    fn a_manifest_with_any_value_under_any_key_has_an_answer(
        line in prop::sample::select(keyed_lines()),
        value in value(),
    ) {
        let mut lines: Vec<String> = MINIMAL.lines().map(str::to_owned).collect();
        let key = lines[line].split(" = ").next().unwrap().to_owned();
        lines[line] = format!("{key} = {value}");
        answers(&lines.join("\n"));
    }

    #[test]
    fn a_manifest_with_any_value_under_a_further_key_has_an_answer(
        line in prop::sample::select(keyed_lines()),
        key in prop::sample::select(KEYS.to_vec()),
        value in value(),
    ) {
        let mut lines: Vec<String> = MINIMAL.lines().map(str::to_owned).collect();
        lines.insert(line + 1, format!("{key} = {value}"));
        answers(&lines.join("\n"));
    }

    #[test]
    fn a_manifest_cut_anywhere_has_an_answer(at in 0..MINIMAL.len()) {
        answers(&MINIMAL[..at]);
    }
}

#[test]
fn nesting_beyond_all_measure_is_an_error() {
    answers(&format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    answers(&format!("{}b = 1", "a.".repeat(100_000)));
    answers(&format!("[{}b]", "a.".repeat(100_000)));
}
