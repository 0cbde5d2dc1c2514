//! What a reader of committed records sees in a topic of results.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tallow_env::SystemClock;
use tallow_sink_kafka::Record;
use tallow_source::{Config, KafkaSource, OnDataLoss, Topics};
use tallow_test_support::transactions::conformance::read_all;

use crate::lake::Row;

/// All records of a topic, each partition in its order.
pub fn records(brokers: &str, topic: &str) -> Vec<Record> {
    let source = KafkaSource::new(Config {
        brokers: brokers.to_owned(),
        client: BTreeMap::new(),
        topics: Topics::Names(vec![topic.to_owned()]),
        on_data_loss: OnDataLoss::Halt,
        group_for_lag: None,
        clock: Arc::new(SystemClock::new()),
    });
    read_all(&source.expect("a source"))
}

/// Candles as the lake's rows are read: decimals as the shortest text of their double.
pub fn rows(records: &[Record]) -> Vec<Row> {
    let row = |record: &Record| -> Row {
        let value: Value = serde_json::from_slice(record.value.as_deref().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{error}: {record:?}"));
        let columns = value.as_object().expect("an object").iter();
        columns.map(|(column, cell)| (column.clone(), text(column, cell))).collect()
    };
    records.iter().map(row).collect()
}

fn text(column: &str, cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) if column != "symbol" => {
            text.parse::<f64>().map_or_else(|_| text.clone(), |number| number.to_string())
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
