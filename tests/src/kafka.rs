//! A real Kafka broker (KRaft, one node) on free loopback ports, its data in a temporary folder.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, io};

use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tallow_env::{Clock, SystemClock};
use tempfile::TempDir;

use crate::{paths, skip_unless_ci};

/// Time for a JVM on a busy machine to open its port.
const START_LIMIT: Duration = Duration::from_secs(90);

/// The JVM dies with the test, however the test ends: the shell waits for the end of its input, which comes
/// when the test's side of the pipe closes. Then nobody else is left to remove the data.
const SUPERVISE: &str = r#"
    java "$@" & pid=$!
    read -r signal
    kill "-${signal:-KILL}" $pid
    wait $pid
    [ -n "$signal" ] || rm -rf "$DATA"
"#;

pub struct Kafka {
    /// `host:port`, for clients.
    pub bootstrap: String,
    jars: PathBuf,
    data: TempDir,
    process: Option<Child>,
}

impl Kafka {
    /// The broker that the tests of one program share, or None after saying why there is none.
    pub fn shared(test: &str) -> Option<&'static Kafka> {
        static SHARED: OnceLock<Result<Kafka, String>> = OnceLock::new();
        match SHARED.get_or_init(Kafka::start) {
            Ok(kafka) => Some(kafka),
            Err(why) => {
                skip_unless_ci(test, why);
                None
            }
        }
    }

    /// A broker of one's own. The error says what this machine lacks.
    pub fn start() -> Result<Self, String> {
        Self::start_behind(None)
    }

    /// The same, where clients are told to come by another port: a proxy's.
    pub fn start_behind(proxy: Option<u16>) -> Result<Self, String> {
        let jars = jars()?;
        let data = TempDir::with_prefix("tallow-kafka-").map_err(|error| error.to_string())?;
        let [port, controller] = free_ports();
        let properties = properties(port, proxy.unwrap_or(port), controller, &data.path().join("log"));
        fs::write(data.path().join("server.properties"), properties).map_err(|error| error.to_string())?;
        let mut kafka = Self { bootstrap: format!("127.0.0.1:{port}"), jars, data, process: None };
        kafka.format()?;
        kafka.resume();
        Ok(kafka)
    }

    /// Starts a stopped broker on the same ports and data.
    pub fn resume(&mut self) {
        assert!(self.process.is_none(), "the broker runs already");
        let log = fs::File::create(self.data.path().join("kafka.out")).expect("a log file");
        let process = Command::new("sh")
            .args(["-c", SUPERVISE, "kafka"])
            .env("DATA", self.data.path())
            .args(["-Xmx1g", "-cp"])
            .arg(self.jars.join("*"))
            .arg("kafka.Kafka")
            .arg(self.data.path().join("server.properties"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("a shell");
        self.process = Some(process);
        self.wait_until_open();
    }

    /// Lets the broker finish what it does.
    pub fn stop(&mut self) {
        self.end("TERM\n");
    }

    /// Ends the broker as a power cut would.
    pub fn kill(&mut self) {
        self.end("KILL\n");
    }

    /// Makes a topic that keeps its messages for ever, however old their timestamps; `name` is made unique.
    pub fn topic(&self, name: &str, partitions: i32) -> String {
        self.topic_that_keeps(name, partitions, "-1")
    }

    /// The same with a `retention.ms` of its own.
    pub fn topic_that_keeps(&self, name: &str, partitions: i32, retention_ms: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.make_topic(&name, partitions, retention_ms);
        name
    }

    /// A topic of that very name, on a broker of one's own.
    pub fn topic_named(&self, name: &str, partitions: i32) {
        self.make_topic(name, partitions, "-1");
    }

    fn make_topic(&self, name: &str, partitions: i32, retention_ms: &str) {
        let topic =
            NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("retention.ms", retention_ms);
        // A broker that has just started beside others takes its time.
        let options =
            AdminOptions::new().operation_timeout(Some(START_LIMIT)).request_timeout(Some(START_LIMIT));
        let made = block_on(self.admin().create_topics([&topic], &options)).expect("the broker answers");
        assert!(made.iter().all(Result::is_ok), "topic {name}: {made:?}");
        self.wait_until_known(name, partitions);
    }

    /// The controller answers before the broker tells its clients of a new topic.
    fn wait_until_known(&self, topic: &str, partitions: i32) {
        let clock = SystemClock::new();
        let start = clock.ticks();
        let admin = self.admin();
        let known = || {
            let metadata = admin.inner().fetch_metadata(Some(topic), START_LIMIT).ok()?;
            let topic = metadata.topics().iter().find(|known| known.name() == topic)?;
            Some(topic.partitions().iter().filter(|partition| partition.leader() >= 0).count())
        };
        while known() != usize::try_from(partitions).ok() {
            assert!(
                clock.ticks().since(start) < START_LIMIT,
                "topic {topic} is not known within {START_LIMIT:?}"
            );
            clock.sleep(Duration::from_millis(20));
        }
    }

    /// Removes a partition's records before `offset`, as retention does.
    pub fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("an offset");
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        block_on(self.admin().delete_records(&offsets, &options)).expect("the broker removes records");
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.bootstrap).create().expect("an admin client")
    }

    fn format(&self) -> Result<(), String> {
        let output = Command::new("java")
            .arg("-cp")
            .arg(self.jars.join("*"))
            .args(["kafka.tools.StorageTool", "format", "-t", "dGFsbG93LXRlc3RzLWthZg", "-c"])
            .arg(self.data.path().join("server.properties"))
            .output()
            .map_err(|error| format!("no java: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("Kafka cannot format its storage: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }

    fn wait_until_open(&self) {
        let clock = SystemClock::new();
        let start = clock.ticks();
        while TcpStream::connect(&self.bootstrap).is_err() {
            if clock.ticks().since(start) > START_LIMIT {
                let log = fs::read_to_string(self.data.path().join("kafka.out")).unwrap_or_default();
                panic!("Kafka does not open {} within {START_LIMIT:?}:\n{log}", self.bootstrap);
            }
            clock.sleep(Duration::from_millis(50));
        }
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut process) = self.process.take() {
            if let Some(mut input) = process.stdin.take() {
                // The shell may be gone already; then so is the broker.
                let _ = io::Write::write_all(&mut input, signal.as_bytes());
            }
            process.wait().expect("the shell can be waited for");
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kafka's jars in `target/kafka/lib`, fetched by Maven once.
fn jars() -> Result<PathBuf, String> {
    if !Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success()) {
        return Err("no java (apt-get install default-jre-headless)".to_owned());
    }
    let folder = paths::target().join("kafka/lib");
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(paths::target().join("kafka")).map_err(|error| error.to_string())?;
    let fresh =
        TempDir::with_prefix_in("lib-", paths::target().join("kafka")).map_err(|error| error.to_string())?;
    let output = Command::new("mvn")
        .args(["-q", "-B", "-f"])
        .arg(paths::root().join("tests/kafka/pom.xml"))
        .arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", fresh.path().display()))
        .output()
        .map_err(|error| format!("no mvn (apt-get install maven): {error}"))?;
    if !output.status.success() {
        return Err(format!("Maven cannot fetch Kafka: {}", String::from_utf8_lossy(&output.stdout).trim()));
    }
    // Renamed whole, so that a fetch that was cut off is not taken for Kafka. Another test may have been faster:
    // its jars are as good, and ours go with `fresh`.
    match fs::rename(fresh.path(), &folder) {
        Err(_) if folder.exists() => Ok(folder),
        renamed => renamed.map(|()| folder).map_err(|error| error.to_string()),
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a loopback port"));
    listeners.map(|listener| listener.local_addr().expect("a bound port").port())
}

fn properties(port: u16, advertised: u16, controller: u16, log: &Path) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         log.dirs={}\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n\
         auto.create.topics.enable=false\n",
        log.display()
    )
}
