//! `[trigger.kafka.windows.influxdb]`.

mod common;

use common::{MINIMAL, error, read, with};
use tallow_manifest::{ApiVersion, PointDecimals, PointMode};

const AFTER: &str = "aggregates = { close = \"last(price)\" }";
const V1: &str = "url = \"http://localhost:8086\"\nversion = \"1\"\ndatabase = \"market\"";

/// The minimal manifest with a table of these lines.
fn table(lines: &str) -> String {
    with(AFTER, &format!("{AFTER}\n[trigger.kafka.windows.influxdb]\n{lines}"))
}

#[test]
fn a_database_is_named_by_three_keys_and_the_rest_has_defaults() {
    let manifest = read(&table(V1)).unwrap();
    let pipeline = &manifest.pipelines[0];
    let window = &pipeline.windows[0];
    let points = window.influxdb.as_ref().unwrap();
    assert_eq!(
        (points.version, points.mode, points.decimals),
        (ApiVersion::V1, PointMode::Append, PointDecimals::Float)
    );
    assert_eq!((points.batch_points, points.backlog, points.timeout.as_secs()), (5000, 1000, 10));
    assert_eq!(pipeline.measurement(window, points), "candles_1m");
    assert!(!pipeline.updates("1m"));
    let updates = read(&table(&format!("{V1}\nmode = \"update\""))).unwrap();
    assert!(updates.pipelines[0].updates("1m"));
}

#[test]
fn where_points_go_is_no_part_of_what_a_pipeline_means() {
    let digest = |lines: &str| read(&table(lines)).unwrap().pipelines[0].digest;
    let other_server = V1.replace("localhost", "127.0.0.1").replace("market", "other");
    assert_eq!(digest(V1), digest(&other_server));
    assert_ne!(digest(V1), digest(&format!("{V1}\nmeasurement = \"m\"")));
    assert_ne!(digest(V1), read(MINIMAL).unwrap().pipelines[0].digest);
}

#[test]
fn what_a_version_needs_and_does_not_have_is_said() {
    let url = "url = \"https://i.example.com\"";
    for (lines, part) in [
        (format!("{url}\nversion = \"1\""), "`database` is missing: version \"1\" needs it"),
        (format!("{url}\nversion = \"2\"\nbucket = \"b\""), "`org` is missing: version \"2\" needs it"),
        (format!("{V1}\nbucket = \"b\""), "version \"1\" has no `bucket`; remove it"),
        (format!("{url}\nversion = \"4\""), "one of `1`, `2`, `3` is needed"),
        (format!("{V1}\nuser = \"u\""), "`user` and `password` go together"),
        (format!("{V1}\nuser = \"u\"\npassword = \"p\"\ntoken = \"t\""), "either `token`, or `user`"),
        (
            format!("{url}\nversion = \"3\"\ndatabase = \"d\"\nuser = \"u\"\npassword = \"p\""),
            "only version \"1\" has users",
        ),
        (
            "url = \"http://i.example.com\"\nversion = \"3\"\ndatabase = \"d\"\ntoken = \"t\"".to_owned(),
            "credentials go over https only",
        ),
        (format!("{V1}\nmeasurement = \"_m\""), "InfluxDB keeps names that begin with `_`"),
        (format!("{V1}\ntags = {{ exchange = \"\" }}"), "InfluxDB has no empty tags"),
        (format!("{V1}\ntags = {{ symbol = \"x\" }}"), "the candle has a column `symbol` already"),
        (format!("{V1}\nmode = \"complete\""), "one of `append`, `update` is needed"),
        (format!("{V1}\nbacklog = -1"), "-1 is out of range"),
        (V1.replace("localhost", "u:p@localhost"), "no user name in it"),
    ] {
        let error = error(&table(&lines));
        assert!(error.contains(part), "{lines}: {error}");
    }
}

#[test]
fn columns_that_influxdb_would_lose_are_refused() {
    for (column, part) in
        [("time", "InfluxDB keeps it"), ("closed", "every point has one"), ("null_fields", "one")]
    {
        let text = table(V1).replace("close = ", &format!("{column} = "));
        let error = error(&text);
        assert!(
            error.contains(&format!("a column `{column}` cannot be written")) && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn windows_that_would_write_over_each_other_are_refused() {
    let second = format!(
        "\n[[trigger.kafka.windows]]\nname = \"1h\"\nkinds = [\"trade\"]\ntumbling = \"1h\"\nkeys = [\"symbol\"]\n\
         {AFTER}\n[trigger.kafka.windows.influxdb]\n{V1}\nmeasurement = \"candles_1m\"\n"
    );
    let both =
        table(V1).replace("\n[component.parse-market]", &format!("{second}\n[component.parse-market]"));
    let error = error(&both);
    assert!(error.contains("window `1m` has the same measurement and tags"), "{error}");
    read(&both.replace("measurement = \"candles_1m\"\n", "")).unwrap();
    read(
        &both.replace(
            "measurement = \"candles_1m\"\n",
            "measurement = \"candles_1m\"\ntags = { of = \"1h\" }\n",
        ),
    )
    .unwrap();
}

#[test]
fn sessions_are_written_when_they_close() {
    let text = table(&format!("{V1}\nmode = \"update\"")).replace("tumbling = \"1m\"", "session = \"1m\"");
    assert!(error(&text).contains("sessions grow and merge"), "{}", error(&text));
}

#[test]
fn a_token_may_come_from_a_secret_variable_and_is_not_shown() {
    let lines = "url = \"https://i.example.com\"\nversion = \"3\"\ndatabase = \"d\"\ntoken = \"{{ token }}\"";
    let text =
        table(lines).replace("[variables]", "[variables]\ntoken = { default = \"hidden\", secret = true }");
    let manifest = read(&text).unwrap();
    let points = manifest.pipelines[0].windows[0].influxdb.as_ref().unwrap();
    assert_eq!(points.token.as_ref().unwrap().expose(), "hidden");
    assert!(!format!("{manifest:?}").contains("hidden"));
}
