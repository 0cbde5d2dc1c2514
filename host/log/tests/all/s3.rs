//! A real S3 gateway over a folder: `versitygw`, from the PATH. Under CI it must be there; elsewhere its tests
//! say that they were skipped.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tallow_env::{SystemClock, SystemRandom};
use tallow_store::{Patience, Store, StoreError};
use tallow_test_support::store_conformance;

struct Gateway {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the gateway with an empty bucket; `None` if it is not installed.
fn gateway(keeps_metadata: bool) -> Option<Gateway> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["root/bucket", "meta"] {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new("versitygw");
    command.env("ROOT_ACCESS_KEY", "test-access").env("ROOT_SECRET_KEY", "test-secret");
    command.args(["--port", &format!("127.0.0.1:{port}"), "posix"]);
    if keeps_metadata {
        command.arg("--sidecar").arg(at("meta"));
    } else {
        command.arg("--nometa");
    }
    command.arg(at("root")).stdout(Stdio::null()).stderr(Stdio::null());
    let process = match command.spawn() {
        Ok(process) => process,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && std::env::var_os("CI").is_none() => {
            println!("skipped: `versitygw` is not on the PATH");
            return None;
        }
        Err(error) => panic!("versitygw: {error}"),
    };
    let mut gateway = Gateway { process, port, _folder: folder };
    gateway.wait_until_it_listens();
    Some(gateway)
}

impl Gateway {
    fn wait_until_it_listens(&mut self) {
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("versitygw ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("versitygw does not listen");
    }

    fn store(&self, url: &str, secret: &str) -> Store {
        let options = [
            ("endpoint", format!("http://127.0.0.1:{}", self.port)),
            ("region", "us-east-1".to_owned()),
            ("access_key_id", "test-access".to_owned()),
            ("secret_access_key", secret.to_owned()),
        ];
        let options: BTreeMap<_, _> =
            options.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Store::open(url, &options).unwrap()
    }
}

#[test]
fn an_s3_gateway_conforms() {
    let Some(gateway) = gateway(true) else { return };
    let store = gateway.store("s3://bucket/some/lake", "test-secret");
    store_conformance::run(&store, Arc::new(SystemClock::new()), Arc::new(SystemRandom)).unwrap();
    assert!(store.list("").unwrap().is_empty());
    assert!(Path::new(&gateway._folder.path().join("root/bucket")).is_dir());
}

#[test]
fn a_gateway_that_overwrites_in_silence_is_refused() {
    let Some(gateway) = gateway(false) else { return };
    let store = gateway.store("s3://bucket/lake", "test-secret");
    let error = store.probe(&SystemRandom).unwrap_err();
    assert!(error.to_string().contains("this store overwrites"), "{error}");
}

#[test]
fn a_wrong_key_and_a_missing_bucket_are_told_apart_at_once() {
    let Some(gateway) = gateway(true) else { return };
    let denied = gateway.store("s3://bucket/lake", "wrong-secret").create("x", "").unwrap_err();
    assert!(matches!(denied, StoreError::Denied { .. }), "{denied}");
    let missing = gateway.store("s3://no-such-bucket/lake", "test-secret").create("x", "").unwrap_err();
    assert!(missing.to_string().contains("the bucket or folder may not exist"), "{missing}");
}

#[test]
fn a_gateway_that_is_gone_is_unreachable_and_names_its_url() {
    let Some(gateway) = gateway(true) else { return };
    let patience = Patience { whole: Duration::from_millis(1), ..Patience::default() };
    let store = gateway.store("s3://bucket/lake", "test-secret").with_patience(patience);
    drop(gateway);
    let error = store.get("x").unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("s3://bucket/lake"), "{error}");
    let error = store.create("x", "").unwrap_err();
    assert!(matches!(error, StoreError::Unknown { .. }), "{error}");
    assert_eq!(error.exit_code(), 69);
}
