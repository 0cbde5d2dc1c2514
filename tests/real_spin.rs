//! The plugin as `make plugin` packs it; where there is a `spin`, it installs the plugin and runs it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tallow_tests::kafka::Kafka;
use tallow_tests::spin::Spin;
use tallow_tests::stream::Stream;
use tallow_tests::tallow::{self, Running};
use tallow_tests::{gateway, paths, skip, spin};
use tempfile::TempDir;

/// Packs the plugin into a folder.
fn pack(folder: &Path) -> String {
    let packed = Command::new(paths::root().join("scripts/plugin.sh"))
        .arg(paths::program("tallow"))
        .arg(folder)
        .output()
        .unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    String::from_utf8(packed.stdout).unwrap()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_plugin_is_a_tarball_whose_manifest_spin_takes() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("a folder");
    let said = pack(&folder);
    assert!(said.starts_with("spin plugins install --file "), "{said}");
    let tarball = folder.join("trigger-kafka.tar.gz").display().to_string();
    assert_eq!(output("tar", &["-tzf", &tarball]), "trigger-kafka\n");

    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.join("trigger-kafka.json")).unwrap()).unwrap();
    let package = &manifest["packages"][0];
    let arch = if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH };
    assert_eq!(manifest["name"], json!("trigger-kafka"));
    assert_eq!((&package["os"], &package["arch"]), (&json!("linux"), &json!(arch)));
    assert_eq!(package["url"], json!(format!("file://{}", tarball.replace(' ', "%20"))));
    let sum = output("sha256sum", &[&tarball]);
    assert_eq!(package["sha256"].as_str(), sum.split(' ').next());

    let again = place.path().join("again");
    pack(&again);
    assert!(fs::read(&tarball).unwrap() == fs::read(again.join("trigger-kafka.tar.gz")).unwrap());
}

/// A `spin` with the plugin in a data folder of its own.
struct Installed {
    data: TempDir,
    version: String,
}

impl Installed {
    /// None, after saying so, where there is no `spin`.
    fn new(test: &str) -> Option<Self> {
        let Ok(version) = Command::new("spin").arg("--version").output() else {
            skip(test, "no `spin` on PATH (https://spinframework.dev)");
            return None;
        };
        let version = String::from_utf8(version.stdout).unwrap();
        let installed = Self { data: tempfile::tempdir().unwrap(), version };
        pack(installed.data.path());
        let manifest = installed.data.path().join("trigger-kafka.json");
        let mut command = installed.command(installed.data.path());
        command.args(["plugins", "install", "--yes", "--file"]).arg(manifest);
        tallow::start_command(command).wait().success();
        Some(installed)
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("spin");
        command.env("SPIN_DATA_DIR", self.data.path().join("spin")).current_dir(folder).stdin(Stdio::null());
        command
    }

    fn up(&self, stream: &Stream, arguments: &[&str]) -> Running {
        let mut command = self.command(stream.folder());
        command.args(["up", "--brokers", &stream.brokers]).args(arguments);
        tallow::start_command(command)
    }
}

#[test]
fn spin_up_runs_the_pipelines_of_a_manifest() {
    let test = "spin_up_runs_the_pipelines_of_a_manifest";
    let Some(installed) = Installed::new(test) else { return };
    let Some(kafka) = Kafka::shared(test) else { return };
    let stream = || Stream::new(&kafka.bootstrap, &kafka.topic("trades", 1));

    let drained = stream();
    let temporary = tempfile::tempdir().unwrap();
    let kept = temporary.path().display().to_string();
    installed.up(&drained, &["--available-now", "--close-all", "--temp", &kept]).wait().success();
    drained.compare();
    if installed.version.starts_with("spin 4.") {
        let lock: Value =
            serde_json::from_slice(&fs::read(temporary.path().join("spin.lock")).unwrap()).unwrap();
        assert_eq!(
            lock,
            spin::lock(Spin::Four, &drained.manifest()),
            "the other tests' lock files are sound"
        );
    }

    let interrupted = stream();
    let left = installed.up(&interrupted, &[]).stop_when(|| interrupted.commits() > 2).success();
    assert!(left.stdout.contains("tables are in"), "{left:?}");
    interrupted.finish_and_compare();

    let killed = stream();
    let running = installed.up(&killed, &[]);
    let id = running.id();
    let mut started = Vec::new();
    running.kill_when(|| {
        started = spin::descendants(id);
        killed.commits() > 2
    });
    assert!(!started.is_empty(), "spin has started nothing");
    started.into_iter().for_each(spin::wait_until_gone);
    killed.finish_and_compare();

    let mistaken = stream();
    mistaken.edit("delay = \"2s\"", "delai = \"2s\"");
    let refused = installed.up(&mistaken, &[]).wait();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("spin.toml:15:1: trigger.kafka[candles].delai: unknown key"),
        "{refused:?}"
    );
}

#[test]
fn one_spin_up_serves_http_beside_the_pipelines() {
    let test = "one_spin_up_serves_http_beside_the_pipelines";
    let Some(installed) = Installed::new(test) else { return };
    let Some(kafka) = Kafka::shared(test) else { return };
    let stream = Stream::new(&kafka.bootstrap, &kafka.topic("trades", 1));
    stream.edit("[component.window]", &format!("{}\n[component.window]", gateway_component()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);

    let running = installed.up(&stream, &["--listen", &address, "--quiet"]);
    let mut served = false;
    let left = running.stop_when(|| {
        served = served || page(&address).is_some_and(|page| page["functions"][0]["name"] == "parse-market");
        served && stream.commits() > 2
    });
    assert!(served, "{left:?}");
    left.success();
    // Spin may leave before the last of its triggers does.
    stream.finish_and_compare();

    // Where the pipelines cannot run, nothing does.
    stream.edit("delay = \"2s\"", "delai = \"2s\"");
    let refused = installed.up(&stream, &["--listen", &address]).wait();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// The repository's own gateway, with the functions that it is given.
fn gateway_component() -> String {
    let source = |name: &str| format!("source = {:?}\n", paths::functions().join(format!("{name}.wasm")));
    let mut text =
        "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"gateway\"\n[component.gateway]\n".to_owned();
    text += &source("gateway-p2");
    text += "[component.gateway.dependencies]\n";
    for (contract, component) in [
        ("parse/parse", "parse-market"),
        ("window/window", "window"),
        ("merge/merge", "merge"),
        ("backfill/backfill", "backfill-binance"),
    ] {
        let path = paths::functions().join(format!("{component}.wasm"));
        text += &format!("\"tallow:{contract}@0.1.0\" = {{ path = {path:?} }}\n");
    }
    text
}

/// None while nobody listens.
fn page(address: &str) -> Option<Value> {
    TcpStream::connect(address).ok()?;
    Some(gateway::send(address, "GET", "/", &[], &[]).ok())
}
