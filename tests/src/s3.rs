//! A real S3 gateway (versitygw) on a free loopback port, over a temporary folder.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tallow_env::{Clock, SystemClock};
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(30);
const BUCKET: &str = "lake";

/// What becomes of an object's metadata, which create-if-absent rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    Kept,
    /// The gateway then overwrites, in silence, what it was asked to create.
    Dropped,
}

pub struct S3 {
    port: u16,
    data: TempDir,
    process: Child,
}

impl S3 {
    /// A gateway with one bucket. The error says what this machine lacks.
    pub fn start(metadata: Metadata) -> Result<Self, String> {
        let data = TempDir::with_prefix("tallow-s3-").map_err(|error| error.to_string())?;
        for folder in [&format!("data/{BUCKET}"), "meta"] {
            fs::create_dir_all(data.path().join(folder)).map_err(|error| error.to_string())?;
        }
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        drop(listener);
        let mut command = Command::new("versitygw");
        command
            .args(["--port", &format!("127.0.0.1:{port}"), "posix"])
            .env("ROOT_ACCESS_KEY", "tests")
            .env("ROOT_SECRET_KEY", "tests-secret")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        match metadata {
            Metadata::Kept => command.arg("--sidecar").arg(data.path().join("meta")),
            Metadata::Dropped => command.arg("--nometa"),
        };
        let process = command.arg(data.path().join("data")).spawn().map_err(|error| {
            format!("no versitygw (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0): {error}")
        })?;
        let s3 = Self { port, data, process };
        s3.wait_until_open();
        Ok(s3)
    }

    /// The lake's URL.
    pub fn lake(&self) -> String {
        format!("s3://{BUCKET}")
    }

    /// The folder in which the gateway keeps the bucket's objects, each under its own name.
    pub fn folder(&self) -> PathBuf {
        self.data.path().join("data").join(BUCKET)
    }

    /// The manifest's table that leads to the gateway.
    pub fn options(&self) -> String {
        format!("\n[application.trigger.kafka.lake-options]\n{}", self.settings())
    }

    /// Its lines.
    pub fn settings(&self) -> String {
        format!(
            "\
             aws_endpoint = \"http://127.0.0.1:{}\"\n\
             aws_allow_http = \"true\"\n\
             aws_region = \"us-east-1\"\n\
             aws_access_key_id = \"tests\"\n\
             aws_secret_access_key = \"tests-secret\"\n",
            self.port
        )
    }

    fn wait_until_open(&self) {
        let clock = SystemClock::new();
        let start = clock.ticks();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(clock.ticks().since(start) < START_LIMIT, "versitygw does not open port {}", self.port);
            clock.sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
