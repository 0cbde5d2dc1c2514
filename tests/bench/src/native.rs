//! The contract's shapes in the words of the functions' crates, which know nothing of components.

use tallow_engine as engine;
use tallow_record::Batch;
use window::spec;
use window::table;

pub fn batch(batch: &Batch) -> parse_market::Batch {
    let column = |column: &tallow_record::ByteColumn| parse_market::ByteColumn {
        bytes: column.bytes.clone(),
        ends: column.ends.clone(),
        nulls: column.nulls.clone(),
    };
    parse_market::Batch { values: column(&batch.values), keys: Some(column(&batch.keys)) }
}

pub fn options(options: &engine::ParseOptions) -> parse_market::Options {
    let columns = options.columns.iter();
    parse_market::Options {
        kinds: options.kinds.clone(),
        columns: columns
            .map(|column| parse_market::WantedColumn { name: column.name.clone(), scale: column.scale })
            .collect(),
        settings: options.settings.clone(),
    }
}

pub fn specs(specs: &[engine::Spec]) -> Vec<spec::Spec> {
    let ids = |ids: &engine::IdColumns| spec::IdColumns {
        first: ids.first.clone(),
        last: ids.last.clone(),
        keep: spec::Keep::ALL,
    };
    let spec = |it: &engine::Spec| spec::Spec {
        name: it.name.clone(),
        kinds: it.kinds.clone(),
        keys: it.keys.clone(),
        time: it.time.clone(),
        ids: it.ids.as_ref().map(ids),
        shape: shape(it.shape),
        offset_us: it.offset_us,
        aggregates: it.aggregates.iter().map(aggregate).collect(),
    };
    specs.iter().map(spec).collect()
}

fn shape(shape: engine::Shape) -> spec::Shape {
    match shape {
        engine::Shape::Tumbling(size_us) => spec::Shape::Tumbling { size_us },
        engine::Shape::Sliding(engine::Sliding { size_us, slide_us }) => {
            spec::Shape::Sliding { size_us, slide_us }
        }
        engine::Shape::Session(gap_us) => spec::Shape::Session { gap_us },
    }
}

fn aggregate(aggregate: &engine::Aggregate) -> spec::Aggregate {
    spec::Aggregate {
        name: aggregate.name.clone(),
        operation: match aggregate.operation {
            engine::Operation::First => spec::Operation::First,
            engine::Operation::Last => spec::Operation::Last,
            engine::Operation::Min => spec::Operation::Min,
            engine::Operation::Max => spec::Operation::Max,
            engine::Operation::Sum => spec::Operation::Sum,
            engine::Operation::Count => spec::Operation::Count,
            engine::Operation::Mean => spec::Operation::Mean,
            engine::Operation::Vwap => spec::Operation::Vwap,
            engine::Operation::SumProduct => spec::Operation::SumProduct,
        },
        column: aggregate.column.clone(),
        by: aggregate.by.clone(),
    }
}

pub fn rows(rows: &engine::Rows) -> table::Rows {
    let runs = rows.runs.iter();
    table::Rows {
        table: table::Table {
            rows: rows.table.rows,
            columns: rows.table.columns.iter().map(column).collect(),
        },
        kinds: text(&rows.kinds),
        records: rows.records.clone(),
        topics: rows.topics.clone(),
        runs: runs
            .map(|run| table::Run { topic: run.topic, partition: run.partition, records: run.records })
            .collect(),
        offsets: rows.offsets.clone(),
    }
}

fn column(column: &engine::Column) -> table::Column {
    table::Column {
        name: column.name.clone(),
        data: match &column.data {
            engine::ColumnData::Int64(values) => table::ColumnData::Int64(values.clone()),
            engine::ColumnData::TimestampUs(values) => table::ColumnData::TimestampUs(values.clone()),
            engine::ColumnData::Decimal(decimals) => table::ColumnData::Decimal(table::Decimals {
                scale: decimals.scale,
                values: decimals.values.clone(),
                high: decimals.high.clone(),
            }),
            engine::ColumnData::Float64(values) => table::ColumnData::Float64(values.clone()),
            engine::ColumnData::Boolean(values) => table::ColumnData::Boolean(values.clone()),
            engine::ColumnData::Text(values) => table::ColumnData::Text(text(values)),
        },
        validity: column.validity.clone(),
    }
}

fn text(text: &engine::Text) -> table::Text {
    table::Text { bytes: text.bytes.clone(), ends: text.ends.clone(), codes: text.codes.clone() }
}
