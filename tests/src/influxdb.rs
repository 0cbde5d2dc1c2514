//! A real InfluxDB 1.6 on free loopback ports, over a temporary folder.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tallow_env::{Clock, SystemClock};
use tempfile::TempDir;

use crate::lake::{self, Row};

const START_LIMIT: Duration = Duration::from_secs(30);
pub const DATABASE: &str = "market";

/// A server with one database.
pub struct InfluxDb {
    port: u16,
    data: TempDir,
    process: Option<Child>,
}

impl InfluxDb {
    /// The error says what this machine lacks.
    pub fn start() -> Result<Self, String> {
        Self::start_with("")
    }

    /// With more lines in `[http]` of its configuration.
    pub fn start_with(http: &str) -> Result<Self, String> {
        let data = TempDir::with_prefix("tallow-influxdb-").map_err(|error| error.to_string())?;
        let [port, backup] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a loopback port"));
        let [port, backup] = [port, backup].map(|it| it.local_addr().expect("a bound port").port());
        let folder = data.path().display();
        let config = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{backup}\"\n[meta]\ndir = \"{folder}/meta\"\n\
             [data]\ndir = \"{folder}/data\"\nwal-dir = \"{folder}/wal\"\n[monitor]\nstore-enabled = false\n\
             [http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = false\n{http}\n"
        );
        fs::write(data.path().join("influxdb.conf"), config).map_err(|error| error.to_string())?;
        let mut server = Self { port, data, process: None };
        server.resume()?;
        server.command("CREATE DATABASE market");
        Ok(server)
    }

    /// Starts it again, where it was, with what it had.
    pub fn resume(&mut self) -> Result<(), String> {
        let log = File::create(self.data.path().join("log")).map_err(|error| error.to_string())?;
        let process = Command::new("influxd")
            .args(["run", "-config"])
            .arg(self.data.path().join("influxdb.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("no influxd (apt-get install influxdb): {error}"))?;
        self.process = Some(process);
        let clock = SystemClock::new();
        let start = clock.ticks();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if clock.ticks().since(start) > START_LIMIT {
                let log = fs::read_to_string(self.data.path().join("log")).unwrap_or_default();
                panic!("influxd does not listen within {START_LIMIT:?}:\n{log}");
            }
            clock.sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            process.wait().expect("the process can be waited for");
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Runs a statement that changes something, as whoever `influx` would be.
    pub fn command(&self, statement: &str) {
        self.ask("POST", statement);
    }

    /// The series of an InfluxQL query, with times in microseconds. Fails on what the server calls an error.
    pub fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.ask("GET", query);
        let results = answer["results"].as_array().unwrap_or_else(|| panic!("{query}: {answer}"));
        results.iter().flat_map(|result| result["series"].as_array().cloned().unwrap_or_default()).collect()
    }

    /// A measurement's points, as the lake's rows are read.
    pub fn rows(&self, measurement: &str) -> Vec<Row> {
        let series = self.query(&format!("SELECT * FROM \"{measurement}\""));
        series.iter().flat_map(rows).collect()
    }

    /// The same, where users have to say who they are.
    pub fn rows_as(&self, measurement: &str, user: (&str, &str)) -> Vec<Row> {
        let answer = self.ask_as("GET", &format!("SELECT * FROM \"{measurement}\""), Some(user));
        answer["results"][0]["series"].as_array().into_iter().flatten().flat_map(rows).collect()
    }

    /// Writes lines, with times in microseconds.
    pub fn write(&self, lines: &str) {
        let answer = self.send("POST", &format!("/write?db={DATABASE}&precision=u"), lines);
        assert!(answer.starts_with("HTTP/1.0 204") || answer.starts_with("HTTP/1.1 204"), "{answer}");
    }

    /// The same server, where users have to say who they are from now on.
    pub fn with_users(mut self) -> Option<Self> {
        self.kill();
        let config = self.data.path().join("influxdb.conf");
        let text = fs::read_to_string(&config).ok()?.replace("[http]", "[http]\nauth-enabled = true");
        fs::write(&config, text).ok()?;
        self.resume().ok()?;
        Some(self)
    }

    fn ask(&self, method: &str, statement: &str) -> Value {
        self.ask_as(method, statement, None)
    }

    fn send(&self, method: &str, target: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("influxd listens");
        let length = body.len();
        let head =
            format!("{method} {target} HTTP/1.0\r\nhost: influxdb\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all((head + body).as_bytes()).expect("a request can be sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn ask_as(&self, method: &str, statement: &str, user: Option<(&str, &str)>) -> Value {
        let encoded: String = statement.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let user = user.map(|(name, password)| format!("&u={name}&p={password}")).unwrap_or_default();
        let answer = self.send(method, &format!("/query?db={DATABASE}&epoch=u&q={encoded}{user}"), "");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        let value: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
        let failed = value["error"].is_string() || value["results"][0]["error"].is_string();
        assert!(!failed, "{statement}: {value}");
        value
    }
}

impl Drop for InfluxDb {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Columns that have another name or no place in the lake.
fn rows(series: &Value) -> Vec<Row> {
    let columns: Vec<&str> =
        series["columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |values: &Value| -> Row {
        let cells = columns.iter().zip(values.as_array().into_iter().flatten());
        cells.map(|(column, cell)| text(column, cell)).collect()
    };
    series["values"].as_array().into_iter().flatten().map(row).collect()
}

fn text(column: &str, cell: &Value) -> (String, String) {
    let name = if column == "time" { "window_start" } else { column };
    let text = match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if name.starts_with("window_") => {
            lake::time(number.as_i64().unwrap_or_default())
        }
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    };
    (name.to_owned(), text)
}
