//! A forecast function: from a series to its future.

use std::collections::BTreeSet;

use wasmtime::Store;
use wasmtime::component::{Component as Code, Linker};

use crate::bindings::ForecastWorld;
use crate::renewed::Renewed;
use crate::sandbox::Sandbox;
use crate::validate;
use crate::{CallError, Column, ColumnData, Component, Limits, Table, forecast as ours};

/// An instance. After an error other than [`CallError::Refused`] the next call makes a new one.
pub struct ForecastFunction {
    instance: Renewed<ForecastWorld>,
}

impl ForecastFunction {
    pub fn new(component: &Component, limits: Limits) -> Result<Self, CallError> {
        let instantiate = |store: &mut Store<Sandbox>, code: &Code, linker: &Linker<Sandbox>| {
            ForecastWorld::instantiate(store, code, linker)
        };
        Ok(Self { instance: Renewed::new(component, limits, instantiate)? })
    }

    /// What the component says about itself.
    pub fn describe(&mut self) -> Result<ours::Description, CallError> {
        let described =
            self.instance.call(|world, store| world.tallow_forecast_forecast().call_describe(store).map(Ok));
        described.map(Into::into)
    }

    /// What is expected of the request's future: one row for each of its rows, in their order, all numbers finite.
    ///
    /// # Errors
    /// [`CallError::Refused`], with the setting, column or row, if the function does not forecast this series so.
    pub fn forecast(&mut self, request: &ours::Request) -> Result<ours::Outcome, CallError> {
        let wanted = request.clone().into();
        let made = self
            .instance
            .call(|world, store| world.tallow_forecast_forecast().call_forecast(store, &wanted))?;
        let outcome = ours::Outcome::from(made);
        check_outcome(&outcome, &request.future).map_err(CallError::Contract)?;
        Ok(outcome)
    }
}

/// Columns before the components, in their order.
const EXPECTED: [&str; 4] = ["ds", "yhat", "lower", "upper"];

fn check_outcome(outcome: &ours::Outcome, future: &Table) -> Result<(), String> {
    let made = &outcome.forecast;
    validate::table(made)?;
    if made.rows != future.rows {
        return Err(format!("{} rows for a future of {}", made.rows, future.rows));
    }
    let names: Vec<&str> = made.columns.iter().map(|column| column.name.as_str()).collect();
    if !names.starts_with(&EXPECTED) {
        return Err(format!("columns {names:?} do not begin with {EXPECTED:?}"));
    }
    let [ds, values @ ..] = &made.columns[..] else { return Err("no column".to_owned()) };
    same_times(ds, future)?;
    values.iter().try_for_each(finite)?;
    ordered(&values[1], &values[2])?;
    check_components(&names[EXPECTED.len()..], &outcome.multiplicative)?;
    check_parameters(&outcome.parameters)
}

fn same_times(ds: &Column, future: &Table) -> Result<(), String> {
    let wanted = future.columns.iter().find(|column| column.name == "ds").map(|column| &column.data);
    match (&ds.data, wanted) {
        (ColumnData::TimestampUs(made), Some(ColumnData::TimestampUs(wanted)))
            if ds.validity.is_none() && made == wanted =>
        {
            Ok(())
        }
        _ => Err("`ds` is not the future's, row by row".to_owned()),
    }
}

fn finite(column: &Column) -> Result<(), String> {
    let name = &column.name;
    let ColumnData::Float64(values) = &column.data else {
        return Err(format!("`{name}` is {}, not float64", column.data.type_name()));
    };
    match values.iter().enumerate().find(|(row, value)| !value.is_finite() || !column.is_valid(*row)) {
        Some((row, _)) => Err(format!("`{name}` of row {row} is no finite number")),
        None => Ok(()),
    }
}

fn ordered(lower: &Column, upper: &Column) -> Result<(), String> {
    let (ColumnData::Float64(lower), ColumnData::Float64(upper)) = (&lower.data, &upper.data) else {
        return Ok(());
    };
    match lower.iter().zip(upper).position(|(lower, upper)| lower > upper) {
        Some(row) => Err(format!("`lower` of row {row} is above `upper`")),
        None => Ok(()),
    }
}

fn check_components(names: &[&str], multiplicative: &[String]) -> Result<(), String> {
    let named = |name: &str| {
        ["season:", "holiday:", "regressor:"]
            .iter()
            .any(|kind| name.len() > kind.len() && name.starts_with(kind))
    };
    let Some((&"trend", others)) = names.split_first() else {
        return Err("the column after `upper` is not `trend`".to_owned());
    };
    if let Some(name) = others.iter().find(|name| !named(name)) {
        return Err(format!("`{name}` is neither `trend` nor a season, holiday or regressor with its name"));
    }
    match multiplicative.iter().find(|name| !others.contains(&name.as_str())) {
        Some(name) => {
            Err(format!("`{name}`, said to be multiplicative, is none of the components {others:?}"))
        }
        None => Ok(()),
    }
}

fn check_parameters(parameters: &[ours::Parameter]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for parameter in parameters {
        let name = &parameter.name;
        if !names.insert(name) {
            return Err(format!("the parameter `{name}` is there twice"));
        }
        if !parameter.values.iter().all(|value| value.is_finite()) {
            return Err(format!("the parameter `{name}` is no finite number"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::{Outcome, Parameter, column, ds};

    fn future() -> Table {
        Table { rows: 2, columns: vec![ds(&[10, 20])] }
    }

    fn outcome() -> Outcome {
        let values = |name: &str, values: [f64; 2]| column(name, values.to_vec());
        let columns = vec![
            ds(&[10, 20]),
            values("yhat", [9.0, 2.0]),
            values("lower", [1.0, 1.0]),
            values("upper", [1.0, 2.0]),
            values("trend", [1.0, 2.0]),
            values("season:weekly", [0.1, 0.2]),
        ];
        Outcome {
            forecast: Table { rows: 2, columns },
            multiplicative: vec!["season:weekly".to_owned()],
            parameters: vec![Parameter { name: "k".to_owned(), values: vec![1.0] }],
            notes: Vec::new(),
        }
    }

    /// Why an outcome is not taken, once it was changed.
    fn wrong(change: impl FnOnce(&mut Outcome)) -> String {
        let mut outcome = outcome();
        change(&mut outcome);
        check_outcome(&outcome, &future()).unwrap_err()
    }

    fn set(outcome: &mut Outcome, column: usize, value: f64) {
        let ColumnData::Float64(values) = &mut outcome.forecast.columns[column].data else { return };
        values[1] = value;
    }

    #[test]
    fn a_sound_outcome_is_taken_wherever_yhat_is() {
        assert_eq!(check_outcome(&outcome(), &future()), Ok(()));
    }

    #[test]
    fn rows_are_those_of_the_future_in_its_order() {
        let times = |times_us: &[i64]| wrong(|it| it.forecast.columns[0] = ds(times_us));
        assert!(times(&[20, 10]).contains("row by row") && times(&[10, 21]).contains("row by row"));
        let short = wrong(|it| it.forecast = Table { rows: 0, columns: Vec::new() });
        assert_eq!(short, "0 rows for a future of 2");
    }

    #[test]
    fn numbers_are_finite_and_bounds_in_order() {
        for column in 1..6 {
            for value in [f64::NAN, f64::INFINITY] {
                let said = wrong(|it| set(it, column, value));
                assert!(said.ends_with("of row 1 is no finite number"), "{said}");
            }
        }
        assert!(wrong(|it| it.forecast.columns[1].validity = Some(vec![0b01])).contains("`yhat` of row 1"));
        assert_eq!(wrong(|it| set(it, 2, 2.5)), "`lower` of row 1 is above `upper`");
    }

    #[test]
    fn components_are_a_trend_and_what_has_a_name() {
        let renamed =
            |column: usize, name: &str| wrong(|it| it.forecast.columns[column].name = name.to_owned());
        assert!(renamed(3, "higher").contains("do not begin with"));
        assert!(renamed(4, "trends").contains("is not `trend`"));
        assert!(renamed(5, "season:").contains("neither `trend` nor"));
        assert!(renamed(5, "season:yearly").contains("`season:weekly`, said to be multiplicative"));
        let texts = ColumnData::Int64(vec![1, 2]);
        assert!(wrong(|it| it.forecast.columns[4].data = texts).contains("`trend` is int64, not float64"));
    }

    #[test]
    fn parameters_are_finite_and_named_once() {
        assert!(wrong(|it| it.parameters[0].values[0] = f64::NAN).contains("`k` is no finite number"));
        assert!(wrong(|it| it.parameters.push(it.parameters[0].clone())).contains("`k` is there twice"));
    }
}
