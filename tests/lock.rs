//! A manifest means the same whether `tallow up` reads it or Spin hands it over in a lock file.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tallow_manifest::{Errors, Manifest, Overrides, Source, load, load_locked};
use tallow_tests::paths;
use tallow_tests::spin::{SPINS, Spin, lock};
use tempfile::TempDir;

const HIDDEN: &str = "hunter2zebra";

/// With keys in another order than Spin's, variables, a secret, an HTTP trigger with a component that reaches another one.
const MANIFEST: &str = r#"spin_manifest_version = 2

[application]
name = "test"
version = "1.2.3"
authors = ["A", "B"]

[variables]
brokers = { default = "localhost:1", description = "where Kafka is" }
password = { required = true, secret = true }

[application.trigger.kafka]
brokers = "{{ brokers }}"
lake = "lake"

[application.trigger.kafka.client]
"sasl.password" = "{{ password }}"

[[trigger.kafka]]
id = "candles"
topic = "trades"
parse = "parse-market"
scales = { price = 2 }

[[trigger.kafka.windows]]
name = "1m"
kinds = ["trade"]
tumbling = "1m"
keys = ["symbol"]

[trigger.kafka.windows.aggregates]
open = "first(price)"
high = "max(price)"
close = "last(price)"
amount = "sum(quantity)"

[[trigger.http]]
route = "/..."
component = "web"

[component.parse-market]
source = "parse-market.wasm"
build = { command = "make functions" }

[component.window]
source = "window.wasm"

[component.web]
source = "web.wasm"
allowed_outbound_hosts = ["http://other.spin.internal"]
"#;

struct Scene {
    folder: TempDir,
    file: PathBuf,
    env: BTreeMap<String, String>,
}

impl Scene {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().canonicalize().unwrap().join("spin.toml");
        fs::write(&file, text).unwrap();
        let env = [("SPIN_VARIABLE_PASSWORD".to_owned(), HIDDEN.to_owned())].into();
        Self { folder, file, env }
    }

    fn read(&self) -> Result<Manifest, Errors> {
        load(&self.file, &self.env, &Overrides::default())
    }

    fn locked(&self, lock: &Value) -> Result<Manifest, Errors> {
        load_locked(&lock.to_string(), &self.env, &Overrides::default())
    }
}

fn replaced(part: &str, by: &str) -> Scene {
    assert_eq!(MANIFEST.matches(part).count(), 1, "{part:?} must stand once in the manifest");
    Scene::new(&MANIFEST.replace(part, by))
}

/// What is wrong with a lock file, in one text.
fn refused(scene: &Scene, change: impl FnOnce(&mut Value)) -> String {
    let mut lock = lock(Spin::Four, &scene.file);
    change(&mut lock);
    scene.locked(&lock).unwrap_err().to_string()
}

#[test]
fn a_lock_file_resolves_to_what_its_manifest_resolves_to() {
    let root = Scene::new(&fs::read_to_string(paths::root().join("spin.toml")).unwrap());
    for scene in [Scene::new(MANIFEST), root] {
        let expected = scene.read().unwrap();
        for spin in SPINS {
            assert_eq!(scene.locked(&lock(spin, &scene.file)).unwrap(), expected, "{spin:?}");
        }
    }
}

#[test]
fn mistakes_are_reported_with_the_lines_of_the_manifest() {
    for (part, by) in [
        ("topic = \"trades\"", "topic = \"trades\"\ndelai = \"2s\""),
        ("tumbling = \"1m\"", "tumbling = \"1 minuet\""),
        ("parse = \"parse-market\"", "parse = \"parse-markt\""),
        ("lake = \"lake\"", "leke = \"lake\""),
        ("\"{{ brokers }}\"", "\"{{ brokres }}\""),
        ("amount = \"sum(quantity)\"", "amount = \"summ(quantity)\""),
        ("id = \"candles\"\n", ""),
    ] {
        let scene = replaced(part, by);
        let expected = scene.read().unwrap_err().to_string();
        for spin in SPINS {
            let errors = scene.locked(&lock(spin, &scene.file)).unwrap_err().to_string();
            assert_eq!(errors, expected, "{spin:?}");
        }
    }
}

#[test]
fn a_variable_of_the_environment_goes_before_the_default() {
    let mut scene = Scene::new(MANIFEST);
    let brokers = |scene: &Scene| scene.locked(&lock(Spin::Three, &scene.file)).unwrap().kafka.brokers;
    assert_eq!(brokers(&scene), "localhost:1");
    scene.env.insert("SPIN_VARIABLE_BROKERS".to_owned(), "kafka:9092".to_owned());
    assert_eq!(brokers(&scene), "kafka:9092");
}

#[test]
fn secrets_stay_secret() {
    let mut scene = Scene::new(MANIFEST);
    let manifest = scene.locked(&lock(Spin::Four, &scene.file)).unwrap();
    assert_eq!(manifest.kafka.client["sasl.password"].expose(), HIDDEN);
    assert!(!format!("{manifest:?}").contains(HIDDEN));

    let shown = replaced("topic = \"trades\"", "topic = \"{{ password }}\"");
    let errors = refused(&shown, |_| {});
    assert!(errors.contains("a secret variable cannot be used here") && !errors.contains(HIDDEN), "{errors}");

    scene.env.clear();
    let errors = refused(&scene, |_| {});
    assert!(errors.contains("set SPIN_VARIABLE_PASSWORD in the environment"), "{errors}");
    // A lock file is not quoted, wherever it is broken.
    let errors = refused(&scene, |lock| lock["variables"]["password"]["default"] = json!([HIDDEN]));
    assert!(errors.contains("not a lock file as Spin writes it") && !errors.contains(HIDDEN), "{errors}");
}

#[test]
fn what_an_older_trigger_must_not_overlook_is_refused_by_name() {
    let scene = Scene::new(MANIFEST);
    let errors =
        refused(&scene, |lock| lock["must_understand"] = json!(["host_requirements", "phase_of_moon"]));
    assert!(errors.contains("`phase_of_moon`"), "{errors}");
    let errors = refused(&scene, |lock| lock["host_requirements"] = json!({ "gpu": "required" }));
    assert!(errors.contains("the application requires `gpu`"), "{errors}");
    let errors = refused(&scene, |lock| lock["spin_lock_version"] = json!(2));
    assert!(errors.contains("spin_lock_version: 2 is not known"), "{errors}");
    let mut optional = lock(Spin::Four, &scene.file);
    optional["host_requirements"] = json!({ "gpu": "optional" });
    assert!(scene.locked(&optional).is_ok());
}

#[test]
fn only_components_that_run_here_are_held_to_tallows_limits() {
    let scene = replaced("build = {", "allowed_outbound_hosts = [\"http://web.spin.internal\"]\nbuild = {");
    let errors = refused(&scene, |_| {});
    let said = "component.parse-market: the component `parse-market` of pipeline `candles` requires";
    assert!(errors.contains(said) && errors.contains("`local_service_chaining`"), "{errors}");
    assert!(!errors.contains("component.web"), "{errors}");
}

#[test]
fn a_component_as_spin_writes_it_is_the_parse_function() {
    let scene = replaced("parse = \"parse-market\"", "component = \"parse-market\"");
    let manifest = scene.locked(&lock(Spin::Three, &scene.file)).unwrap();
    assert_eq!(manifest.pipelines[0].parse, "parse-market");
}

#[test]
fn an_id_that_spin_made_up_is_none() {
    for parse in ["parse = \"parse-market\"", "component = \"parse-market\""] {
        let scene = Scene::new(
            &MANIFEST.replace("id = \"candles\"\n", "").replace("parse = \"parse-market\"", parse),
        );
        let errors = refused(&scene, |_| {});
        assert!(errors.contains("trigger.kafka[#1]: `id` is missing"), "{errors}");
    }
}

#[test]
fn an_application_of_a_registry_starts_from_the_current_folder() {
    let scene = Scene::new(MANIFEST);
    for origin in [None, Some("vnd.fermyon.origin-oci://registry.example/app:v1")] {
        let mut lock = lock(Spin::Four, &scene.file);
        lock["metadata"]["origin"] = json!(origin);
        let manifest = scene.locked(&lock).unwrap();
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(manifest.kafka.lake, format!("file://{}/lake", here.display()));
        let Source::Local(file) = &manifest.components["window"].source else { panic!("not a file") };
        assert_eq!(file, &scene.file.with_file_name("window.wasm"));

        lock["triggers"][1]["trigger_config"]["delai"] = json!("2s");
        let errors = scene.locked(&lock).unwrap_err().to_string();
        assert!(errors.contains("spin.lock: trigger.kafka[candles].delai"), "{errors}");
    }
}

#[test]
fn settings_that_only_the_old_style_has_are_taken() {
    let text = MANIFEST.split("[[trigger.http]]").next().unwrap();
    let scene = Scene::new(&format!("{text}{}", &MANIFEST[MANIFEST.find("[component.parse").unwrap()..]));
    let mut lock = lock(Spin::Two, &scene.file);
    assert_eq!(lock["metadata"]["trigger"]["type"], json!("kafka"));
    lock["metadata"].as_object_mut().unwrap().remove("triggers");
    assert_eq!(scene.locked(&lock).unwrap(), scene.read().unwrap());
}

#[test]
fn a_component_without_a_file_is_named() {
    let scene = Scene::new(MANIFEST);
    let errors = refused(&scene, |lock| {
        let components = lock["components"].as_array_mut().unwrap();
        components[0]["source"] = json!({ "content_type": "application/wasm", "digest": "sha256:00" });
    });
    assert!(errors.contains("component.parse-market.source: Spin names no file for it"), "{errors}");
}

#[test]
fn a_folder_with_spaces_is_found() {
    let scene = Scene::new(MANIFEST);
    let folder = scene.folder.path().canonicalize().unwrap().join("a b%c");
    fs::create_dir(&folder).unwrap();
    fs::copy(&scene.file, folder.join("spin.toml")).unwrap();
    let mut lock = lock(Spin::Four, &folder.join("spin.toml"));
    let origin = folder.join("spin.toml").display().to_string();
    lock["metadata"]["origin"] = json!(format!("file://{}", origin.replace('%', "%25").replace(' ', "%20")));
    let manifest = scene.locked(&lock).unwrap();
    assert!(manifest.kafka.lake.ends_with("/a%20b%25c/lake"), "{}", manifest.kafka.lake);
}
