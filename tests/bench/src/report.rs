//! Measured values beside the bars that they are held to.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

#[derive(Clone, Copy, Debug)]
enum Better {
    Higher,
    Lower,
}

/// One line of the report. Without a bar there is nothing to meet.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// The bar that must be met.
    pub reach: Option<f64>,
    /// The higher bar.
    pub aim: Option<f64>,
    /// Whether `reach` is met.
    pub met: Option<bool>,
    #[serde(skip)]
    better: Better,
}

impl Measure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let name = name.into();
        Self { name, value, unit, reach: None, aim: None, met: None, better: Better::Higher }
    }

    /// The bars are upper bounds: less is better.
    pub fn at_most(self) -> Self {
        Self { better: Better::Lower, ..self }.judged()
    }

    pub fn reach(self, reach: f64) -> Self {
        Self { reach: Some(reach), ..self }.judged()
    }

    pub fn aim(self, aim: f64) -> Self {
        Self { aim: Some(aim), ..self }
    }

    fn judged(self) -> Self {
        Self { met: self.reach.map(|reach| self.is_within(reach)), ..self }
    }

    fn is_within(&self, bar: f64) -> bool {
        match self.better {
            Better::Higher => self.value >= bar,
            Better::Lower => self.value <= bar,
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.met, self.aim.map(|aim| self.is_within(aim))) {
            (Some(false), _) => "MISSED",
            (_, Some(true)) => "aim",
            (Some(true), _) => "reach",
            (None, Some(false)) => "below aim",
            (None, None) => "",
        }
    }

    fn bar(&self, bar: Option<f64>) -> String {
        let sign = match self.better {
            Better::Higher => "",
            Better::Lower => "≤ ",
        };
        bar.map_or(String::new(), |bar| format!("{sign}{}", number(bar)))
    }
}

/// The report for people.
pub fn table(measures: &[Measure]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["measure", "value", "unit", "reach", "aim", "met"]);
    for measure in measures {
        table.add_row([
            measure.name.clone(),
            number(measure.value),
            measure.unit.to_owned(),
            measure.bar(measure.reach),
            measure.bar(measure.aim),
            measure.verdict().to_owned(),
        ]);
    }
    for column in [1, 3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The report for programs: a JSON list.
pub fn write(measures: &[Measure], path: &Path) -> Result<()> {
    let write = || -> Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        Ok(fs::write(path, serde_json::to_string_pretty(measures)? + "\n")?)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Three digits that matter; large numbers by millions or thousands.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2} M", value / 1e6),
        size if size >= 1e4 => format!("{:.0} k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_lower_bound_unless_less_is_better() {
        assert_eq!(Measure::new("rate", 9.0, "").reach(8.0).aim(12.0).met, Some(true));
        assert_eq!(Measure::new("rate", 7.0, "").reach(8.0).met, Some(false));
        assert_eq!(Measure::new("cost", 7.0, "").reach(8.0).at_most().met, Some(true));
        assert_eq!(Measure::new("cost", 9.0, "").at_most().reach(8.0).met, Some(false));
        assert_eq!(Measure::new("rate", 7.0, "").aim(8.0).met, None);
    }

    #[test]
    fn the_verdict_names_the_highest_bar_that_is_met() {
        assert_eq!(Measure::new("rate", 13.0, "").reach(8.0).aim(12.0).verdict(), "aim");
        assert_eq!(Measure::new("rate", 9.0, "").reach(8.0).aim(12.0).verdict(), "reach");
        assert_eq!(Measure::new("rate", 7.0, "").reach(8.0).aim(12.0).verdict(), "MISSED");
        assert_eq!(Measure::new("rate", 7.0, "").aim(12.0).verdict(), "below aim");
    }

    #[test]
    fn json_has_the_fields_that_are_promised() {
        let json = serde_json::to_value(Measure::new("rate", 9.0, "records/s").reach(8.0)).unwrap();
        let expected = serde_json::json!({
            "name": "rate", "value": 9.0, "unit": "records/s", "reach": 8.0, "aim": null, "met": true
        });
        assert_eq!(json, expected);
    }
}
