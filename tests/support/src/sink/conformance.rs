//! What every sink promises, as one suite: tests of a sink bring a [`Bench`] and call [`check`].
//!
//! The sample epochs hold what has broken sinks before: hostile symbols, nulls, numbers beyond 64 bits, two
//! days, a window given in two pieces, tombstones, bytes that are not text, headers of one name.

use bytes::Bytes;
use tallow_sink::{EpochOutput, Item, Sink, SinkError};

use super::{Variant, sample};

/// A destination under test, empty at first.
pub trait Bench {
    /// The sink, opened again on the same destination, as another process would.
    fn sink(&self) -> Box<dyn Sink>;

    /// Every row that a reader of the destination sees, each as one text.
    fn visible(&self) -> Vec<String>;

    /// The rows that a reader should see of this output, in the same texts, made without the sink.
    fn expected(&self, output: &EpochOutput<'_>) -> Vec<String>;
}

/// Runs the suite, each promise on its own destination. Panics with the promise that is broken.
pub fn check<B: Bench>(fresh: impl Fn() -> B) {
    nothing_is_visible_before_publish(&fresh());
    preparing_twice_gives_the_same_bytes(&fresh());
    an_empty_epoch_makes_nothing(&fresh());
    rows_read_back_are_the_rows_given(&fresh());
    publishing_again_leaves_one_copy(&fresh());
    two_publishers_at_once_leave_one_copy(&fresh());
    a_crash_between_two_items_is_mended_by_publishing_again(&fresh);
    other_content_under_the_same_name_is_refused(&fresh());
    epochs_add_up(&fresh());
}

fn nothing_is_visible_before_publish(bench: &impl Bench) {
    let items = prepare(bench, &sample(1, Variant::First));
    assert!(!items.is_empty(), "the sample gives this sink nothing to do");
    assert_rows(bench, &[], "before publish");
}

fn preparing_twice_gives_the_same_bytes(bench: &impl Bench) {
    let output = sample(1, Variant::First);
    let items = prepare(bench, &output);
    assert_eq!(items, prepare(bench, &output.clone()), "preparing twice");
    let mut names: Vec<_> = items.iter().map(|item| &item.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), items.len(), "two items have one name");
    let name = bench.sink().name();
    assert!(items.iter().all(|item| item.sink == name), "an item names another sink than {name}");
}

fn an_empty_epoch_makes_nothing(bench: &impl Bench) {
    let empty = EpochOutput {
        closed: vec![],
        late: vec![],
        dead: vec![],
        rekeyed: vec![],
        ..sample(1, Variant::First)
    };
    assert_eq!(prepare(bench, &empty), [], "an empty epoch");
}

fn rows_read_back_are_the_rows_given(bench: &impl Bench) {
    let output = sample(1, Variant::First);
    let items = prepare(bench, &output);
    publish(bench, &items);
    assert_rows(bench, &[&output], "after publish");
    let counted: u64 = items.iter().map(|item| item.rows).sum();
    assert_eq!(counted, bench.visible().len() as u64, "rows that the items count");
}

fn publishing_again_leaves_one_copy(bench: &impl Bench) {
    let output = sample(1, Variant::First);
    for _ in 0..3 {
        publish(bench, &prepare(bench, &output));
    }
    assert_rows(bench, &[&output], "after publishing three times");
}

fn two_publishers_at_once_leave_one_copy(bench: &impl Bench) {
    let output = sample(1, Variant::First);
    let items = prepare(bench, &output);
    let sinks: Vec<_> = (0..4).map(|_| bench.sink()).collect();
    std::thread::scope(|scope| {
        for sink in &sinks {
            scope.spawn(|| publish_through(sink.as_ref(), &items));
        }
    });
    assert_rows(bench, &[&output], "after four publishers at once");
}

fn a_crash_between_two_items_is_mended_by_publishing_again<B: Bench>(fresh: &impl Fn() -> B) {
    let output = sample(1, Variant::First);
    let count = prepare(&fresh(), &output).len();
    for published in 0..=count {
        let bench = fresh();
        let items = prepare(&bench, &output);
        publish(&bench, &items[..published]);
        publish(&bench, &items);
        assert_rows(
            &bench,
            &[&output],
            &format!("after a crash with {published} of {count} items published"),
        );
    }
}

fn other_content_under_the_same_name_is_refused(bench: &impl Bench) {
    let (first, second) = (sample(1, Variant::First), sample(1, Variant::Second));
    publish(bench, &prepare(bench, &first));
    let sink = bench.sink();
    let wrong = prepare(bench, &second);
    assert!(!wrong.is_empty());
    for item in &wrong {
        match sink.publish(&item.name, item.bytes.clone()) {
            Err(error @ SinkError::Conflict { .. }) => {
                assert!(
                    error.to_string().contains(&item.name),
                    "the error does not name the object: {error}"
                );
                assert!(!error.is_transient(), "a conflict does not pass by itself");
            }
            other => panic!("other content under `{}` gave {other:?}", item.name),
        }
    }
    let name = &wrong[0].name;
    assert!(sink.publish(name, Bytes::new()).is_err(), "an empty object replaced `{name}`");
    assert_rows(bench, &[&first], "after other content was refused");
}

fn epochs_add_up(bench: &impl Bench) {
    let (first, second) = (sample(1, Variant::First), sample(2, Variant::Second));
    publish(bench, &prepare(bench, &first));
    publish(bench, &prepare(bench, &second));
    assert_rows(bench, &[&first, &second], "after two epochs");
}

fn prepare(bench: &impl Bench, output: &EpochOutput<'_>) -> Vec<Item> {
    bench.sink().prepare(output).unwrap_or_else(|error| panic!("prepare: {error}"))
}

fn publish(bench: &impl Bench, items: &[Item]) {
    publish_through(bench.sink().as_ref(), items);
}

fn publish_through(sink: &dyn Sink, items: &[Item]) {
    for item in items {
        sink.publish(&item.name, item.bytes.clone())
            .unwrap_or_else(|error| panic!("publish `{}`: {error}", item.name));
    }
}

fn assert_rows(bench: &impl Bench, outputs: &[&EpochOutput<'_>], when: &str) {
    let mut expected: Vec<_> = outputs.iter().flat_map(|output| bench.expected(output)).collect();
    let mut visible = bench.visible();
    expected.sort();
    visible.sort();
    assert_eq!(visible, expected, "rows {when}");
}
