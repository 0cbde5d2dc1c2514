//! The proposal as TOML.

use std::fmt::Write;

use tallow_contract::schema::{Path, Step};

use crate::choice::{Choice, choose};
use crate::place::Place;
use crate::sample::Sample;

/// Names of the place that says what kind a message is.
const KIND_NAMES: [&str; 8] =
    ["e", "type", "kind", "event", "eventType", "event_type", "msg_type", "channel"];

struct Column {
    name: String,
    path: Path,
    choice: Choice,
    /// Messages, or items of an array, without it or with null.
    without: u64,
    of: u64,
}

/// Columns, and what is left out of them.
#[derive(Default)]
struct Columns {
    columns: Vec<Column>,
    /// The array whose items give rows.
    exploded: Vec<Step>,
    left_out: Vec<String>,
    kind: Option<(Path, String)>,
}

impl Sample {
    /// `[trigger.kafka.schema]` for these messages. What is unsure ends in a question mark.
    pub fn to_toml(&self, of: &str) -> String {
        let mut found = Columns::default();
        found.walk(&mut Vec::new(), &self.root);
        found.name();
        let mut out = String::new();
        _ = writeln!(
            out,
            "# Proposed from {} messages of {of}. Check what ends in a question mark.",
            self.messages
        );
        if self.broken > 0 {
            let named: Vec<String> = self.named.iter().map(|(at, why)| format!("{at} ({why})")).collect();
            _ = writeln!(out, "# Could not read {} of them: message {}", self.broken, named.join(", "));
        }
        for left_out in &found.left_out {
            _ = writeln!(out, "# Left out: {left_out}");
        }
        out.push_str("[trigger.kafka.schema]\n");
        found.event_time(&mut out);
        if let Some((path, seen)) = &found.kind {
            _ = writeln!(out, "kind-from = {} # {seen}", quoted(&path.to_string()));
        }
        if !found.exploded.is_empty() {
            _ = writeln!(out, "# A row for each item of {}.", Path::new(found.exploded.clone()));
        }
        out.push_str("\n[trigger.kafka.schema.columns]\n");
        if !found.columns.iter().any(|it| it.choice.type_ == "timestamp") {
            out.push_str("event_time = { type = \"timestamp\", from = \"timestamp\" }\n");
        }
        found.columns.iter().for_each(|column| column.write(&mut out));
        out
    }
}

impl Columns {
    fn walk(&mut self, at: &mut Vec<Step>, place: &Place) {
        for (key, member) in &place.members {
            at.push(Step::Key(key.clone()));
            self.value(at, key, member, place.objects);
            at.pop();
        }
        if let Some(items) = &place.items {
            self.array(at, items);
        }
    }

    fn value(&mut self, at: &mut Vec<Step>, key: &str, place: &Place, of: u64) {
        let path = Path::new(at.clone());
        let scalars = place.there - place.nulls - place.objects - place.arrays;
        if place.objects + place.arrays > 0 {
            if scalars > 0 {
                self.left_out.push(format!("{path} is now a value, now an object or an array"));
            }
            return self.walk(at, place);
        }
        if KIND_NAMES.contains(&key)
            && self.kind.is_none()
            && place.texts == place.there
            && place.values.len() < 12
        {
            let seen: Vec<String> =
                place.values.iter().map(|(value, count)| format!("{value} {count}")).collect();
            self.kind = Some((path.clone(), seen.join(", ")));
        }
        let without = of.saturating_sub(place.there) + place.nulls;
        self.columns.push(Column { name: key.to_owned(), path, choice: choose(key, place), without, of });
    }

    /// Rows can be made of one array, and of arrays within its items.
    fn array(&mut self, at: &mut Vec<Step>, items: &Place) {
        if !at.starts_with(&self.exploded) {
            self.left_out
                .push(format!("{} is another array; rows can be made of one", Path::new(at.clone())));
            return;
        }
        at.push(Step::Every);
        self.exploded = at.clone();
        if items.members.is_empty() && items.items.is_none() {
            let name = at.iter().rev().find_map(|step| match step {
                Step::Key(key) => Some(key.clone()),
                _ => None,
            });
            let name = name.unwrap_or_else(|| "item".to_owned());
            let (path, choice) = (Path::new(at.clone()), choose(&name, items));
            self.columns.push(Column { name, path, choice, without: items.nulls, of: items.there });
        } else {
            self.walk(at, items);
        }
        at.pop();
    }

    /// Names that the manifest takes, each once: the last key, or the whole path where that is there already.
    fn name(&mut self) {
        let plain = |text: &str| -> String {
            let mut plain: String =
                text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            if !plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                plain.insert(0, '_');
            }
            plain
        };
        for at in 0..self.columns.len() {
            let (before, rest) = self.columns.split_at_mut(at);
            let Some(column) = rest.first_mut() else { return };
            let mut name = plain(&column.name);
            if before.iter().any(|other| other.name == name) {
                name = plain(&column.path.to_string().replace("[]", ""));
            }
            while before.iter().any(|other| other.name == name) {
                name.push('_');
            }
            column.name = name;
        }
    }

    fn event_time(&self, out: &mut String) {
        let times: Vec<&str> = self
            .columns
            .iter()
            .filter(|it| it.choice.type_ == "timestamp")
            .map(|it| it.name.as_str())
            .collect();
        let best =
            ["event_time", "T"].into_iter().find(|best| times.contains(best)).or(times.first().copied());
        match best {
            Some(best) if times.len() == 1 => _ = writeln!(out, "event-time = {}", quoted(best)),
            Some(best) => {
                let others: Vec<&str> = times.iter().copied().filter(|it| *it != best).collect();
                _ = writeln!(out, "event-time = {} # or {}?", quoted(best), others.join(", "));
            }
            None => out
                .push_str("event-time = \"event_time\" # Kafka's own: no time was found in the messages?\n"),
        }
    }
}

impl Column {
    fn write(&self, out: &mut String) {
        let mut keys = vec![format!("type = \"{}\"", self.choice.type_)];
        if self.path != Path::key(self.name.as_str()) {
            keys.push(format!("path = {}", quoted(&self.path.to_string())));
        }
        if !self.choice.more.is_empty() {
            keys.push(self.choice.more.clone());
        }
        let written = match &keys[..] {
            [_] => quoted(self.choice.type_),
            _ => format!("{{ {} }}", keys.join(", ")),
        };
        let mut remarks = Vec::new();
        if self.without > 0 {
            remarks.push(format!("missing or null in {} of {}", self.without, self.of));
        }
        remarks.extend(self.choice.doubt.iter().map(|doubt| format!("{doubt}?")));
        let remarks = if remarks.is_empty() { String::new() } else { format!(" # {}", remarks.join("; ")) };
        _ = writeln!(out, "{} = {written}{remarks}", self.name);
    }
}

/// A TOML string: JSON's escapes are TOML's, too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
