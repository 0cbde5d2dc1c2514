//! Series out of a table of the lake: `serving/NAME`, `prophet_input/NAME` or `batch/NAME`.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, BooleanArray, Float64Array, RecordBatch};
use arrow_schema::DataType;
use tallow_lake::{Partitioned, hive};
use tallow_sink::{nearest_double, optional_column};
use tallow_store::Store;
use tallow_table::file;

use crate::error::ForecastError;
use crate::series::{Candle, Point};

/// A symbol's values as they were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    pub symbol: String,
    pub points: Vec<Point>,
    /// What people should know of how they were read.
    pub remarks: Vec<String>,
}

/// Columns of times, of which a table has the first that it has.
const TIMES: [&str; 2] = ["window_start", "ds"];
/// The column that the prices of a candle stand beside.
const CLOSE: &str = "close";

/// The symbols of a table, in their order. `column`: whose values are forecast; a prophet table calls it `y`.
pub fn of_table(store: &Store, table: &Partitioned, column: &str) -> Result<Vec<Input>, ForecastError> {
    let mut inputs: BTreeMap<String, Input> = BTreeMap::new();
    for (partition, listed) in tallow_table::list(store, table)? {
        let Some(content) = file::read(store, &listed.path)? else { continue };
        let symbol = hive::decode(&partition.key).unwrap_or(partition.key);
        let input = inputs.entry(symbol.clone()).or_insert_with(|| Input { symbol, ..Input::default() });
        take(&content.rows, column, input).map_err(ForecastError::input(&listed.path))?;
    }
    if inputs.is_empty() {
        let why = "there is no such table, or it is empty; `tallow batch` and `tallow merge` make tables";
        return Err(ForecastError::input(&store.at(&table.root))(why));
    }
    Ok(inputs.into_values().map(without_open_end).collect())
}

fn take(rows: &RecordBatch, column: &str, input: &mut Input) -> Result<(), String> {
    let times = TIMES.iter().find_map(|name| rows.column_by_name(name));
    let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
    let times = times.ok_or("it has neither a column `window_start` nor a column `ds` of times")?;
    let found = rows.column_by_name(column).or_else(|| rows.column_by_name("y").filter(|_| column == CLOSE));
    let values = numbers(found, column, rows)?;
    let prices = if column == CLOSE { prices(rows) } else { None };
    let flags = |name| optional_column::<BooleanArray>(rows, name);
    let (filled, complete) = (flags("filled"), flags("complete"));
    let is = |flags: Option<&BooleanArray>, row: usize, wanted: bool| {
        flags.is_some_and(|flags| flags.is_valid(row) && flags.value(row) == wanted)
    };
    for row in 0..rows.num_rows() {
        let known = values.is_valid(row) && !is(filled, row, true);
        let value = known.then(|| values.value(row));
        if value.is_some() && is(complete, row, false) {
            input.remarks.push(format!("{PARTIAL}{}", times.value(row)));
        }
        let candle = prices.as_ref().filter(|_| known).and_then(|prices| prices.candle(row));
        input.points.push(Point { time_us: times.value(row), value, candle });
    }
    Ok(())
}

/// The prices of a table of candles.
struct Prices {
    open: Float64Array,
    high: Float64Array,
    low: Float64Array,
}

impl Prices {
    fn candle(&self, row: usize) -> Option<Candle> {
        let price = |prices: &Float64Array| prices.is_valid(row).then(|| prices.value(row));
        Some(Candle { open: price(&self.open)?, high: price(&self.high)?, low: price(&self.low)? })
    }
}

/// `None`: it has no such columns of numbers. A chart of closes is drawn then.
fn prices(rows: &RecordBatch) -> Option<Prices> {
    let price = |name: &str| numbers(rows.column_by_name(name), name, rows).ok();
    Some(Prices { open: price("open")?, high: price("high")?, low: price("low")? })
}

/// Marks, among the remarks, a row that is not whole.
const PARTIAL: &str = "partial ";

fn numbers(
    found: Option<&arrow_array::ArrayRef>,
    column: &str,
    rows: &RecordBatch,
) -> Result<Float64Array, String> {
    let Some(found) = found else {
        let schema = rows.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        return Err(format!("it has no column `{column}`; its columns are {}", names.join(", ")));
    };
    match found.data_type() {
        DataType::Float64 => Ok(found.as_primitive::<Float64Type>().clone()),
        DataType::Int64 => Ok(found.as_primitive::<Int64Type>().unary(|value| value as f64)),
        DataType::Decimal128(_, scale) => {
            Ok(found.as_primitive::<Decimal128Type>().unary(|mantissa| nearest_double(mantissa, *scale)))
        }
        other => Err(format!("column `{column}` is {other}: a number is needed")),
    }
}

/// A newest row that is not whole is of a step that has not ended: its value is not the step's last.
fn without_open_end(mut input: Input) -> Input {
    let partial = |remark: &String| remark.strip_prefix(PARTIAL).and_then(|time| time.parse::<i64>().ok());
    let partials: Vec<i64> = input.remarks.iter().filter_map(partial).collect();
    input.remarks.clear();
    let newest = input.points.iter().filter(|it| it.value.is_some()).map(|it| it.time_us).max();
    let open = newest.filter(|newest| partials.contains(newest));
    if let Some(open) = open {
        input.points.retain(|point| point.time_us != open);
        let day = crate::series::day(open);
        input.remarks.push(format!("the newest row, of {day}, is not whole: it is left out"));
    }
    let others = partials.len() - usize::from(open.is_some());
    if others > 0 {
        input.remarks.push(format!("{others} rows are partial: they count as they are"));
    }
    input
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, TimestampMicrosecondArray};
    use tallow_table::File;

    use super::*;

    fn table() -> Partitioned {
        Partitioned::serving("daily", "symbol")
    }

    fn put(store: &Store, path: &str, columns: Vec<(&str, ArrayRef)>) {
        let rows =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, it)| (name, it, true)))
                .unwrap();
        let sorted_by = rows.schema().field(0).name().clone();
        let file = File::of_rows(path, &rows, &sorted_by, &[]).unwrap();
        store.put_overwrite(path, file.body.bytes().unwrap().clone()).unwrap();
    }

    fn times(times: &[i64]) -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"))
    }

    #[test]
    fn the_years_of_each_symbol_are_one_series() {
        let store = Store::memory().unwrap();
        let close = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
        put(
            &store,
            "serving/daily/symbol=B%2F1/year=1970/data.parquet",
            vec![("window_start", times(&[1, 2])), ("close", close(&[1.0, 2.0]))],
        );
        put(
            &store,
            "serving/daily/symbol=B%2F1/year=1971/data.parquet",
            vec![("window_start", times(&[3])), ("close", close(&[3.0]))],
        );
        let inputs = of_table(&store, &table(), "close").unwrap();
        assert_eq!(inputs.len(), 1);
        assert_eq!(inputs[0].symbol, "B/1");
        let values: Vec<_> = inputs[0].points.iter().map(|it| (it.time_us, it.value)).collect();
        assert_eq!(values, [(1, Some(1.0)), (2, Some(2.0)), (3, Some(3.0))]);
        assert!(inputs[0].points.iter().all(|it| it.candle.is_none()));
        let error = of_table(&store, &table(), "price").unwrap_err().to_string();
        assert!(error.contains("no column `price`; its columns are window_start, close"), "{error}");
    }

    #[test]
    fn a_table_of_candles_has_their_prices() {
        let store = Store::memory().unwrap();
        let price = |value: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![value, value])) };
        let columns = vec![
            ("window_start", times(&[1, 2])),
            ("open", price(2.0)),
            ("high", price(4.0)),
            ("low", price(1.0)),
            ("close", price(3.0)),
            ("filled", Arc::new(BooleanArray::from(vec![false, true]))),
        ];
        put(&store, "serving/daily/symbol=A/year=1970/data.parquet", columns);
        let points = of_table(&store, &table(), "close").unwrap().remove(0).points;
        let candle = Candle { open: 2.0, high: 4.0, low: 1.0 };
        assert_eq!(points.iter().map(|it| it.candle).collect::<Vec<_>>(), [Some(candle), None]);
        let points = of_table(&store, &table(), "high").unwrap().remove(0).points;
        assert_eq!(points[0], Point { time_us: 1, value: Some(4.0), candle: None });
    }

    #[test]
    fn filled_rows_count_as_missing_and_an_open_end_is_left_out() {
        let store = Store::memory().unwrap();
        let flags = |values: [bool; 3]| -> ArrayRef { Arc::new(BooleanArray::from(values.to_vec())) };
        let close: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 1.0, 5.0]));
        let columns = vec![
            ("window_start", times(&[1, 2, 3])),
            ("close", close),
            ("filled", flags([false, true, false])),
            ("complete", flags([false, true, false])),
        ];
        put(&store, "serving/daily/symbol=A/year=1970/data.parquet", columns);
        let input = of_table(&store, &table(), "close").unwrap().remove(0);
        assert_eq!(input.points.iter().map(|it| it.value).collect::<Vec<_>>(), [Some(1.0), None]);
        assert_eq!(
            input.remarks,
            [
                "the newest row, of 1970-01-01 00:00:00, is not whole: it is left out",
                "1 rows are partial: they count as they are"
            ]
        );
    }

    #[test]
    fn a_table_that_is_not_there_is_named() {
        let error = of_table(&Store::memory().unwrap(), &table(), "close").unwrap_err().to_string();
        assert!(error.contains("serving/daily") && error.contains("tallow merge"), "{error}");
    }
}
