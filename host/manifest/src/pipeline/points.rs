//! The databases that a pipeline writes its results into.

use super::Pipeline;
use crate::error::Report;
use crate::node::{Node, Value};
use crate::sink_influxdb::WindowPoints;
use crate::window::Window;

impl Pipeline {
    /// The measurement of a window's points.
    pub fn measurement(&self, window: &Window, points: &WindowPoints) -> String {
        points.measurement.clone().unwrap_or_else(|| self.table(window))
    }

    /// Reports windows whose points would be written over each other: points are one if measurement, tags and time are.
    pub(crate) fn check_points(&self, node: &Node, report: &mut Report) {
        let written: Vec<(&Window, &WindowPoints)> =
            self.windows.iter().filter_map(|window| Some((window, window.influxdb.as_ref()?))).collect();
        let place = |(window, points): (&Window, &WindowPoints)| {
            let at = (points.url.clone(), points.database.clone(), points.org.clone(), points.bucket.clone());
            let policy = points.retention_policy.clone();
            (at, policy, self.measurement(window, points), points.tags.clone(), window.keys.clone())
        };
        for (index, one) in written.iter().enumerate() {
            let Some((other, _)) = written[..index].iter().find(|other| place(**other) == place(*one)) else {
                continue;
            };
            let problem = format!(
                "window `{}` has the same measurement and tags: the points of one would be written over those of the other. \
                 Give one of them another `measurement`, or `tags`",
                other.name
            );
            report.at(points_node(node, &one.0.name).unwrap_or(node), problem);
        }
    }
}

/// The node of a window's table.
fn points_node<'n>(node: &'n Node, window: &str) -> Option<&'n Node> {
    let Value::List(windows) = &node.find(&["windows"])?.value else { return None };
    let named = |item: &&Node| matches!(item.find(&["name"]).map(|name| &name.value), Some(Value::Text(text)) if text.text == window);
    windows.iter().find(named)?.find(&["influxdb"])
}
