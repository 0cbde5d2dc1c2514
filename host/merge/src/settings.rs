//! What is merged, and how.

use serde_json::{Value, json};
use tallow_engine::{Average, MergeSettings};
use tallow_lake::Partitioned;

use crate::notes::ColumnNote;

/// A merge of the manifest, in plain words.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    /// Table below `batch/`.
    pub batch: Option<String>,
    /// Table below `speed/`.
    pub speed: Option<String>,
    /// Column by which the tables are partitioned.
    pub key: String,
    pub step_us: u64,
    pub fill: bool,
    /// None: of [`CARRIED`] those that the tables have.
    pub carry: Option<Vec<String>>,
    /// None: of [`ZEROED`] those that the tables have.
    pub zero: Option<Vec<String>>,
    /// Name, column, length. None: of [`AVERAGES`] those whose column the tables have.
    pub averages: Option<Vec<(String, String, u32)>>,
    /// The column that becomes `y` of the prophet table; none: no such table.
    pub prophet: Option<String>,
    /// Whether holes are noted for a backfill.
    pub heal: bool,
    pub keep_backups: u64,
    /// Age at which served speed files go; none: never.
    pub speed_retention_us: Option<i64>,
}

const CARRIED: [&str; 4] = ["open", "high", "low", "close"];
const ZEROED: [&str; 3] = ["volume", "quote_volume", "trades"];
const AVERAGES: [(&str, &str, u32); 2] = [("ma7", "close", 7), ("ma30", "close", 30)];

impl Settings {
    /// The job's name in the lake: its log and its backups go by it. A pipeline's name has no dot.
    pub fn job(&self) -> String {
        format!("merge.{}", self.name)
    }

    pub fn batch_table(&self) -> Option<Partitioned> {
        self.batch.as_ref().map(|table| Partitioned::batch(table, &self.key))
    }

    pub fn serving_table(&self) -> Partitioned {
        Partitioned::serving(&self.name, &self.key)
    }

    pub fn prophet_table(&self) -> Partitioned {
        Partitioned::prophet(&self.name, &self.key)
    }

    /// What the function is asked for, given the columns of the tables.
    pub fn of_function(&self, columns: &[ColumnNote], until_us: Option<i64>) -> MergeSettings {
        let there = |name: &str| columns.iter().any(|column| column.name == name);
        let usual = |names: &[&str]| {
            names.iter().filter(|name| there(name)).map(|name| (*name).to_owned()).collect::<Vec<_>>()
        };
        let usual_averages = AVERAGES.iter().filter(|(_, column, _)| there(column));
        let averages = match &self.averages {
            Some(averages) => averages.clone(),
            None => usual_averages
                .map(|(name, column, length)| ((*name).into(), (*column).into(), *length))
                .collect(),
        };
        MergeSettings {
            keys: vec![self.key.clone()],
            step_us: self.step_us,
            fill: self.fill,
            until_us,
            carried: self.carry.clone().unwrap_or_else(|| usual(&CARRIED)),
            zeroed: self.zero.clone().unwrap_or_else(|| usual(&ZEROED)),
            averages: averages
                .into_iter()
                .map(|(name, column, length)| Average { name, column, length })
                .collect(),
        }
    }

    /// Everything that decides a partition's rows beside its inputs.
    pub fn meaning(&self) -> Value {
        json!({
            "key": self.key,
            "step_us": self.step_us,
            "fill": self.fill,
            "carry": self.carry,
            "zero": self.zero,
            "averages": self.averages,
            "prophet": self.prophet,
        })
    }
}
