//! Window specs.

use serde::Deserialize;

use crate::window;

/// A window definition:
/// `{"name": "1m", "kinds": ["trade"], "keys": ["symbol"], "shape": {"tumbling_us": 60000000}, "aggregates": […]}`. The
/// time is `event_time` unless another column is named. Ids are kept without a bound.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    name: String,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default = "event_time")]
    time: String,
    ids: Option<Ids>,
    shape: Shape,
    #[serde(default)]
    offset_us: i64,
    aggregates: Vec<window::Aggregate>,
}

fn event_time() -> String {
    "event_time".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ids {
    first: String,
    last: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    TumblingUs(u64),
    Sliding { size_us: u64, slide_us: u64 },
    SessionGapUs(u64),
}

impl From<Spec> for window::Spec {
    fn from(spec: Spec) -> Self {
        Self {
            name: spec.name,
            kinds: spec.kinds,
            keys: spec.keys,
            time: spec.time,
            ids: spec.ids.map(|ids| {
                window::IdColumns::unbounded(&ids.first, ids.last.as_deref().unwrap_or(&ids.first))
            }),
            shape: match spec.shape {
                Shape::TumblingUs(size_us) => window::Shape::Tumbling(size_us),
                Shape::Sliding { size_us, slide_us } => {
                    window::Shape::Sliding(window::Sliding { size_us, slide_us })
                }
                Shape::SessionGapUs(gap_us) => window::Shape::Session(gap_us),
            },
            offset_us: spec.offset_us,
            aggregates: spec.aggregates,
        }
    }
}
