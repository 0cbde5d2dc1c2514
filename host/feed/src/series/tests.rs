use super::*;

const S: u64 = 1_000_000;

fn plan(law: Law, refetch: bool) -> StreamPlan {
    StreamPlan { law, refetch, quiet_us: 60 * S }
}

fn dense(last: Option<i64>) -> Tracker {
    Tracker::new(plan(Law::Dense, true), 1_000_000, last, Ticks(0))
}

/// What is sent, as text: `5` for the record 5, `6-7` for a hole.
fn shown(out: &mut Vec<Out>) -> String {
    let shown = out.drain(..).map(|out| match out {
        Out::Record(value) => String::from_utf8(value).unwrap(),
        Out::Hole { first, last, .. } => format!("{first}-{last}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn take(tracker: &mut Tracker, ids: impl IntoIterator<Item = i64>, now: u64) -> String {
    let mut out = Vec::new();
    ids.into_iter().for_each(|id| tracker.take(id, id.to_string().as_bytes(), Ticks(now), &mut out));
    shown(&mut out)
}

fn due(tracker: &mut Tracker, now: u64) -> (Option<Need>, String) {
    let mut out = Vec::new();
    let need = tracker.due(Ticks(now), true, &mut out);
    (need, shown(&mut out))
}

fn fill(tracker: &mut Tracker, span: (i64, i64), ids: impl IntoIterator<Item = i64>) -> String {
    let mut out = Vec::new();
    let records = ids.into_iter().map(|id| (id, id.to_string().into_bytes()));
    tracker.filled(span, records, "gone", Ticks(S), &mut out);
    shown(&mut out)
}

fn ids(first: i64, last: i64) -> Option<Need> {
    Some(Need::Ids { first, last, behind: false })
}

#[test]
fn ids_are_sent_once_and_in_order() {
    for (last, came, sent) in [
        (None, vec![5, 6, 7], "5 6 7"),
        (None, vec![5, 5, 4, 6, 5], "5 6"),
        (Some(4), vec![4, 5, 3, 6], "5 6"),
        (Some(4), vec![6, 5, 8, 7, 9], "5 6 7 8 9"),
        (Some(4), vec![9, 8, 7, 6, 5, 9], "5 6 7 8 9"),
        (Some(4), vec![6, 7], ""),
    ] {
        let mut tracker = dense(last);
        assert_eq!(take(&mut tracker, came.clone(), 0), sent, "{last:?} {came:?}");
    }
}

#[test]
fn a_hole_is_requested_once_it_does_not_close_by_itself() {
    let mut tracker = dense(Some(4));
    assert_eq!(take(&mut tracker, [8, 9], 0), "");
    assert_eq!(due(&mut tracker, 299_999), (None, String::new()));
    assert_eq!(due(&mut tracker, 300_000), (ids(5, 7), String::new()));
    assert_eq!(due(&mut tracker, S), (None, String::new()), "it is requested once");
    assert_eq!(take(&mut tracker, [10, 12], S), "");
    assert_eq!(fill(&mut tracker, (5, 7), [7, 6, 5, 4, 99]), "5 6 7 8 9 10");
    assert_eq!(due(&mut tracker, 2 * S).0, ids(11, 11));
}

#[test]
fn what_cannot_be_had_is_written_down_in_its_place() {
    for (brought, sent) in [
        (vec![], "5-8 9"),
        (vec![5, 8], "5 6-7 8 9"),
        (vec![6, 7], "5-5 6 7 8-8 9"),
        (vec![8], "5-7 8 9"),
        (vec![5], "5 6-8 9"),
    ] {
        let mut tracker = dense(Some(4));
        take(&mut tracker, [9], 0);
        assert_eq!(due(&mut tracker, S).0, ids(5, 8));
        assert_eq!(fill(&mut tracker, (5, 8), brought.clone()), sent, "{brought:?}");
        assert_eq!(tracker.last, Some(9));
    }
}

#[test]
fn what_comes_late_while_its_hole_is_requested_counts() {
    let mut tracker = dense(Some(4));
    take(&mut tracker, [8], 0);
    due(&mut tracker, S);
    assert_eq!(take(&mut tracker, [6], S), "");
    assert_eq!(fill(&mut tracker, (5, 7), [7]), "5-5 6 7 8");
}

#[test]
fn what_closes_a_hole_meanwhile_is_sent_once() {
    let mut tracker = dense(Some(4));
    take(&mut tracker, [8], 0);
    due(&mut tracker, S);
    assert_eq!(take(&mut tracker, [5, 6], S), "5 6");
    assert_eq!(fill(&mut tracker, (5, 7), [5, 6, 7]), "7 8");
}

#[test]
fn a_long_hole_is_requested_in_parts_and_a_longer_one_is_cut() {
    let mut tracker = Tracker::new(plan(Law::Dense, true), 15_000, Some(0), Ticks(0));
    take(&mut tracker, [100_001], 0);
    assert_eq!(due(&mut tracker, S), (ids(85_001, 95_000), "1-85000".to_owned()));
    assert_eq!(fill(&mut tracker, (85_001, 95_000), []), "85001-95000");
    assert_eq!(due(&mut tracker, S).0, ids(95_001, 100_000));
}

#[test]
fn a_hole_that_nothing_can_fill_is_written_down_after_the_wait() {
    let mut tracker = Tracker::new(plan(Law::Dense, false), 100, Some(4), Ticks(0));
    take(&mut tracker, [7], 0);
    assert_eq!(due(&mut tracker, 100_000), (None, String::new()));
    assert_eq!(due(&mut tracker, 300_000), (None, "5-6 7".to_owned()));
}

#[test]
fn records_beyond_the_bound_are_dropped_and_requested() {
    let mut tracker = dense(Some(0));
    let many = 2 + HELD as i64;
    assert_eq!(take(&mut tracker, 2..=many, 0), "");
    assert_eq!((tracker.held.len(), tracker.tally.dropped), (0, many as u64 - 1));
    assert_eq!(due(&mut tracker, S).0, ids(1, CHUNK));
    fill(&mut tracker, (1, CHUNK), 1..=CHUNK);
    assert_eq!(due(&mut tracker, S).0, ids(CHUNK + 1, 2 * CHUNK));
    fill(&mut tracker, (CHUNK + 1, 2 * CHUNK), CHUNK + 1..=2 * CHUNK);
    assert_eq!(due(&mut tracker, S).0, ids(2 * CHUNK + 1, many));
}

#[test]
fn the_newest_id_that_the_exchange_tells_shows_a_hole() {
    let mut tracker = dense(Some(4));
    tracker.alive(Some(6), Ticks(0));
    assert_eq!(due(&mut tracker, S).0, ids(5, 6));
    assert_eq!(fill(&mut tracker, (5, 6), [5, 6]), "5 6");
    assert_eq!(due(&mut tracker, 2 * S).0, None);
}

#[test]
fn a_quiet_series_is_asked_about_and_only_one_behind_is_blamed() {
    let mut tracker = dense(Some(4));
    assert_eq!(due(&mut tracker, 59 * S).0, None);
    assert_eq!(due(&mut tracker, 60 * S).0, Some(Need::Newest));
    assert_eq!(due(&mut tracker, 200 * S).0, None, "it is asked once");
    tracker.newest(Some(4), Ticks(200 * S));
    assert_eq!(due(&mut tracker, 201 * S).0, None);
    assert_eq!(due(&mut tracker, 260 * S).0, Some(Need::Newest));
    tracker.newest(Some(6), Ticks(260 * S));
    assert_eq!(due(&mut tracker, 261 * S).0, Some(Need::Ids { first: 5, last: 6, behind: true }));
    // What came a moment later clears it.
    let mut tracker = dense(Some(4));
    tracker.newest(Some(6), Ticks(0));
    assert_eq!(take(&mut tracker, [5, 6], 100_000), "5 6");
    assert_eq!(due(&mut tracker, S).0, None);
}

#[test]
fn a_series_that_never_spoke_begins_at_its_newest_id() {
    let mut tracker = dense(None);
    assert_eq!(due(&mut tracker, 60 * S).0, Some(Need::Newest));
    tracker.newest(Some(4), Ticks(60 * S));
    assert_eq!(take(&mut tracker, [6], 61 * S), "");
    assert_eq!(due(&mut tracker, 62 * S).0, ids(5, 5));
}

#[test]
fn time_without_a_connection_is_not_silence() {
    let mut tracker = dense(Some(4));
    assert_eq!(tracker.due(Ticks(60 * S), false, &mut Vec::new()), None);
    assert_eq!(due(&mut tracker, 61 * S).0, None);
}

#[test]
fn rising_ids_may_skip_and_a_series_without_ids_passes() {
    let mut rising = Tracker::new(plan(Law::Rising, false), 100, None, Ticks(0));
    assert_eq!(take(&mut rising, [5, 9, 9, 7, 10], 0), "5 9 10");
    assert_eq!((due(&mut rising, 59 * S).0, due(&mut rising, 60 * S).0), (None, Some(Need::Reconnect)));
    let mut none = Tracker::new(plan(Law::None, false), 100, None, Ticks(0));
    assert_eq!(take(&mut none, [5, 5, 1], 0), "5 5 1");
}

#[test]
fn the_last_possible_ids_are_no_trouble() {
    let mut tracker = dense(Some(i64::MAX - 2));
    assert_eq!(take(&mut tracker, [i64::MAX, i64::MIN], 0), "");
    assert_eq!(due(&mut tracker, S).0, ids(i64::MAX - 1, i64::MAX - 1));
    assert_eq!(
        fill(&mut tracker, (i64::MAX - 1, i64::MAX - 1), []),
        format!("{0}-{0} {1}", i64::MAX - 1, i64::MAX)
    );
    let mut tracker = dense(Some(i64::MIN));
    take(&mut tracker, [i64::MAX], 0);
    assert!(matches!(due(&mut tracker, S).0, Some(Need::Ids { .. })));
}
