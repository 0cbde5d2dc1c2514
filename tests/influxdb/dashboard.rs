//! The dashboard of candles: every query of it runs, and gives what its panel draws.

use std::fs;

use serde_json::Value;
use tallow_tests::influxdb::InfluxDb;
use tallow_tests::paths;

use crate::scene::Scene;

const DASHBOARD: &str = "deploy/grafana/dashboards/candles/candles-influxdb.json";
const DATASOURCE: &str = "deploy/grafana/provisioning/datasources/candles-influxdb.yaml";
/// As `SHOW TAG VALUES` gives it.
const STORED: &str = "AB/../ %5C.(x)'\"";
const SYMBOL: &str = "AB/../ \\.(x)'\"";

fn read(path: &str) -> String {
    fs::read_to_string(paths::root().join(path)).unwrap()
}

fn dashboard() -> Value {
    serde_json::from_str(&read(DASHBOARD)).unwrap()
}

/// What Grafana puts in a query's places, as its documentation says. Format `regex` escapes.
fn filled(query: &str) -> String {
    let escaped: String = STORED
        .chars()
        .flat_map(|c| if "\\^$*+?.()|[]{}/".contains(c) { vec!['\\', c] } else { vec![c] })
        .collect();
    let day = "time >= 1704067200000ms and time <= 1704153600000ms";
    let filled = query
        .replace("$timeFilter", day)
        .replace("$__interval", "1m")
        .replace("${symbol:regex}", &escaped)
        .replace("$measurement", "candles_1m");
    assert!(!filled.replace("$/", "").contains('$'), "a place is left in {filled}");
    filled
}

/// Points of the day: written as the sink writes them, one with a null and one still open.
fn write(server: &InfluxDb) {
    let scene = Scene::new(server, "");
    scene.start().wait().success();
    let mut lines = String::new();
    for (minute, rest) in [
        (0, "complete=true,closed=true,null_fields=\"\""),
        (1, "complete=false,closed=false,null_fields=\"volume\""),
    ] {
        let start = 1_704_067_200_000_000_i64 + minute * 60_000_000;
        let mut tag = String::new();
        tallow_sink_influxdb::line::push_tag(&mut tag, SYMBOL);
        lines.push_str(&format!(
            "candles_1m,symbol={tag} open=1.0,high=3.0,low=0.5,close=2.0,volume=4.0,quote_volume=8.0,trades=2i,missing=1i,\
             window_end={}i,revision=0i,{rest} {start}\n",
            start + 60_000_000
        ));
    }
    server.write(&lines);
}

#[test]
fn every_query_of_the_dashboard_gives_what_is_drawn() {
    let Some(server) = crate::server("every_query_of_the_dashboard_gives_what_is_drawn", "") else { return };
    write(&server);
    let dashboard = dashboard();
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let series = server.query(&filled(variable["query"].as_str().unwrap()));
        assert!(!series.is_empty(), "{variable}");
    }
    let mut queries = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = filled(target["query"].as_str().unwrap());
            let series = server.query(&query);
            assert!(!series.is_empty(), "nothing to draw: {query}");
            if panel["type"] == "candlestick" {
                let expected = serde_json::json!(["time", "open", "high", "low", "close", "volume"]);
                assert_eq!(series[0]["columns"], expected);
                assert_eq!(series[0]["values"].as_array().unwrap().len(), 2);
            }
            if let Some(field) = panel["options"]["reduceOptions"]["fields"].as_str() {
                let columns = series[0]["columns"].as_array().unwrap();
                assert!(
                    columns.iter().any(|column| field == format!("/^{}$/", column.as_str().unwrap())),
                    "{field}"
                );
            }
            queries += 1;
        }
    }
    assert!(queries >= 8, "{queries}");
}

#[test]
fn dashboard_and_data_source_know_each_other() {
    let (dashboard, source) = (dashboard(), read(DATASOURCE));
    let uid = dashboard["uid"].as_str().unwrap();
    assert!(source.contains(&format!("uid: {uid}\n")), "{source}");
    let mut panels = dashboard["panels"].as_array().unwrap().iter();
    assert!(panels.all(|panel| panel["datasource"]["uid"] == uid));
    // In provisioning files it begins a variable.
    for file in [DATASOURCE, "deploy/grafana/provisioning/dashboards/candles.yaml"] {
        assert!(!read(file).contains('$'), "{file}");
    }
    let compose = read("docker-compose.yml");
    for mount in
        ["./deploy/grafana/provisioning:/etc/grafana/provisioning:ro", "INFLUXDB_DB: market", "influxdb:1.8"]
    {
        assert!(compose.contains(mount), "{mount}");
    }
}
