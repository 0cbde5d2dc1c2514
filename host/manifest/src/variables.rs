//! `[variables]`, and `{{ name }}` in our tables.

use std::collections::BTreeMap;

use crate::error::{Report, suggestion};
use crate::node::{Node, Text, Value};
use crate::reader::{self, Reader};
use crate::{schema, spin};

/// The variables of a manifest, each with the value that holds.
#[derive(Default)]
pub(crate) struct Variables(BTreeMap<String, Variable>);

struct Variable {
    /// None where nothing gives a value: an error only if the variable is used in our tables.
    value: Option<String>,
    secret: bool,
}

/// The variable of the environment that overrides an application variable.
pub fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_uppercase())
}

impl Variables {
    /// Reads `[variables]`; `env` overrides its defaults.
    pub fn read(root: &Node, env: &BTreeMap<String, String>, report: &mut Report) -> Self {
        let Some(node) = root.find(&["variables"]) else { return Self::default() };
        let Some(table) = reader::table(node, report) else { return Self::default() };
        let mut variables = BTreeMap::new();
        for entry in &table.entries {
            let Some(variable) = Reader::open(&entry.node, &schema::VARIABLE, report) else { continue };
            variable.optional("description", report, reader::text);
            let default = variable.optional("default", report, reader::text).flatten();
            let required = variable.required("required", report, reader::boolean);
            let secret = variable.required("secret", report, reader::boolean).unwrap_or(true);
            if default.is_none() && required == Some(false) && !variable.has("default") {
                report.at(&entry.node, "needs a `default`, or `required = true`");
            }
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

    fn expand_text(&self, raw: &str) -> Result<Text, String> {
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

    fn named(&self, name: &str) -> Result<&Variable, String> {
        if spin::check_id(name, '_', true).is_err() {
            return Err(
                "what stands between `{{` and `}}` is not a variable name (lower_snake_case)".to_owned()
            );
        }
        let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
        self.0.get(name).ok_or_else(|| {
            format!("the variable `{name}` is not declared in [variables]; {}", suggestion(name, &known))
        })
    }
}

fn without_value(name: &str) -> String {
    format!(
        "the variable `{name}` has no value: set {} in the environment, or give it a `default` in [variables]",
        environment_name(name)
    )
}
