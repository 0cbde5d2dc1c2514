//! `[application.trigger.kafka.merge.NAME]`: what it means, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::{errors, read, with};
use tallow_manifest::{Average, Merge};

const TABLE: &str = "[application.trigger.kafka.merge.daily]";

fn manifest(lines: &str) -> String {
    format!(
        "{}\n{TABLE}\n{lines}\n[component.merge]\nsource = \"merge.wasm\"\n",
        with("tumbling = \"1m\"", "tumbling = \"1d\"")
    )
}

fn merge(lines: &str) -> Merge {
    read(&manifest(lines)).unwrap().merge("daily").unwrap().clone()
}

/// What is wrong, one mistake.
fn error(lines: &str) -> String {
    let errors = errors(&manifest(lines));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    errors[0].clone()
}

#[test]
fn what_is_left_out_is_what_most_want() {
    let merge = merge("batch = \"daily\"");
    assert_eq!(
        merge,
        Merge {
            name: "daily".into(),
            batch: Some("daily".into()),
            speed: None,
            function: "merge".into(),
            key: "symbol".into(),
            step_us: 86_400_000_000,
            fill: true,
            carry: None,
            zero: None,
            averages: None,
            prophet: Some("close".into()),
            auto: true,
            heal: true,
            keep_backups: 5,
            speed_retention: None,
        }
    );
}

#[test]
fn everything_can_be_said() {
    let merge = merge(
        "speed = \"candles_1m\"\nfill = false\ncarry = [\"close\"]\nzero = []\nprophet = \"\"\nauto = false\nheal = false\n\
         keep-backups = 0\nspeed-retention = \"30d\"\naverages = { ma3 = \"mean( close , 3 )\", v = \"mean(close,1)\" }",
    );
    let average =
        |name: &str, column: &str, length| Average { name: name.into(), column: column.into(), length };
    assert_eq!(merge.speed.as_deref(), Some("candles_1m"));
    assert_eq!(merge.carry, Some(vec!["close".to_owned()]));
    assert_eq!(merge.zero, Some(vec![]));
    assert_eq!(merge.averages, Some(vec![average("ma3", "close", 3), average("v", "close", 1)]));
    assert_eq!((merge.prophet, merge.fill, merge.auto, merge.heal), (None, false, false, false));
    assert_eq!((merge.keep_backups, merge.speed_retention), (0, Some(Duration::from_secs(30 * 86_400))));
    assert_eq!(merge.step_us, 86_400_000_000, "the window's");
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    for (lines, wanted) in [
        ("", "one of `batch` and `speed` is missing"),
        ("speed = \"candles_1d\"", "no pipeline writes a table `candles_1d`; did you mean `candles_1m`?"),
        ("speed = \"candles_1m\"\nstep = \"1h\"", "`step` is not the size of the window"),
        ("speed = \"candles_1m\"\nkey = \"market\"", "the key of `candles_1m` is `symbol`, not `market`"),
        ("batch = \"../x\"", "a name is made of"),
        ("batch = \"daily\"\nstep = \"0s\"", "longer than zero"),
        ("batch = \"daily\"\nfil = true", "did you mean `fill`?"),
        ("batch = \"daily\"\ncarry = [\"close\", \"close\"]", "is here twice"),
        ("batch = \"daily\"\naverages = { ma7 = \"median(close, 7)\" }", "write it as mean(column, windows)"),
        ("batch = \"daily\"\naverages = { ma7 = \"mean(close, 0)\" }", "write it as mean(column, windows)"),
        ("batch = \"daily\"\nfunction = \"merg\"", "there is no [component.merg]; did you mean `merge`?"),
        ("batch = \"daily\"\nkeep-backups = -1", "out of range"),
    ] {
        let error = error(lines);
        assert!(error.contains(wanted) && error.contains("merge.daily"), "{error}");
    }
    let sessions = manifest("speed = \"candles_1m\"").replace("tumbling = \"1d\"", "session = \"5m\"");
    assert!(errors(&sessions)[0].contains("not of a tumbling window with one key"));
    let named = manifest("batch = \"daily\"").replace(TABLE, "[application.trigger.kafka.merge.\"a/b\"]");
    assert!(errors(&named)[0].contains("`a/b`: a name is made of"));
}
