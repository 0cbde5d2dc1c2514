//! A lock file's parts as the tables of the manifest that they come from.

use serde_json::{Map, Value as Json};
use url::Url;

use super::{Component, Lock, Trigger};
use crate::error::Report;
use crate::json::{node, table, value};
use crate::node::{Node, Value};
use crate::toml::{join, label};

const KAFKA: &str = "kafka";

impl Lock {
    /// The manifest's tree, as far as it concerns pipelines.
    pub(super) fn tree(&self, report: &mut Report) -> Node {
        let version = ("spin_manifest_version", Value::Integer(2));
        let parts = [
            ("application", self.application(report)),
            ("variables", self.variables()),
            ("trigger", self.triggers(report)),
            ("component", self.components(report)),
        ];
        table("", std::iter::once(version).chain(parts))
    }

    fn application(&self, report: &mut Report) -> Value {
        const PATH: &str = "application";
        let mut entries: Vec<(&str, Value)> = vec![("name", Value::text(""))];
        for key in ["name", "version", "description", "authors"] {
            if let Some(json) = self.metadata.get(key) {
                entries.retain(|(written, _)| *written != key);
                entries.push((key, value(&join(PATH, key), json, report)));
            }
        }
        let shared = self.shared().map(|shared| value("application.trigger.kafka", &shared, report));
        let trigger = table("application.trigger", shared.map(|shared| (KAFKA, shared)));
        entries.push(("trigger", trigger.value));
        table(PATH, entries).value
    }

    /// `[application.trigger.kafka]`; older Spins keep it of an application with one type of triggers only.
    fn shared(&self) -> Option<Json> {
        if let Some(kafka) = self.metadata.get("triggers").and_then(|triggers| triggers.get(KAFKA)) {
            return Some(kafka.clone());
        }
        let mut only = self.metadata.get("trigger")?.as_object()?.clone();
        (only.remove("type")?.as_str()? == KAFKA).then_some(Json::Object(only))
    }

    fn variables(&self) -> Value {
        let variables = self.variables.iter().map(|(name, variable)| {
            let texts = [("description", &variable.description), ("default", &variable.default)];
            let texts = texts.into_iter().filter_map(|(key, it)| Some((key, Value::text(it.as_deref()?))));
            // Spin drops `required`: what has no default must be given.
            let flags = [("required", variable.default.is_none()), ("secret", variable.secret)];
            let flags = flags.into_iter().map(|(key, yes)| (key, Value::Boolean(yes)));
            (name.as_str(), table(&join("variables", name), texts.chain(flags)).value)
        });
        table("variables", variables).value
    }

    fn triggers(&self, report: &mut Report) -> Value {
        const PATH: &str = "trigger.kafka";
        let ours: Vec<&Trigger> = self.triggers.iter().filter(|it| it.trigger_type == KAFKA).collect();
        let ours = ours.into_iter().enumerate().map(|(index, trigger)| {
            let config = trigger.config();
            let label = label(index, config.get("id").or(config.get("name")).and_then(Json::as_str));
            node(&format!("{PATH}[{label}]"), &Json::Object(config), report)
        });
        let mut entries = vec![(KAFKA, Value::List(ours.collect()))];
        for other in self.triggers.iter().filter(|it| it.trigger_type != KAFKA) {
            if !entries.iter().any(|(known, _)| *known == other.trigger_type) {
                entries.push((&other.trigger_type, Value::List(Vec::new())));
            }
        }
        table("trigger", entries).value
    }

    fn components(&self, report: &mut Report) -> Value {
        let components = self.components.iter().map(|component| {
            let path = join("component", &component.id);
            (component.id.as_str(), component.table(&path, report).value)
        });
        table("component", components).value
    }
}

impl Trigger {
    /// The trigger's keys as they are written.
    fn config(&self) -> Map<String, Json> {
        let mut config = self.trigger_config.as_object().cloned().unwrap_or_default();
        let component = config.remove("component");
        if !self.is_made_up(component.as_ref().and_then(Json::as_str)) {
            config.insert("id".to_owned(), Json::String(self.id.clone()));
        }
        // A trigger's component, as Spin has it, can only be the one that gets the records.
        if let (Some(component), false) = (component, config.contains_key("parse")) {
            config.insert("parse".to_owned(), component);
        }
        config
    }

    /// Whether Spin gave the id. It changes with the triggers around it, and what a pipeline has kept would be lost with
    /// it: such a trigger is one without an id.
    fn is_made_up(&self, component: Option<&str>) -> bool {
        let counted = self.id.strip_prefix("kafka-trigger");
        counted.is_some_and(|number| !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit()))
            || component.is_some_and(|component| self.id == format!("{component}-kafka-trigger"))
    }
}

impl Component {
    fn table(&self, path: &str, report: &mut Report) -> Node {
        let file = self.source.source.as_ref().and_then(|url| Url::parse(url).ok()?.to_file_path().ok());
        let source = match &file {
            Some(file) => Value::text(&file.to_string_lossy()),
            None => {
                let problem = "Spin names no file for it; `spin up` must fetch it first";
                report.add(None, &join(path, "source"), problem);
                Value::Broken
            }
        };
        let command = self.metadata.get("build").and_then(|build| build.get("command"));
        let build = command.map(|command| {
            let path = join(path, "build");
            let command = value(&join(&path, "command"), command, report);
            ("build", table(&path, [("command", command)]).value)
        });
        table(path, std::iter::once(("source", source)).chain(build))
    }
}
