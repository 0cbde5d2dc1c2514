//! A stream whose results go to topics of a real Kafka.

use std::time::Duration;

use tallow_env::{Clock, Random, SystemClock};
use tallow_sink_kafka::Record;
use tallow_tests::kafka::Kafka;
use tallow_tests::stream::Stream;
use tallow_tests::{lake, results, tallow};

/// A stream whose candles go to a topic, too.
pub struct Scene {
    pub stream: Stream,
    pub topic: String,
    /// Where the broker itself is, whatever the clients are told.
    bootstrap: String,
}

impl Scene {
    pub fn new(kafka: &Kafka, brokers: &str, tables: &str) -> Self {
        let topic = kafka.topic("candles-1m", 2);
        let stream = Stream::new(brokers, &kafka.topic("trades", 1));
        let table = format!("[trigger.kafka.windows.kafka]\ntopic = \"{topic}\"\n\n{tables}\n");
        stream.edit("[component.parse-market]", &format!("{table}[component.parse-market]"));
        Self { stream, topic, bootstrap: kafka.bootstrap.clone() }
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

    pub fn records(&self) -> Vec<Record> {
        results::records(&self.bootstrap, &self.topic)
    }

    /// Fails unless topic and lake both hold all candles, each once, and `tallow verify` proves it.
    pub fn compare(&self, what: &str) {
        self.compare_closed(what);
        let records = self.records();
        let verified = tallow::run(&self.arguments(&["verify"], &[])).success();
        let proved = format!("topics   {} records, each there once", records.len());
        assert!(verified.stdout.contains(&proved), "{what}: {}", verified.stdout);
    }

    /// Fails unless topic and lake both hold all candles, each closed once.
    pub fn compare_closed(&self, what: &str) {
        self.stream.compare();
        let mut records = self.records();
        assert!(records.iter().all(|record| record.key.as_deref() == Some(b"AB")), "{what}");
        records.retain(|record| record.header("tallow.state") == Some("closed"));
        let rows = results::rows(&records);
        lake::assert_same_rows(what, &self.stream.expected(), &rows);
        lake::assert_no_duplicates(&rows, &["symbol"]);
    }

    /// Kills runs, each some commits and a moment after its start, until one ends by itself. How many there were.
    pub fn kill_at_random(&self, random: &dyn Random) -> usize {
        const MOST_KILLS: usize = 20;
        let clock = SystemClock::new();
        for kills in 0..MOST_KILLS {
            let commits = self.stream.commits() + 1 + random.below(4) as usize;
            let moment = Duration::from_micros(random.below(40_000));
            let killed = self.start().kill_when(|| {
                let reached = self.stream.commits() >= commits;
                if reached {
                    clock.sleep(moment);
                }
                reached
            });
            if !killed {
                return kills;
            }
        }
        MOST_KILLS
    }
}
