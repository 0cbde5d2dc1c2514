//! A component served over HTTP by `serve-component`, and a plain client of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::paths;

/// The gateways as they are deployed: composed with the functions.
pub const COMPOSED: [&str; 2] = ["gateway-p2-composed", "gateway-composed"];

/// A process that serves a component; it is killed when dropped.
pub struct Gateway {
    process: Child,
    /// `127.0.0.1:<port>`.
    pub address: String,
}

/// What came back, to the end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Gateway {
    /// One of [`COMPOSED`], on a free port.
    pub fn start(name: &str) -> Self {
        let component = paths::functions().join(format!("{name}.wasm"));
        assert!(component.exists(), "{} is not there: run `make gateways` first", component.display());
        Self::serve(&component, "127.0.0.1:0")
    }

    /// Any component, on any address.
    pub fn serve(component: &Path, address: &str) -> Self {
        let mut process = Command::new(program())
            .arg(component)
            .arg(address)
            // Its end is that of the process.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("serve-component starts");
        let mut address = String::new();
        let output = process.stdout.take().expect("its output is a pipe");
        BufReader::new(output).read_line(&mut address).expect("serve-component says where it listens");
        assert!(!address.is_empty(), "serve-component does not serve {}", component.display());
        Self { process, address: address.trim_end().to_owned() }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn get(&self, path: &str) -> Reply {
        send(&self.address, "GET", path, &[], &[])
    }

    pub fn json(&self, path: &str, body: &serde_json::Value) -> Reply {
        let body = serde_json::to_vec(body).expect("JSON can be written");
        self.post(path, "application/json", &body)
    }

    pub fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Reply {
        send(&self.address, "POST", path, &[("content-type", content_type)], body)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The answer to what was carried out.
    pub fn ok(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// What is wrong with the request.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no fault: {self:?}")).to_owned()
    }
}

/// Sends a request on a connection of its own, and reads until that is closed.
pub fn send(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).expect("the gateway listens");
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("the gateway reads");
    read(BufReader::new(stream))
}

fn read(mut stream: BufReader<TcpStream>) -> Reply {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).expect("the gateway answers");
        line.trim_end().to_owned()
    };
    let first = line();
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("not an answer of HTTP: {first:?}"));
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut body = Vec::new();
    stream.read_to_end(&mut body).expect("the gateway answers");
    Reply { status, headers, body }
}

fn program() -> PathBuf {
    let path = paths::target().join("release/serve-component");
    assert!(path.exists(), "{} is not there: run `make test` once", path.display());
    path
}
