//! The windows of one pipeline, and what they have in common.

use serde_json::json;

use crate::error::Report;
use crate::forms::Form;
use crate::node::Node;
use crate::values;
use crate::window::Window;

pub(super) const WINDOWS: Form<Vec<Window>> = Form::new(
    "one or more [[trigger.kafka.windows]]",
    || json!({ "type": "array", "items": Window::declaration().schema(), "minItems": 1 }),
    read_windows,
);

fn read_windows(node: &Node, report: &mut Report) -> Option<Vec<Window>> {
    let items = values::list(node, "[[trigger.kafka.windows]] with two brackets", report)?;
    if items.is_empty() {
        report.at(node, "name at least one window");
        return None;
    }
    let windows: Vec<_> = items.iter().map(|item| Window::read(item, report)).collect();
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
