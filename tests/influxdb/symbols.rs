//! Any text, as a real server reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use tallow_env::{Random, SeededRandom, SystemClock};
use tallow_http::{AllowList, Limits};
use tallow_sink::{EpochOutput, Sink};
use tallow_sink_influxdb::line::decoded;
use tallow_sink_influxdb::settings::{Credentials, Database, Decimals, Mode, Server, Settings, Window};
use tallow_sink_influxdb::{Edges, InfluxDb as InfluxSink};
use tallow_store::Store;
use tallow_test_support::sink::{Variant, sample};
use tallow_tests::influxdb::{DATABASE, InfluxDb};

const PARTS: [&str; 24] = [
    "a",
    "b",
    "\\",
    ",",
    "=",
    " ",
    "\"",
    "'",
    "\n",
    "\r",
    "\t",
    "\0",
    "%",
    "%0A",
    "币",
    "é",
    "\u{7f}",
    "\u{2028}",
    "#",
    "\\n",
    "f=1i 0",
    ",t=x",
    "\\\\",
    "\u{1f600}",
];

fn sink(server: &InfluxDb) -> InfluxSink {
    let window = Window {
        measurement: "any, text=\"x".to_owned(),
        tags: [].into(),
        decimals: Decimals::Float,
        mode: Mode::Append,
        server: Server {
            url: server.url(),
            database: Database::V1 { database: DATABASE.to_owned(), retention_policy: None },
            credentials: Credentials::Nothing,
            batch_points: 100,
            key: "`influxdb`".to_owned(),
        },
    };
    let clock = Arc::new(SystemClock::new());
    let allow = AllowList::default().internal(server.url().parse().unwrap());
    let http = tallow_http::client(allow, Limits::default(), clock.clone()).unwrap();
    let (store, random) = (Store::memory().unwrap(), Arc::new(SeededRandom::new(1)));
    let edges = Edges { http: Arc::new(http), store, clock, random };
    InfluxSink::new("candles", Settings { windows: [("1m".to_owned(), window)].into() }, 0, edges)
}

fn output(texts: &[String]) -> EpochOutput<'static> {
    let column = || Arc::new(StringArray::from_iter_values(texts)) as ArrayRef;
    let starts = TimestampMicrosecondArray::from(vec![60_000_000; texts.len()]).with_timezone("UTC");
    let rows = RecordBatch::try_from_iter([
        ("symbol", column()),
        ("window_start", Arc::new(starts)),
        ("venue", column()),
    ]);
    let mut output = sample(1, Variant::First);
    output.closed = vec![("1m".to_owned(), rows.unwrap())];
    output
}

#[test]
fn any_symbol_is_one_point_that_reads_back_as_it_was() {
    let Some(server) = crate::server("any_symbol_is_one_point_that_reads_back_as_it_was", "") else { return };
    let random = SeededRandom::new(11);
    let mut texts: Vec<String> = PARTS.iter().map(|part| (*part).to_owned()).collect();
    texts.extend([String::new(), "x".repeat(4096)]);
    texts.extend((0..2000).map(|_| {
        let parts = (0..random.below(7)).map(|_| PARTS[random.below(PARTS.len() as u64) as usize]);
        parts.collect::<String>()
    }));
    texts.sort();
    texts.dedup();
    let sink = sink(&server);
    sink.check().unwrap();
    for _twice in 0..2 {
        for item in sink.prepare(&output(&texts)).unwrap() {
            sink.publish(&item.name, item.bytes).unwrap();
        }
        let measurements = server.query("SHOW MEASUREMENTS");
        assert_eq!(measurements[0]["values"], serde_json::json!([["any, text=\"x"]]));
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for row in server.rows("any, text=\\\"x") {
            assert_eq!(row["window_start"], "1970-01-01T00:01:00Z");
            assert_eq!(found.insert(decoded(&row["symbol"]), decoded(&row["venue"])), None, "{row:?}");
        }
        let expected: BTreeMap<String, String> =
            texts.iter().map(|text| (text.clone(), text.clone())).collect();
        assert!(found == expected, "{} points of {}", found.len(), expected.len());
    }
}
