//! Forecasts that run by themselves: after the merge that writes their table. One that fails is run again after the next
//! merge; it stops neither merges nor pipelines.

use tallow_forecast::{ForecastError, Forecaster, Input, Outcome, input, running};
use tallow_lake::Partitioned;

/// The forecasts of a process.
#[derive(Default)]
pub struct Forecasting {
    jobs: Vec<Following>,
}

/// A forecast, and what it follows.
pub struct Following {
    pub forecaster: Forecaster,
    pub table: Partitioned,
    /// `None`: all symbols of the table.
    pub symbols: Option<Vec<String>>,
    /// Names of the merges that write the table.
    pub merges: Vec<String>,
}

impl Forecasting {
    pub fn new(jobs: Vec<Following>) -> Self {
        Self { jobs }
    }

    /// A merge is up to date: forecasts of its table are made again if the table has changed.
    pub fn after(&self, merge: &str) {
        for job in self.jobs.iter().filter(|job| job.merges.iter().any(|it| it == merge)) {
            let forecast = &job.forecaster.settings.name;
            match job.run() {
                Ok(Outcome::Done(done)) => {
                    let (run, left_out) = (done.record.run, done.left_out.len());
                    tracing::info!(forecast, run, left_out, verdict = done.record.verdict, "forecast");
                }
                Ok(Outcome::Nothing { .. }) => {}
                Err(ForecastError::Stopped { .. }) => {
                    tracing::info!(forecast, "the forecast was stopped; the next start completes it");
                }
                Err(error) => {
                    tracing::error!(forecast, %error, "the forecast failed; it runs again after the next merge");
                }
            }
        }
    }
}

impl Following {
    fn run(&self) -> Result<Outcome, ForecastError> {
        let inputs = self.inputs()?;
        let outcome = self.forecaster.run(&inputs, false, &mut |_| {})?;
        if matches!(outcome, Outcome::Done(_)) {
            self.tell_error(&inputs)?;
        }
        Ok(outcome)
    }

    fn inputs(&self) -> Result<Vec<Input>, ForecastError> {
        let all = input::of_table(&self.forecaster.store, &self.table, &self.forecaster.settings.column)?;
        for symbol in
            self.symbols.iter().flatten().filter(|wanted| all.iter().all(|it| it.symbol != **wanted))
        {
            let (forecast, table) = (&self.forecaster.settings.name, &self.table.root);
            tracing::warn!(forecast, symbol, table, "the table has no such symbol: it is not forecast");
        }
        let wanted = |it: &Input| self.symbols.as_ref().is_none_or(|symbols| symbols.contains(&it.symbol));
        Ok(all.into_iter().filter(wanted).collect())
    }

    /// How earlier runs compare with what has closed since.
    fn tell_error(&self, inputs: &[Input]) -> Result<(), ForecastError> {
        let settings = &self.forecaster.settings;
        for it in running::errors(&self.forecaster.store, &settings.name, inputs, settings.step_us)? {
            let (mape, last_value_mape) =
                (it.mape.unwrap_or(f64::NAN), it.last_value_mape.unwrap_or(f64::NAN));
            let (forecast, symbol, rows, inside) = (&settings.name, it.symbol, it.rows, it.inside);
            tracing::info!(
                forecast,
                symbol,
                rows,
                inside,
                mape,
                last_value_mape,
                "earlier forecasts beside what came"
            );
        }
        Ok(())
    }
}
