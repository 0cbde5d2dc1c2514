//! `[variables]`, and `{{ name }}` in our tables.

use std::collections::BTreeMap;

use crate::error::{Problem, Report, suggestion};
use crate::forms::{BOOLEAN, TEXT};
use crate::node::{Node, Text, Value};
use crate::table::table;
use crate::{spin, values};

/// The variables of a manifest, each with the value that holds.
#[derive(Default)]
pub(crate) struct Variables(BTreeMap<String, Variable>);

struct Variable {
    /// `None` if nothing gives a value: an error only if the variable is used in our tables.
    value: Option<String>,
    secret: bool,
}

table! {
    struct Declaration in "[variables]", "Spin's application variables.";
    fn read(reader, report);

    "What it is for."
    let _description: Option<String> = key("description", TEXT, none("it says nothing"));

    "Value where the environment gives none."
    pub default: Option<String> = key("default", TEXT, none("no value"));

    "Whether the environment must give it."
    let required: bool = key("required", BOOLEAN, default("false"));

    "Whether its value must not be shown."
    pub secret: bool = key("secret", BOOLEAN, default("false"));

    "A variable that may be without a value is a mistake."
    let _given: () = from({
        if !required? && !reader.has("default") {
            report.at(reader.node(), "needs a `default`, or `required = true`");
        }
        Some(())
    });
}

/// The variable of the environment that overrides an application variable.
pub fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_uppercase())
}

impl Variables {
    /// Reads `[variables]`; `env` overrides its defaults.
    pub fn read(root: &Node, env: &BTreeMap<String, String>, report: &mut Report) -> Self {
        let Some(node) = root.find(&["variables"]) else { return Self::default() };
        let Some(table) = values::table(node, report) else { return Self::default() };
        let mut variables = BTreeMap::new();
        for entry in &table.entries {
            let written = Declaration::read(&entry.node, report);
            if entry.node.as_table().is_none() {
                continue;
            }
            // With a mistake in it, it is declared all the same, and never shown.
            let text = |key| entry.node.find(&[key]).and_then(Node::as_str).map(str::to_owned);
            let Declaration { default, secret } =
                written.unwrap_or_else(|| Declaration { default: text("default"), secret: true });
            let value = env.get(&environment_name(&entry.key)).cloned().or(default);
            if let Some(value) = value.as_deref().filter(|_| secret) {
                report.secrets.learn(value);
            }
            variables.insert(entry.key.clone(), Variable { value, secret });
        }
        Self(variables)
    }

    /// Puts the variables into every string of the tree.
    pub fn expand(&self, node: &mut Node, report: &mut Report) {
        match &mut node.value {
            Value::Text(text) if text.text.contains("{{") => {
                let expanded = self.expand_text(&text.text);
                node.value = match expanded {
                    Ok(text) => Value::Text(text),
                    Err(problem) => {
                        report.at(node, problem);
                        Value::Broken
                    }
                };
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.expand(item, report)),
            Value::Table(table) => {
                table.entries.iter_mut().for_each(|entry| self.expand(&mut entry.node, report));
            }
            _ => {}
        }
    }

    fn expand_text(&self, raw: &str) -> Result<Text, Problem> {
        let mut out = Text { text: String::new(), expanded: true, secret: false };
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) =
                after.split_once("}}").ok_or("`{{` without `}}`: write a variable as `{{ name }}`")?;
            let variable = self.named(name.trim())?;
            out.text.push_str(before);
            out.text.push_str(variable.value.as_deref().ok_or_else(|| without_value(name.trim()))?);
            out.secret |= variable.secret;
            rest = after;
        }
        out.text.push_str(rest);
        Ok(out)
    }

    fn named(&self, name: &str) -> Result<&Variable, Problem> {
        if spin::check_id(name, '_', true).is_err() {
            return Err("the text between `{{` and `}}` is not a variable name (lower_snake_case)".into());
        }
        let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
        self.0.get(name).ok_or_else(|| {
            format!("the variable `{name}` is not declared in [variables]; {}", suggestion(name, &known))
                .into()
        })
    }
}

fn without_value(name: &str) -> String {
    format!(
        "the variable `{name}` has no value: set {} in the environment, or give it a `default` in [variables]",
        environment_name(name)
    )
}
