//! What becomes of state when windows change between two starts.

mod common;

use std::collections::BTreeMap;

use common::{MINIMAL, pipeline, with, with_line};
use tallow_manifest::{COMPLETE, Kept};

const OTHER: &str = r#"
[[trigger.kafka.windows]]
name = "5m"
kinds = ["trade"]
tumbling = "5m"
keys = ["symbol"]
aggregates = { high = "max(price)" }

[component.parse-market]"#;

#[test]
fn added_windows_and_aggregates_are_known_after_the_newest_row() {
    let before = pipeline(MINIMAL).kept();
    let more = with("{ close = \"last(price)\" }", "{ n = \"count()\", close = \"last(price)\" }");
    let more = pipeline(&more.replace("\n[component.parse-market]", OTHER));
    let next = more.succeed(&before, Some(41)).unwrap();
    assert_eq!((next.added, next.gone), (vec!["5m".to_owned()], vec![]));
    assert_eq!(next.widened, [("1m".to_owned(), vec!["n".to_owned()])]);
    let since: Vec<_> = next.windows.iter().map(|it| it.since_us.clone()).collect();
    let from_42 = |column: &str| BTreeMap::from([(column.to_owned(), 42)]);
    assert_eq!(since, [from_42("n"), from_42(COMPLETE)]);

    let again = more.succeed(&next.windows, Some(99)).unwrap();
    assert_eq!(again.windows, next.windows, "what is known from when does not change with each start");
    assert!(again.added.is_empty() && again.widened.is_empty());
    let nothing_seen = more.succeed(&before, None).unwrap();
    assert!(nothing_seen.windows.iter().all(|it| it.since_us.is_empty()));
}

#[test]
fn windows_come_back_from_the_log_as_they_were_kept() {
    let with_ids = pipeline(&with_line("keys = [\"symbol\"]", "ids = \"id\"\nkeep-ids = \"3d\""));
    let recorded = Kept::write(&with_ids.kept());
    assert_eq!(Kept::write(&Kept::read(&recorded).unwrap()), recorded);
    let restored = pipeline(MINIMAL).with_windows(&Kept::read(&recorded).unwrap());
    assert_eq!(restored.windows[0].ids, with_ids.windows[0].ids);
    assert_eq!(Kept::read(&serde_json::Value::Null), Some(vec![]));
    assert_eq!(Kept::read(&serde_json::json!([{ "window": 1 }])), None);
}

#[test]
fn what_cannot_be_carried_over_is_named_by_its_keys() {
    let before = pipeline(MINIMAL).kept();
    for (part, by, said) in [
        ("tumbling = \"1m\"", "tumbling = \"5m\"", "window `1m`: `tumbling` was \"1m\" and is \"5m\""),
        (
            "tumbling = \"1m\"",
            "session = \"1m\"",
            "`shape` was `tumbling = \"1m\"` and is `session = \"1m\"`",
        ),
        ("tumbling = \"1m\"", "tumbling = \"1m\"\noffset = \"1s\"", "`offset` was \"0s\" and is \"1s\""),
        ("keys = [\"symbol\"]", "keys = []", "`keys` was [\"symbol\"] and is []"),
        (
            "kinds = [\"trade\"]",
            "kinds = [\"trade\", \"kline\"]",
            "`kinds` was [\"trade\"] and is [\"kline\", \"trade\"]",
        ),
        ("keys = [\"symbol\"]", "keys = [\"symbol\"]\nids = \"id\"", "`ids` was absent and is \"id\""),
        ("last(price)", "max(price)", "`aggregates.close` was \"last(price)\" and is \"max(price)\""),
        ("close = ", "shut = ", "`aggregates.close` was \"last(price)\" and is not there"),
        ("topic = \"trades\"", "topic = \"trades\"\nscales = { price = 2 }", "`scales.price` was 8 and is 2"),
    ] {
        let refused = pipeline(&with(part, by)).succeed(&before, Some(1)).unwrap_err();
        assert!(refused.iter().any(|why| why.contains(said)), "{said}: {refused:?}");
    }
    let other_name = pipeline(&with("name = \"1m\"", "name = \"one\"")).succeed(&before, Some(1)).unwrap();
    assert_eq!((other_name.gone, other_name.added), (vec!["1m".to_owned()], vec!["one".to_owned()]));
}

#[test]
fn filling_can_begin_change_and_end_and_is_kept() {
    let plain = pipeline(MINIMAL);
    let filled = pipeline(&with_line("keys = [\"symbol\"]", "fill = \"previous\"\nkeep-ids = \"1h\""));
    let fill = filled.windows[0].fill.unwrap();
    assert_eq!(
        (fill.for_us, fill.keep_us),
        (3_600_000_000, 3_600_000_001),
        "60 windows, and a key is known for longer"
    );
    assert!(!Kept::write(&plain.kept()).to_string().contains("fill"), "as before there was filling");
    let kept = Kept::read(&Kept::write(&filled.kept())).unwrap();
    assert_eq!(plain.with_windows(&kept).windows[0].fill, Some(fill));
    for (from, to) in [(&plain, &filled), (&filled, &plain)] {
        let next = to.succeed(&from.kept(), Some(1)).unwrap();
        assert_eq!(next.windows, to.kept());
        assert_ne!(next.windows, from.kept(), "it is another record");
    }
}
