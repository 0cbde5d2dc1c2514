//! A pipeline's digest changes with what its candles depend on, and with nothing else.

mod common;

use common::{MINIMAL, pipeline, with, with_line};

#[test]
fn a_pipeline_that_is_changed_afterwards_has_another_digest() {
    let mut changed = pipeline(MINIMAL);
    changed.follow_clock_when_idle();
    let written = pipeline(&with_line("topic = \"trades\"", "idle-advance = true"));
    assert_eq!((changed.digest, changed.idle_advance), (written.digest, true));
}

#[test]
fn what_only_makes_it_faster_or_slower_does_not_change_the_digest() {
    let digest = pipeline(MINIMAL).digest;
    for line in [
        "epoch = { interval = \"5s\" }",
        "limits = { memory = \"64MiB\" }",
        "parse-workers = 2",
        "fetch-clients = 2",
        "new-partitions-every = \"5s\"",
        "archive = true",
        "verify-retention = 7",
        "delay = \"2000ms\"",
        "scales = { price = 8 }",
        "# a remark",
    ] {
        assert_eq!(pipeline(&with_line("topic = \"trades\"", line)).digest, digest, "{line}");
    }
}

#[test]
fn what_the_candles_depend_on_changes_the_digest() {
    let mut digests = vec![pipeline(MINIMAL).digest];
    for (part, by) in [
        ("topic = \"trades\"", "topic = \"trades2\""),
        ("topic = \"trades\"", "topic-pattern = \"^trades\""),
        ("id = \"candles\"", "id = \"candles2\""),
        ("parse = \"parse-market\"", "parse = \"window\""),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\nparse-settings = { a = 1 }"),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\nscales = { price = 2 }"),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\ndelay = \"3s\""),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\nmax-future = \"3s\""),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\nidle-after = \"3s\""),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\nidle-advance = true"),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\non-reject = \"drop\""),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\non-data-loss = \"continue\""),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\nstarting-offsets = \"latest\""),
        (
            "parse = \"parse-market\"",
            "parse = \"parse-market\"\nstarting-offsets = { time = \"2024-08-09\" }",
        ),
        ("parse = \"parse-market\"", "parse = \"parse-market\"\nlake = { decimals = \"decimal\" }"),
        ("tumbling = \"1m\"", "tumbling = \"2m\""),
        ("tumbling = \"1m\"", "session = \"1m\""),
        ("tumbling = \"1m\"", "tumbling = \"1m\"\noffset = \"1s\""),
        ("tumbling = \"1m\"", "tumbling = \"1m\"\ntime = \"t\""),
        ("tumbling = \"1m\"", "tumbling = \"1m\"\nids = \"id\""),
        ("kinds = [\"trade\"]", "kinds = [\"kline\"]"),
        ("keys = [\"symbol\"]", "keys = []"),
        ("{ close = \"last(price)\" }", "{ close = \"max(price)\" }"),
        ("{ close = \"last(price)\" }", "{ last = \"last(price)\" }"),
        ("{ close = \"last(price)\" }", "{ close = \"last(price)\", n = \"count()\" }"),
        ("{ close = \"last(price)\" }", "{ n = \"count()\", close = \"last(price)\" }"),
    ] {
        digests.push(pipeline(&with(part, by)).digest);
    }
    let all = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), all);
}

#[test]
fn topics_of_results_and_how_they_are_written_change_the_digest() {
    let to = |table: &str| pipeline(&format!("{MINIMAL}[trigger.kafka.{table}\n")).digest;
    let digests = [
        pipeline(MINIMAL).digest,
        to("windows.kafka]\ntopic = \"results\""),
        to("windows.kafka]\ntopic = \"others\""),
        to("windows.kafka]\ntopic = \"results\"\ndecimals = \"number\""),
        to("windows.kafka]\ntopic = \"results\"\ntimes = \"epoch-ms\""),
        to("windows.kafka]\ntopic = \"results\"\nmode = \"update\""),
        to("late-rows]\ntopic = \"results\""),
        to("dead-letters]\ntopic = \"results\""),
    ];
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(digest), "{at}");
    }
    let marked = with_line("topic = \"trades\"", "marker-topic = \"markers\"");
    assert_eq!(pipeline(&marked).digest, digests[0], "where markers are kept decides no row");
}
