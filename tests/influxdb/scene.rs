//! A stream whose candles go to a database, too.

use tallow_tests::influxdb::{DATABASE, InfluxDb};
use tallow_tests::lake;
use tallow_tests::stream::Stream;
use tallow_tests::tallow;

pub struct Scene {
    pub stream: Stream,
}

impl Scene {
    /// `keys`: more lines of the table.
    pub fn new(server: &InfluxDb, keys: &str) -> Self {
        Self::on(&server.url(), &format!("version = \"1\"\ndatabase = \"{DATABASE}\"\n{keys}"))
    }

    /// At an address, by these lines of the table.
    pub fn on(url: &str, keys: &str) -> Self {
        let stream = Stream::in_memory();
        let table = format!("[trigger.kafka.windows.influxdb]\nurl = \"{url}\"\n{keys}\n\n");
        stream.edit("[component.parse-market]", &format!("{table}[component.parse-market]"));
        Self { stream }
    }

    pub fn arguments(&self, command: &[&str], more: &[&str]) -> Vec<String> {
        let manifest = self.stream.manifest().display().to_string();
        let lake = self.stream.lake().display().to_string();
        let place = ["-f", &manifest, "--lake", &lake, "--brokers", &self.stream.brokers];
        command.iter().chain(&place).chain(more).map(|text| (*text).to_owned()).collect()
    }

    pub fn start(&self) -> tallow::Running {
        tallow::start(&self.arguments(&["up"], &["--available-now", "--close-all"]))
    }

    pub fn compare(&self, what: &str, server: &InfluxDb) {
        self.compare_in("candles_1m", what, server);
    }

    /// Fails unless lake and database hold all candles, each closed, once, and with the same values.
    pub fn compare_in(&self, measurement: &str, what: &str, server: &InfluxDb) {
        self.stream.compare();
        let points = server.rows(measurement);
        let of_lake = lake::table(&self.stream.lake(), "speed/candles_1m");
        lake::assert_same_rows(what, &of_lake, &points);
        assert!(points.iter().all(|point| point["closed"] == "true"), "{what}: {points:?}");
        assert!(points.iter().all(|point| point["null_fields"].is_empty()), "{what}: {points:?}");
    }
}
