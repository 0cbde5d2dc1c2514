//! The sink against a strict server: each candle is one point in the end, whatever becomes of a request.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod scene;

use std::time::Duration;

use proptest::prelude::*;
use scene::{MINUTE_US, Scene, window};
use tallow_sink::{Sink, SinkError};
use tallow_sink_influxdb::line::decoded;
use tallow_sink_influxdb::settings::{Credentials, Decimals, Mode, Window};
use tallow_test_support::http::{Answer, Trouble};
use tallow_test_support::influx::{Api, Fault, Field};
use tallow_test_support::sink::{Variant, sample};

const ALL: [Api; 3] = [Api::V1, Api::V2, Api::V3];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_symbol_reads_back_as_one_point(
        symbol in prop_oneof![any::<String>(), "[a-c,= \\\\\"'%#\n\r\t\0币]{0,12}"],
        text in prop_oneof![any::<String>(), "[a-c,= \\\\\"'%#\n\r\t\0币]{0,12}"],
    ) {
        for api in ALL {
            let scene = Scene::new(api);
            scene.publish(1, &[(&symbol, 0, Some(&text))]).unwrap();
            let points = scene.server.points();
            prop_assert_eq!(points.len(), 1);
            let ((_, tags, time), fields) = points.iter().next().unwrap();
            // Without a tag and with an empty one is the same.
            let tag = tags.get("symbol").map(|tag| decoded(tag)).unwrap_or_default();
            prop_assert_eq!((&tag, *time), (&symbol, 0));
            let Field::Text(venue) = &fields["venue"] else { panic!("{fields:?}") };
            prop_assert_eq!(&decoded(venue), &text);
        }
    }
}

#[test]
fn two_symbols_are_two_points_whatever_they_are() {
    let symbols = ["a", "a\\", "a%5C", "a\n", "a%0A", "a\\n", "a ", "a,b=c", "a\\,b=c", "", "%", "%25"];
    let scene = Scene::new(Api::V1);
    let rows: Vec<_> = symbols.iter().map(|symbol| (*symbol, 0, None)).collect();
    scene.publish(1, &rows).unwrap();
    assert_eq!(scene.server.points().len(), symbols.len());
}

#[test]
fn a_point_has_every_column_and_says_which_are_null() {
    let scene = Scene::of(Api::V2, |window| window.tags = [("exchange".to_owned(), "b n".to_owned())].into());
    scene.publish(1, &[("AB", MINUTE_US, None)]).unwrap();
    let points = scene.server.points();
    let ((measurement, tags, time), fields) = points.iter().next().unwrap();
    assert_eq!((measurement.as_str(), *time), ("candles_1m", MINUTE_US));
    let tag = |name: &str| tags[name].as_str();
    assert_eq!((tag("symbol"), tag("exchange"), tags.len()), ("AB", "b n", 2));
    let text = |text: &str| Field::Text(text.to_owned());
    let expected = [
        ("close", Field::Float(60123.12345678)),
        ("closed", Field::Boolean(true)),
        ("null_fields", text("rate,missing,venue")),
        ("revision", Field::Integer(0)),
        ("trades", Field::Integer(7)),
        ("window_end", Field::Integer(2 * MINUTE_US)),
    ];
    let fields: Vec<(&str, Field)> =
        fields.iter().map(|(name, field)| (name.as_str(), field.clone())).collect();
    assert_eq!(fields, expected);
}

#[test]
fn decimals_may_keep_every_digit_as_strings() {
    let scene = Scene::of(Api::V3, |window| window.decimals = Decimals::Text);
    scene.publish(1, &[("AB", 0, None)]).unwrap();
    let points = scene.server.points();
    let fields = points.values().next().unwrap();
    assert_eq!(fields["close"], Field::Text("60123.12345678".to_owned()));
}

#[test]
fn a_revision_takes_the_place_of_what_it_revises() {
    let scene = Scene::new(Api::V1);
    scene.publish(1, &[("AB", 0, Some("old"))]).unwrap();
    scene.publish_revised(2, &[("AB", 0, Some("new")), ("CD", 0, None)], 1).unwrap();
    let points = scene.server.points();
    assert_eq!(points.len(), 2);
    let fields = points.values().next().unwrap();
    assert_eq!((&fields["venue"], &fields["revision"]), (&Field::Text("new".to_owned()), &Field::Integer(1)));
}

#[test]
fn open_windows_are_written_where_they_are_asked_for() {
    for (mode, count) in [(Mode::Append, 4), (Mode::Update, 9)] {
        let scene = Scene::of(Api::V1, |window| window.mode = mode);
        let mut output = sample(7, Variant::First);
        output.open.push(output.closed[0].clone());
        output.closed.remove(0);
        scene.publish_output(&output).unwrap();
        let points = scene.server.points();
        assert_eq!(points.len(), count);
        let open = points.values().filter(|fields| fields["closed"] == Field::Boolean(false)).count();
        assert_eq!(open, count - 4);
    }
}

#[test]
fn a_lost_answer_is_made_good_by_the_next_try() {
    for api in ALL {
        for fault in [
            Fault::Lost,
            Fault::WrittenBut(Answer::new(500, "timeout")),
            Fault::WrittenBut(Answer::new(204, "").with_trouble(Trouble::Slow(Duration::from_secs(60)))),
            Fault::Answer(Answer::new(503, "")),
        ] {
            let scene = Scene::new(api);
            scene.server.then([fault]);
            let rows = [("AB", 0, Some("x")), ("CD", 0, None)];
            let error = scene.publish(1, &rows).unwrap_err();
            assert!(error.is_transient(), "{error}");
            // At once it is not tried again.
            let writes = scene.server.writes();
            assert!(scene.publish(1, &rows).unwrap_err().is_transient());
            assert_eq!(scene.server.writes(), writes);
            scene.wait(Duration::from_secs(1));
            scene.publish(1, &rows).unwrap();
            let points = scene.server.points();
            let once = Scene::new(api);
            once.publish(1, &rows).unwrap();
            assert_eq!(points, once.server.points());
        }
    }
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it() {
    let scene = Scene::new(Api::V2);
    scene.server.then([Fault::Answer(Answer::new(429, "slow down").with_header("Retry-After", "20"))]);
    let rows = [("AB", 0, None)];
    assert!(scene.publish(1, &rows).unwrap_err().is_transient());
    scene.wait(Duration::from_secs(19));
    assert!(scene.publish(1, &rows).unwrap_err().is_transient());
    assert_eq!(scene.server.writes(), 1);
    scene.wait(Duration::from_secs(2));
    scene.publish(1, &rows).unwrap();
    assert_eq!(scene.server.points().len(), 1);
}

#[test]
fn points_that_are_refused_are_set_aside_and_others_stay() {
    for api in ALL {
        let scene = Scene::of(api, |window| window.server.batch_points = 4);
        scene.server.keeps_from(3 * MINUTE_US);
        let rows: Vec<_> = (0..10).map(|minute| ("AB", minute * MINUTE_US, None)).collect();
        scene.publish(1, &rows).unwrap();
        assert_eq!(scene.server.points().len(), 7, "{api:?}");
        let (name, kept) = scene.refused().remove(0);
        assert!(name.starts_with("refused/candles/influxdb/c1a9-0-00000000000000000001-"), "{name}");
        assert_eq!(kept.lines().count(), 3, "{kept}");
        for (minute, line) in kept.lines().enumerate() {
            assert!(
                line.contains("retention policy")
                    && line.contains(&format!(" {}\"", minute as i64 * MINUTE_US))
            );
        }
        // To publish again is to set the same aside.
        scene.publish(1, &rows).unwrap();
        assert_eq!(scene.refused().len(), 1);
    }
}

#[test]
fn a_time_that_no_server_can_hold_is_set_aside() {
    let scene = Scene::new(Api::V1);
    scene.publish(1, &[("AB", i64::MAX - MINUTE_US, None), ("AB", 0, None)]).unwrap();
    assert_eq!(scene.server.points().len(), 1);
    assert!(scene.refused()[0].1.contains("1677 to 2262"), "{:?}", scene.refused());
}

#[test]
fn a_request_that_is_too_large_is_halved() {
    let scene = Scene::new(Api::V3);
    scene.server.takes_lines(3);
    let rows: Vec<_> = (0..10).map(|minute| ("AB", minute * MINUTE_US, None)).collect();
    scene.publish(1, &rows).unwrap();
    assert_eq!((scene.server.points().len(), scene.refused().len()), (10, 0));
}

#[test]
fn a_field_of_another_type_stops_the_pipeline() {
    let floats = Scene::new(Api::V1);
    floats.publish(1, &[("AB", 0, None)]).unwrap();
    let strings = floats.with(|window| window.decimals = Decimals::Text);
    let error = strings.publish(2, &[("AB", MINUTE_US, None)]).unwrap_err();
    let SinkError::Refused { why, .. } = &error else { panic!("{error}") };
    assert!(why.contains("\"close\"") && why.contains("`decimals`") && why.contains("spin.toml:34"), "{why}");
    assert!(strings.refused().is_empty());
}

#[test]
fn who_may_not_write_is_told_before_anything_is_read() {
    for api in ALL {
        Scene::new(api).sink.check().unwrap();
        for (status, change) in [
            (
                "401",
                (|it| it.server.credentials = Credentials::Token("hidden".to_owned())) as fn(&mut Window),
            ),
            ("401", |it| it.server.credentials = Credentials::Nothing),
            ("404", |it| it.server.database = window::elsewhere(&it.server.database)),
        ] {
            let error = Scene::of(api, change).sink.check().unwrap_err();
            assert!(!error.is_transient() && error.to_string().contains(status), "{error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}

#[test]
fn a_server_that_is_away_is_no_reason_not_to_start() {
    let scene = Scene::new(Api::V1);
    let away = scene.with(|window| window.server.url = "http://127.0.0.1:9".to_owned());
    away.sink.check().unwrap();
    assert!(away.publish(1, &[("AB", 0, None)]).unwrap_err().is_transient());
}
