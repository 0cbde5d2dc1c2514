//! The gateways under wasmCloud's `wash dev`, where there is a `wash`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tallow_env::{Clock, SystemClock};
use tallow_tests::gateway::{COMPOSED, send};
use tallow_tests::{paths, skip};

/// What `wash dev` starts ends with it.
struct Dev(Child);

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = Command::new("kill").arg("-INT").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn both_gateways_answer_under_wash_dev() {
    let test = "both_gateways_answer_under_wash_dev";
    if Command::new("wash").arg("--version").output().is_err() {
        return skip(test, "no `wash` on PATH (https://wasmcloud.com)");
    }
    let config = fs::read_to_string(paths::root().join("deploy/wasmcloud/.wash/config.yaml")).unwrap();
    let record =
        json!({"e": "trade", "E": 1, "s": "A", "t": 1, "p": "2.5", "q": "3", "T": 1_704_067_200_000_i64});
    for gateway in COMPOSED {
        let place = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let component = paths::functions().join(format!("{gateway}.wasm")).display().to_string();
        let config = config
            .replace("../../target/functions/gateway-p2-composed.wasm", &component)
            .replace("127.0.0.1:8000", &address);
        assert!(config.contains(&component) && config.contains(&address), "{config}");
        fs::create_dir(place.path().join(".wash")).unwrap();
        fs::write(place.path().join(".wash/config.yaml"), config).unwrap();
        let dev = Command::new("wash")
            .arg("dev")
            .current_dir(place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let _dev = Dev(dev.unwrap());

        wait_until_it_answers(&address);
        let body = serde_json::to_vec(&json!({"records": [record], "columns": [{"name": "price"}]})).unwrap();
        let reply = send(&address, "POST", "/parse", &[("content-type", "application/json")], &body).ok();
        assert_eq!(
            reply["rows"],
            json!([{"record": 0, "kind": "trade", "price": "2.50000000"}]),
            "{gateway}"
        );
        let refused = send(&address, "POST", "/parse", &[("content-type", "text/csv")], &body);
        assert_eq!(refused.status, 415, "{gateway}");
    }
}

/// Before wash is ready it refuses connections, then answers 404.
fn wait_until_it_answers(address: &str) {
    let clock = SystemClock::new();
    let start = clock.ticks();
    loop {
        if TcpStream::connect(address).is_ok() && send(address, "GET", "/healthz", &[], &[]).status == 200 {
            return;
        }
        assert!(clock.ticks().since(start) < Duration::from_secs(120), "wash does not serve {address}");
        clock.sleep(Duration::from_millis(200));
    }
}
