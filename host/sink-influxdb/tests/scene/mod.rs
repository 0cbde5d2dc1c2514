//! A sink, and a strict server in memory.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use tallow_env::{Clock, ManualClock, SeededRandom};
use tallow_http::{AllowList, Guarded, Limits, SystemNames};
use tallow_sink::{EpochOutput, Sink, SinkError};
use tallow_sink_influxdb::settings::{Decimals, Mode, Server, Settings, Window};
use tallow_sink_influxdb::{Edges, InfluxDb};
use tallow_store::Store;
use tallow_test_support::http::MemoryNet;
use tallow_test_support::influx::{Api, Influx};
use tallow_test_support::sink::{Variant, sample};

pub mod window;

pub const MINUTE_US: i64 = 60_000_000;

pub struct Scene {
    pub server: Influx,
    pub sink: InfluxDb,
    window: Window,
    clock: Arc<ManualClock>,
    store: Store,
}

/// Symbol, start in µs, and a text column.
pub type Row<'r> = (&'r str, i64, Option<&'r str>);

impl Scene {
    pub fn new(api: Api) -> Self {
        Self::of(api, |_| {})
    }

    /// With another window than usual.
    pub fn of(api: Api, change: impl FnOnce(&mut Window)) -> Self {
        let mut window = Window {
            measurement: "candles_1m".to_owned(),
            tags: [].into(),
            decimals: Decimals::Float,
            mode: Mode::Append,
            server: Server {
                url: "http://127.0.0.1:8086".to_owned(),
                database: window::database(api),
                credentials: window::credentials(api),
                batch_points: 5000,
                key: "`influxdb` (spin.toml:34)".to_owned(),
            },
        };
        change(&mut window);
        Self::on(Influx::new(api), window)
    }

    /// Another sink on the same server.
    pub fn with(&self, change: impl FnOnce(&mut Window)) -> Self {
        let mut window = self.window.clone();
        change(&mut window);
        Self::on(self.server.clone(), window)
    }

    fn on(server: Influx, window: Window) -> Self {
        let clock = Arc::new(ManualClock::at(0));
        let dynamic: Arc<dyn Clock> = clock.clone();
        let net = MemoryNet::new(dynamic.clone());
        net.listen(([127, 0, 0, 1], 8086).into(), server.handler());
        let allow = AllowList::default().internal(window.server.url.parse().unwrap());
        let limits = Limits { redirects: 0, whole: Duration::from_secs(10), ..Limits::default() };
        let store = Store::memory().unwrap();
        let http = Guarded::new(allow, limits, Arc::new(SystemNames), dynamic.clone(), net);
        let random = Arc::new(SeededRandom::new(1));
        let edges = Edges { http: Arc::new(http), store: store.clone(), clock: dynamic, random };
        let settings = Settings { windows: [("1m".to_owned(), window.clone())].into() };
        Self { server, sink: InfluxDb::new("candles", settings, 10, edges), window, clock, store }
    }

    pub fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Publishes a commit of these candles.
    pub fn publish(&self, seq: u64, rows: &[Row<'_>]) -> Result<(), SinkError> {
        self.publish_revised(seq, rows, 0)
    }

    pub fn publish_revised(&self, seq: u64, rows: &[Row<'_>], revision: i64) -> Result<(), SinkError> {
        let mut output = sample(seq, Variant::First);
        output.shard = 0;
        output.closed = vec![("1m".to_owned(), candles(rows, revision))];
        self.publish_output(&output)
    }

    pub fn publish_output(&self, output: &EpochOutput<'_>) -> Result<(), SinkError> {
        let items = self.sink.prepare(output)?;
        assert_eq!(items, self.sink.prepare(output)?, "preparing twice");
        items.into_iter().try_for_each(|item| self.sink.publish(&item.name, item.bytes))
    }

    /// Objects with points that were set aside, and what they hold.
    pub fn refused(&self) -> Vec<(String, String)> {
        let listed = self.store.list("refused").unwrap();
        let read = |path: &str| String::from_utf8(self.store.get(path).unwrap().unwrap().to_vec()).unwrap();
        listed.into_iter().map(|(path, _)| (path.clone(), read(&path))).collect()
    }
}

pub fn candles(rows: &[Row<'_>], revision: i64) -> RecordBatch {
    let count = rows.len();
    let times = |shift: i64| -> ArrayRef {
        let starts = rows.iter().map(|(_, start, _)| start.saturating_add(shift));
        Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC"))
    };
    let close =
        Decimal128Array::from(vec![6_012_312_345_678; count]).with_precision_and_scale(38, 8).unwrap();
    RecordBatch::try_from_iter_with_nullable([
        ("symbol", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef, false),
        ("window_start", times(0), false),
        ("window_end", times(MINUTE_US), false),
        ("close", Arc::new(close), true),
        ("rate", Arc::new(Float64Array::from(vec![f64::NAN; count])), true),
        ("trades", Arc::new(Int64Array::from(vec![7; count])), true),
        ("missing", Arc::new(Int64Array::from(vec![None; count])), true),
        ("venue", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.2))), true),
        ("revision", Arc::new(Int64Array::from(vec![revision; count])), false),
    ])
    .unwrap()
}
