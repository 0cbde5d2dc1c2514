//! What a forecast function is asked for.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{ColumnInfo, Row, Time, from_rows, pairs};
use crate::{ColumnType, Refusal, Table, forecast};

/// Share of outcomes inside the band, if a request names none.
const LEVEL: f64 = 0.8;

/// A request: `history` and `future` as rows with a `ds` and numbers, whose keys are the columns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    history: Vec<Row>,
    future: Vec<Future>,
    #[serde(default)]
    regressors: Vec<String>,
    #[serde(default)]
    holidays: Vec<Holiday>,
    /// 0.8 if it is left out.
    level: Option<f64>,
    #[serde(default)]
    seed: u64,
    #[serde(default, deserialize_with = "pairs")]
    settings: Vec<(String, String)>,
}

/// A row to forecast: its columns, or its time alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Future {
    Row(Row),
    Time(Time),
}

/// A holiday, with its day as people write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    name: String,
    ds: Time,
    #[serde(default)]
    lower_days: i32,
    #[serde(default)]
    upper_days: i32,
}

impl From<Holiday> for forecast::Holiday {
    fn from(holiday: Holiday) -> Self {
        let Holiday { name, ds: Time(ds_us), lower_days, upper_days } = holiday;
        Self { name, ds_us, lower_days, upper_days }
    }
}

impl Request {
    /// # Errors
    /// Names the table and the row with a value that is no number, or a `ds` that is no time.
    pub fn read(self) -> Result<forecast::Request, Refusal> {
        let row = |future: Future| match future {
            Future::Row(row) => row,
            Future::Time(Time(time_us)) => Row::from_iter([("ds".to_owned(), time_us.into())]),
        };
        let future: Vec<Row> = self.future.into_iter().map(row).collect();
        Ok(forecast::Request {
            history: table(&self.history).map_err(|why| why.within("history"))?,
            future: table(&future).map_err(|why| why.within("future"))?,
            regressors: self.regressors,
            holidays: self.holidays.into_iter().map(Into::into).collect(),
            level: self.level.unwrap_or(LEVEL),
            seed: self.seed,
            settings: self.settings,
        })
    }
}

/// `ds`, then all other keys as float64, by name.
fn table(rows: &[Row]) -> Result<Table, Refusal> {
    let names: BTreeSet<&String> = rows.iter().flat_map(Row::keys).filter(|name| *name != "ds").collect();
    let info = |name: &str, column_type| ColumnInfo { name: name.to_owned(), column_type, scale: None };
    let others = names.into_iter().map(|name| info(name, ColumnType::Float64));
    let columns: Vec<ColumnInfo> =
        std::iter::once(info("ds", ColumnType::TimestampUs)).chain(others).collect();
    from_rows(&columns, rows, &[])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::forecast::{times_us, values};

    fn read(value: Value) -> Result<forecast::Request, Refusal> {
        serde_json::from_value::<Request>(value).unwrap().read()
    }

    #[test]
    fn keys_are_columns_and_a_future_row_may_be_a_time() {
        let request = read(json!({
            "history": [{"ds": "1970-01-01", "y": 1, "ma7": 0.5}, {"ds": "1970-01-02", "y": null, "ma7": 2}],
            "future": ["1970-01-03", {"ds": 345_600_000_000_i64, "ma7": 3}],
            "holidays": [{"name": "halving", "ds": "1970-01-02", "upper_days": 1}],
            "settings": {"method": "last"},
        }))
        .unwrap();
        assert_eq!(times_us(&request.future, "future").unwrap(), [172_800_000_000, 345_600_000_000]);
        assert_eq!(values(&request.history, "y").unwrap(), [Some(1.0), None]);
        assert_eq!(values(&request.future, "ma7").unwrap(), [None, Some(3.0)]);
        assert_eq!((request.level, request.setting("method")), (0.8, Some("last")));
        assert_eq!((request.holidays[0].ds_us, request.holidays[0].upper_days), (86_400_000_000, 1));
    }

    #[test]
    fn what_is_no_number_is_named_with_its_table_and_row() {
        let said = read(json!({"history": [{"ds": "1970-01-01", "y": "1"}], "future": []})).unwrap_err();
        assert!(said.to_string().starts_with("history: row 0: `y` is \"1\", which is not"), "{said}");
    }
}
