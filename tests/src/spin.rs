//! What `spin up` does to start a trigger: its lock file, made of a manifest as Spin 2, 3 and 4 make it, the environment and
//! the name of the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tallow_env::{Clock, SystemClock};
use tempfile::TempDir;

use crate::paths;
use crate::tallow::{self, Running};

/// Releases of Spin that differ in what they write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spin {
    /// 2.0: no requirements yet.
    Two,
    /// 3.1: requirements of the application.
    Three,
    /// 4.1: requirements of components, descriptions of variables.
    Four,
}

pub const SPINS: [Spin; 3] = [Spin::Two, Spin::Three, Spin::Four];

/// The lock file of a manifest. Like Spin, it sorts keys, resolves no variable and looks into no component.
pub fn lock(spin: Spin, manifest: &Path) -> Value {
    let text = fs::read_to_string(manifest).expect("the manifest can be read");
    let manifest_file = manifest.canonicalize().expect("the manifest is there");
    let folder = manifest_file.parent().expect("a file has a folder");
    let manifest: Value = toml_edit::de::from_str(&text).expect("the manifest is TOML");
    let none = Map::new();
    let table = |name: &str| manifest[name].as_object().unwrap_or(&none).clone();

    let shared = table("application").remove("trigger").unwrap_or(json!({}));
    let mut metadata: Map<String, Value> =
        table("application").into_iter().filter(|(key, _)| key != "trigger").collect();
    metadata.insert("origin".to_owned(), json!(format!("file://{}", manifest_file.display())));
    metadata.insert("triggers".to_owned(), shared.clone());
    if table("trigger").len() == 1 {
        let mut only = shared["kafka"].as_object().cloned().unwrap_or_default();
        only.insert("type".to_owned(), json!("kafka"));
        metadata.insert("trigger".to_owned(), Value::Object(only));
    }

    let (components, chained) = components(spin, table("component"), folder);
    let mut lock = json!({
        "spin_lock_version": 0,
        "metadata": metadata,
        "triggers": triggers(table("trigger")),
        "components": components,
    });
    let variables = variables(spin, table("variables"));
    if !variables.is_empty() {
        lock["variables"] = Value::Object(variables);
    }
    match spin {
        Spin::Three if chained => {
            lock["spin_lock_version"] = json!(1);
            lock["must_understand"] = json!(["host_requirements"]);
            lock["host_requirements"] = json!({ "local_service_chaining": "required" });
        }
        Spin::Four if chained => {
            lock["spin_lock_version"] = json!(1);
            lock["must_understand"] = json!(["component_host_requirements"]);
        }
        _ => {}
    }
    lock
}

fn variables(spin: Spin, written: Map<String, Value>) -> Map<String, Value> {
    let variables = written.into_iter().map(|(name, variable)| {
        let kept = |key: &str| match key {
            "default" => true,
            "secret" => variable[key] == json!(true),
            "description" => spin == Spin::Four,
            _ => false,
        };
        let written = variable.as_object().expect("a variable is a table").clone();
        (name, Value::Object(written.into_iter().filter(|(key, _)| kept(key)).collect()))
    });
    variables.collect()
}

fn triggers(written: Map<String, Value>) -> Vec<Value> {
    let mut triggers = Vec::new();
    for (kind, configs) in written {
        for (index, mut config) in
            configs.as_array().expect("triggers are a list").iter().cloned().enumerate()
        {
            let id = config.as_object_mut().expect("a trigger is a table").remove("id");
            let made_up = match config["component"].as_str() {
                Some(component) => format!("{component}-{kind}-trigger"),
                None => format!("{kind}-trigger{}", index + 1),
            };
            let id = id.unwrap_or(json!(made_up));
            triggers.push(json!({ "id": id, "trigger_type": kind, "trigger_config": config }));
        }
    }
    triggers
}

/// The components, and whether any of them calls others by HTTP.
fn components(spin: Spin, written: Map<String, Value>, folder: &Path) -> (Vec<Value>, bool) {
    let mut any_chained = false;
    let components = written.into_iter().map(|(id, written)| {
        let source = written["source"].as_str().expect("the tests' components are files");
        let mut component = json!({
            "id": id,
            "source": {
                "content_type": "application/wasm",
                "source": format!("file://{}", folder.join(source).display()),
            },
        });
        if written["build"].is_object() {
            component["metadata"]["build"] = written["build"].clone();
        }
        if let Some(hosts) = written["allowed_outbound_hosts"].as_array() {
            component["metadata"]["allowed_outbound_hosts"] = json!(hosts);
            let chained =
                hosts.iter().any(|host| host.as_str().is_some_and(|it| it.contains(".spin.internal")));
            any_chained |= chained;
            if chained && spin == Spin::Four {
                component["host_requirements"] = json!({ "local_service_chaining": "required" });
            }
        }
        component
    });
    (components.collect(), any_chained)
}

/// The program under the name by which Spin calls it.
pub fn plugin() -> &'static Path {
    static PLUGIN: OnceLock<PathBuf> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        let folder = paths::target().join("tests-plugin");
        fs::create_dir_all(&folder).expect("a folder in target");
        // Renamed whole: tests of other programs make the same one.
        let fresh = TempDir::with_prefix_in("plugin-", &folder).expect("a folder in target");
        let plugin = fresh.path().join("trigger-kafka");
        let program = paths::program("tallow");
        fs::hard_link(&program, &plugin)
            .or_else(|_| fs::copy(&program, &plugin).map(drop))
            .expect("a copy of tallow");
        let there = folder.join("trigger-kafka");
        fs::rename(&plugin, &there).expect("a file in target can be renamed");
        there
    })
}

/// An application's lock file in a folder that Spin removes when it ends.
pub struct Locked {
    pub folder: TempDir,
}

impl Locked {
    pub fn new(lock: &Value) -> Self {
        let folder = TempDir::with_prefix("spinup-").expect("a temporary folder");
        let text = serde_json::to_vec_pretty(lock).expect("a lock file is JSON");
        fs::write(folder.path().join("spin.lock"), text).expect("the lock file can be written");
        Self { folder }
    }

    /// A command in the environment that Spin gives to a trigger.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("SPIN_LOCKED_URL", format!("file://{}", self.folder.path().join("spin.lock").display()))
            .env("SPIN_WORKING_DIR", self.folder.path())
            .env("SPIN_LOCAL_APP_DIR", "")
            .env("SPIN_VERSION", "4.1.0")
            .env("SPIN_VERSION_MAJOR", "4")
            .env("SPIN_VERSION_MINOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// The trigger, with what the user wrote after `spin up`.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(plugin());
        command.args(arguments);
        tallow::start_command(command)
    }
}

/// Fails where a process that is nobody's child here continues and on.
pub fn wait_until_gone(process: u32) {
    let clock = SystemClock::new();
    let start = clock.ticks();
    // Who adopts orphans may take its time to bury them.
    while stat(process).is_some_and(|(state, _)| state != "Z") {
        assert!(clock.ticks().since(start) < Duration::from_secs(60), "the trigger lives on");
        clock.sleep(Duration::from_millis(20));
    }
}

/// State and parent of a process.
fn stat(process: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

/// Processes that a process started, and those that they started.
pub fn descendants(process: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("there is /proc");
    let children = entries.filter_map(|entry| {
        let child: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        stat(child).is_some_and(|(_, parent)| parent == process).then_some(child)
    });
    children.flat_map(|child| std::iter::once(child).chain(descendants(child))).collect()
}
