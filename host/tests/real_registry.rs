//! Components out of a real OCI registry (Debian's docker-registry): pinned, checked, and told apart from what is not one.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tallow::oci::{Credentials, OciError, pull};
use tallow_env::{Clock, SystemClock};
use tempfile::TempDir;

struct Registry {
    address: String,
    process: Child,
    _data: TempDir,
}

impl Registry {
    /// None, after saying why, where there is no docker-registry.
    fn start(test: &str) -> Option<Self> {
        let data = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let config = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: '{address}' }}\n",
            data.path().display()
        );
        let path = data.path().join("config.yml");
        fs::write(&path, config).unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            tallow_tests::skip_unless_ci(test, "no docker-registry (apt-get install docker-registry)");
            return None;
        };
        let registry = Self { address, process, _data: data };
        let clock = SystemClock::new();
        let start = clock.ticks();
        while TcpStream::connect(&registry.address).is_err() {
            assert!(
                clock.ticks().since(start) < Duration::from_secs(30),
                "the registry does not open its port"
            );
            clock.sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    /// Pushes layers under a tag; gives the digest of their manifest.
    fn push(&self, name: &str, layers: &[(&str, &[u8])]) -> String {
        let reference: Reference = format!("{}/{name}:1", self.address).parse().unwrap();
        let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
        let layers: Vec<ImageLayer> = layers
            .iter()
            .map(|(kind, bytes)| ImageLayer::new(bytes.to_vec(), (*kind).to_owned(), None))
            .collect();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = Client::try_from(config).unwrap();
            let about = Config::new(b"{}".to_vec(), "application/vnd.wasm.config.v0+json".to_owned(), None);
            client.push(&reference, &layers, about, &RegistryAuth::Anonymous, None).await.unwrap();
            client.fetch_manifest_digest(&reference, &RegistryAuth::Anonymous).await.unwrap()
        })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const WASM: &str = "application/wasm";

#[test]
fn a_component_comes_by_its_digest_and_nothing_else_does() {
    let test = "a_component_comes_by_its_digest_and_nothing_else_does";
    let Some(registry) = Registry::start(test) else { return };
    let bytes = fs::read(tallow_tests::paths::functions().join("window.wasm")).unwrap();
    let digest = registry.push("trading/window", &[(WASM, &bytes)]);
    let place = |what: &str| format!("oci://{}/{what}", registry.address);
    let anybody = Credentials::default();

    let pinned = place(&format!("trading/window@{digest}"));
    assert_eq!(pull(&pinned, &anybody).unwrap(), bytes);

    let by_tag = pull(&place("trading/window:1"), &anybody).unwrap_err();
    assert!(matches!(by_tag, OciError::NotPinned { .. }), "{by_tag}");
    assert!(by_tag.to_string().ends_with(&pinned), "it says what to write: {by_tag}");

    let two = registry.push("trading/two", &[(WASM, &bytes), (WASM, b"another")]);
    let two = pull(&place(&format!("trading/two@{two}")), &anybody).unwrap_err();
    assert!(matches!(two, OciError::Layers { layers: 2, .. }), "{two}");

    let image = registry.push("trading/image", &[("application/vnd.oci.image.layer.v1.tar", b"tar")]);
    let image = pull(&place(&format!("trading/image@{image}")), &anybody).unwrap_err();
    assert!(image.to_string().contains("media type"), "{image}");

    let nobody = format!("trading/window@sha256:{}", "0".repeat(64));
    let nobody = pull(&place(&nobody), &anybody).unwrap_err();
    assert!(matches!(nobody, OciError::Registry { .. }), "{nobody}");
}

#[test]
fn a_registry_that_is_not_there_is_said_to_be_so() {
    let place = format!("oci://127.0.0.1:1/window@sha256:{}", "0".repeat(64));
    let error = pull(&place, &Credentials::default()).unwrap_err().to_string();
    assert!(error.contains("cannot be pulled") && error.contains("refused"), "{error}");
}
