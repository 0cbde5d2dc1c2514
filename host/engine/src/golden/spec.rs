//! Specs of windows as JSON.

use serde::Deserialize;

use crate::{Aggregate, IdColumns, Operation, Shape, Sliding, Spec};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecJson {
    name: String,
    kinds: Vec<String>,
    keys: Vec<String>,
    time: String,
    ids: Option<IdsJson>,
    shape: ShapeJson,
    offset_us: i64,
    aggregates: Vec<AggregateJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdsJson {
    first: String,
    last: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ShapeJson {
    TumblingUs(u64),
    Sliding { size_us: u64, slide_us: u64 },
    SessionGapUs(u64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AggregateJson {
    name: String,
    operation: OperationJson,
    column: Option<String>,
    by: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OperationJson {
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

impl From<SpecJson> for Spec {
    fn from(json: SpecJson) -> Self {
        let aggregates = json.aggregates.into_iter().map(|it| Aggregate {
            name: it.name,
            operation: it.operation.into(),
            column: it.column,
            by: it.by,
        });
        Spec {
            name: json.name,
            kinds: json.kinds,
            keys: json.keys,
            time: json.time,
            ids: json.ids.map(|ids| IdColumns::unbounded(&ids.first, &ids.last)),
            shape: match json.shape {
                ShapeJson::TumblingUs(size_us) => Shape::Tumbling(size_us),
                ShapeJson::Sliding { size_us, slide_us } => Shape::Sliding(Sliding { size_us, slide_us }),
                ShapeJson::SessionGapUs(gap_us) => Shape::Session(gap_us),
            },
            offset_us: json.offset_us,
            aggregates: aggregates.collect(),
        }
    }
}

impl From<OperationJson> for Operation {
    fn from(json: OperationJson) -> Self {
        match json {
            OperationJson::First => Self::First,
            OperationJson::Last => Self::Last,
            OperationJson::Min => Self::Min,
            OperationJson::Max => Self::Max,
            OperationJson::Sum => Self::Sum,
            OperationJson::Count => Self::Count,
            OperationJson::Mean => Self::Mean,
            OperationJson::Vwap => Self::Vwap,
            OperationJson::SumProduct => Self::SumProduct,
        }
    }
}
