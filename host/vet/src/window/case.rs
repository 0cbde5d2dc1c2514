//! Which windows are tried: the pipeline's, those of the golden vectors, and some of every shape.

use std::collections::BTreeMap;

use tallow_engine::golden::window_input;
use tallow_engine::{Aggregate, Column, ColumnData, ColumnType, IdColumns, Operation, Shape, Sliding, Spec};

use crate::Candidate;

const MINUTE_US: u64 = 60_000_000;
/// Places of decimal columns without a known scale.
const SCALE: u8 = 8;

/// Windows that are open together, and the columns that they read.
pub struct Case {
    pub name: String,
    pub specs: Vec<Spec>,
    /// Type and scale by column.
    pub columns: BTreeMap<String, (ColumnType, u8)>,
    /// Whether refusing it is a mistake, and not a choice.
    pub asked_for: bool,
}

pub fn cases(candidate: &Candidate<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    if !candidate.specs.is_empty() {
        let described = candidate.columns.iter().map(|it| (it.name.clone(), (it.type_, SCALE)));
        let specs = candidate.specs.iter().map(tame).collect();
        cases.push(case("the pipeline's", specs, described.collect(), true));
    }
    for vector in candidate.golden {
        // Vectors that cannot be read have been refused before.
        let Ok((specs, updates)) = window_input(&vector.text) else { continue };
        let columns = updates.iter().flat_map(|rows| &rows.table.columns).map(typed);
        cases.push(case(&vector.name, specs, columns.collect(), true));
    }
    cases.extend(ours());
    cases
}

/// A row may be in thousands of sliding windows: trying as many would take as long as a day of the pipeline.
fn tame(spec: &Spec) -> Spec {
    const WINDOWS_A_ROW: u64 = 32;
    let mut spec = spec.clone();
    if let Shape::Sliding(sliding) = &mut spec.shape {
        let slides = (sliding.size_us / sliding.slide_us.max(1)).div_ceil(WINDOWS_A_ROW);
        sliding.slide_us *= slides.max(1);
    }
    spec
}

/// Every shape, with ids and without, with every operation.
fn ours() -> Vec<Case> {
    let tumbling = Shape::Tumbling(MINUTE_US);
    let sliding = Shape::Sliding(Sliding { size_us: 5 * MINUTE_US, slide_us: MINUTE_US });
    let session = Shape::Session(MINUTE_US / 2);
    let of = |name: &str, shape, ids, aggregates: Vec<Aggregate>| {
        let ids: Option<&str> = ids;
        let spec = Spec {
            name: name.to_owned(),
            kinds: vec!["vetted".to_owned()],
            keys: vec!["key".to_owned()],
            time: "time".to_owned(),
            ids: ids.map(|id| IdColumns::unbounded(id, id)),
            shape,
            offset_us: 0,
            aggregates,
        };
        case(name, vec![spec], BTreeMap::from([("floating".to_owned(), (ColumnType::Float64, 0))]), false)
    };
    let extremes = [Operation::First, Operation::Max, Operation::Min, Operation::Last, Operation::Sum];
    let floats = [Operation::First, Operation::Min, Operation::Max];
    vec![
        of("tumbling counts", tumbling, None, vec![aggregate(Operation::Count, None)]),
        of("tumbling extremes", tumbling, None, extremes.map(|it| aggregate(it, Some("value"))).into()),
        of("tumbling", tumbling, None, on("value")),
        of("tumbling by id", tumbling, Some("id"), on("value")),
        of("sliding", sliding, None, on("value")),
        of("sliding by id", sliding, Some("id"), on("value")),
        of("sessions", session, None, on("value")),
        of("floats", tumbling, None, floats.map(|it| aggregate(it, Some("floating"))).into()),
    ]
}

fn on(column: &str) -> Vec<Aggregate> {
    use Operation::{Count, First, Last, Max, Mean, Min, Sum, SumProduct, Vwap};
    let mut aggregates: Vec<Aggregate> =
        [First, Max, Min, Last, Sum, Mean].map(|it| aggregate(it, Some(column))).into();
    aggregates.push(aggregate(Count, None));
    for operation in [SumProduct, Vwap] {
        aggregates.push(Aggregate { by: Some("weight".to_owned()), ..aggregate(operation, Some(column)) });
    }
    aggregates
}

fn aggregate(operation: Operation, column: Option<&str>) -> Aggregate {
    let name = format!("{operation:?}").to_lowercase();
    Aggregate { name: format!("a_{name}"), operation, column: column.map(str::to_owned), by: None }
}

/// A case with a type for every column that its windows read.
fn case(name: &str, specs: Vec<Spec>, known: BTreeMap<String, (ColumnType, u8)>, asked_for: bool) -> Case {
    let mut columns = BTreeMap::new();
    for spec in &specs {
        columns.insert(spec.time.clone(), (ColumnType::TimestampUs, 0));
        columns.extend(spec.keys.iter().map(|key| (key.clone(), (ColumnType::Text, 0))));
        let ids = spec.ids.iter().flat_map(|ids| [&ids.first, &ids.last]);
        columns.extend(ids.map(|id| (id.clone(), (ColumnType::Int64, 0))));
    }
    for aggregate in specs.iter().flat_map(|spec| &spec.aggregates) {
        for column in [&aggregate.column, &aggregate.by].into_iter().flatten() {
            let known = known.get(column).copied().unwrap_or((ColumnType::Decimal, SCALE));
            columns.entry(column.clone()).or_insert(known);
        }
    }
    Case { name: name.to_owned(), specs, columns, asked_for }
}

fn typed(column: &Column) -> (String, (ColumnType, u8)) {
    let scale = match &column.data {
        ColumnData::Decimal(decimals) => decimals.scale,
        _ => 0,
    };
    (column.name.clone(), (column.data.column_type(), scale))
}
