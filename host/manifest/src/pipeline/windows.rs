//! The windows of one pipeline, and what they have in common.

use std::path::Path;

use super::Pipeline;
use crate::error::{Errors, Report};
use crate::forms::Form;
use crate::node::{Node, Value};
use crate::window::Window;
use crate::{json, toml, values};

impl Pipeline {
    /// A pipeline of windows that no manifest has, each written as a TOML table without its braces. `name` is what
    /// messages call them.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn of_windows(windows: &[String], name: &Path) -> Result<Self, Errors> {
        let mut report = Report::new(name);
        let read = windows.iter().enumerate().filter_map(|(index, window)| {
            let path = toml::label(index, None);
            toml::value(&path, &format!("{{ {window} }}")).map_err(|why| report.add(None, &path, why)).ok()
        });
        let windows = Value::List(read.collect());
        let texts = [("id", "run"), ("topic", "sample"), ("parse", "parse")];
        let keys =
            texts.map(|(key, text)| (key, Value::text(text))).into_iter().chain([("windows", windows)]);
        let pipeline = Self::read(&json::table("", keys), &mut report);
        report.finish(pipeline)
    }
}

pub(super) const WINDOWS: Form<Vec<Window>> = Form::new(
    "one or more [[trigger.kafka.windows]]",
    || serde_json::json!({ "type": "array", "items": Window::declaration().schema(), "minItems": 1 }),
    |node, report| read(node, None, report),
);

/// Windows that name no time column go by the event time of the messages' schema, if there is one.
pub(super) fn read(node: &Node, event_time: Option<&str>, report: &mut Report) -> Option<Vec<Window>> {
    let items = values::list(node, "[[trigger.kafka.windows]] with two brackets", report)?;
    if items.is_empty() {
        return report.refuse(node, "name at least one window");
    }
    let window = |item: &Node, report: &mut Report| {
        let mut window = Window::read(item, report)?;
        if let (Some(event_time), None) = (event_time, item.find(&["time"])) {
            window.time = event_time.to_owned();
        }
        Some(window)
    };
    let windows: Vec<_> = items.iter().map(|item| window(item, report)).collect();
    let read: Vec<(&Node, &Window)> =
        items.iter().zip(&windows).filter_map(|(item, window)| Some((item, window.as_ref()?))).collect();
    for (index, (item, window)) in read.iter().enumerate() {
        if read[..index].iter().any(|(_, other)| other.name == window.name) {
            report.at(
                item,
                format!("a window `{}` is there already; names are unique in a pipeline", window.name),
            );
        }
        let (_, first) = read[0];
        if first.function != window.function {
            report.at(
                item,
                format!(
                    "`function` is `{}` here and `{}` in window `{}`: one function computes all windows of a \
                     pipeline; write a second [[trigger.kafka]] for the other",
                    window.function, first.function, first.name
                ),
            );
        }
        if first.time != window.time {
            report.at(
                item,
                format!(
                    "`time` is `{}` here and `{}` in window `{}`: the windows of a pipeline share one watermark, so \
                     they go by one time column; write a second [[trigger.kafka]] for the other",
                    window.time, first.time, first.name
                ),
            );
        }
    }
    windows.into_iter().collect()
}
