//! Window specs, as golden vectors write them.

use serde::{Deserialize, Serialize};

use crate::contracts::window;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub name: String,
    #[serde(default)]
    pub kinds: Vec<String>,
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default = "event_time")]
    pub time: String,
    pub ids: Option<Ids>,
    pub shape: Shape,
    #[serde(default)]
    pub offset_us: i64,
    pub aggregates: Vec<Aggregate>,
}

fn event_time() -> String {
    "event_time".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    pub first: String,
    pub last: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    TumblingUs(u64),
    Sliding { size_us: u64, slide_us: u64 },
    SessionGapUs(u64),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    pub name: String,
    pub operation: Operation,
    pub column: Option<String>,
    pub by: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    First,
    Last,
    Min,
    Max,
    Sum,
    Count,
    Mean,
    Vwap,
    SumProduct,
}

impl From<Spec> for window::Spec {
    fn from(spec: Spec) -> Self {
        Self {
            name: spec.name,
            kinds: spec.kinds,
            keys: spec.keys,
            time: spec.time,
            ids: spec.ids.map(|ids| window::IdColumns {
                last: ids.last.unwrap_or_else(|| ids.first.clone()),
                first: ids.first,
                // A vector has few.
                max_bytes: u64::MAX,
                halt: true,
                silence_us: u64::MAX,
            }),
            shape: match spec.shape {
                Shape::TumblingUs(size_us) => window::Shape::Tumbling(size_us),
                Shape::Sliding { size_us, slide_us } => {
                    window::Shape::Sliding(window::Sliding { size_us, slide_us })
                }
                Shape::SessionGapUs(gap_us) => window::Shape::Session(gap_us),
            },
            offset_us: spec.offset_us,
            aggregates: spec.aggregates.into_iter().map(window::Aggregate::from).collect(),
        }
    }
}

impl From<Aggregate> for window::Aggregate {
    fn from(aggregate: Aggregate) -> Self {
        let operation = match aggregate.operation {
            Operation::First => window::Operation::First,
            Operation::Last => window::Operation::Last,
            Operation::Min => window::Operation::Min,
            Operation::Max => window::Operation::Max,
            Operation::Sum => window::Operation::Sum,
            Operation::Count => window::Operation::Count,
            Operation::Mean => window::Operation::Mean,
            Operation::Vwap => window::Operation::Vwap,
            Operation::SumProduct => window::Operation::SumProduct,
        };
        Self { name: aggregate.name, operation, column: aggregate.column, by: aggregate.by }
    }
}
