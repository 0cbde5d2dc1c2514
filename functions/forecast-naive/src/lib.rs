//! Forecasts that others have to beat: the last value, drift, the last season, the mean.
//!
//! Formulas are those of Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", third edition: the
//! methods of section 5.2, the deviations of section 5.5. For a series with gaps, each deviation is of as many steps
//! as there are between two rows; without gaps that is the book's.

mod method;

use forecast::{Asked, Band, Model, Refusal, Rows};

use method::Method;

#[cfg(target_arch = "wasm32")]
mod component {
    type Component = forecast::adapter::Adapter<crate::Naive>;
    forecast::adapter::export_forecast!(Component with_types_in forecast::adapter);
}

pub struct Naive;

/// Rows of the longest season.
const LONGEST: u32 = 1_000_000;

impl Model for Naive {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SETTINGS: &'static [(&'static str, &'static str, &'static str)] = &[
        (
            "method",
            "last",
            "last: the last value; drift: the line from the first to the last value, continued; seasonal-naive: \
             the value of one season before; mean: the mean of all values.",
        ),
        ("season", "7", "Rows in a season, for seasonal-naive; a number of at least 1."),
    ];
    const LEAST_ROWS: u32 = 2;

    fn forecast(asked: &Asked<'_>) -> Result<Rows, Refusal> {
        let word = asked.settings.word("method", &method::WORDS)?;
        let season = asked.settings.number("season", 1..=LONGEST)?;
        let method = Method::fit(word, season, &asked.series)?;
        let sigma = method.sigma(&asked.series);
        let band = Band::new(asked.request.level);
        let mut rows = Rows::default();
        for time_us in asked.future_us {
            let expected = method.at(&asked.series, *time_us);
            rows.push(expected.mean, band.around(expected.mean, sigma.value * expected.widened));
        }
        rows.components.push(("trend".to_owned(), rows.yhat.clone()));
        rows.parameter("sigma", &[sigma.value]);
        method.parameters(&mut rows);
        notes(asked, &method, sigma.residuals, &mut rows);
        Ok(rows)
    }
}

fn notes(asked: &Asked<'_>, method: &Method, residuals: usize, rows: &mut Rows) {
    let missing = asked.series.missing();
    if missing > 0 {
        rows.notes.push(format!(
            "{missing} rows are missing in the history: what lies on both sides of a gap counts as so many steps apart."
        ));
    }
    if residuals <= method.fitted() {
        rows.notes
            .push("The band has no width: the history is too short for a residual to be left.".to_owned());
    }
    let unknown = asked.future_us.iter().filter(|time_us| !method.knows(&asked.series, **time_us)).count();
    if unknown > 0 {
        rows.notes.push(format!(
            "{unknown} rows have nothing before them to be expected from, and stand as the first value that is known."
        ));
    }
}

#[cfg(test)]
mod tests;
