//! The forecasts of the manifest, composed to run.

use std::sync::Arc;
use std::time::Duration;

use tallow_engine::{CallError, Component, ForecastFunction, Limits, forecast as contract};
use tallow_forecast::model::{Functions, Model, Models};
use tallow_forecast::settings::{Folds, Holidays};
use tallow_forecast::{Forecaster, Settings};
use tallow_lake::Partitioned;
use tallow_manifest::{Forecast, Manifest, Merge};
use tallow_store::Digest;

use super::Host;
use crate::cli::Failure;
use crate::forecasting::{Following, Forecasting};

/// A fit of some ten thousand rows fits into it.
pub const FORECAST_LIMITS: Limits =
    Limits { memory_bytes: 512 << 20, deadline: Duration::from_secs(600), output_bytes: 128 << 20 };

impl Host {
    /// A forecast, ready to run. `threads`: fits side by side.
    pub fn forecaster(
        &self,
        manifest: &Manifest,
        forecast: &Forecast,
        threads: Option<usize>,
    ) -> Result<Forecaster, Failure> {
        let function = |name: &str| -> Result<Arc<dyn Models>, Failure> {
            let admitted = self.gate.of_forecast(manifest, &self.runtime, name, FORECAST_LIMITS)?;
            Ok(Arc::new(Function(admitted.component)))
        };
        let functions = Functions { model: function(&forecast.function)?, naive: function(&forecast.naive)? };
        Ok(Forecaster {
            settings: settings(forecast),
            functions,
            store: self.store.clone(),
            threads: threads.unwrap_or_else(tallow_worker::plan::processors),
            stop: self.stop.clone(),
        })
    }
}

impl Host {
    /// The forecasts that run by themselves after these merges.
    pub fn forecasting(&self, manifest: &Manifest, merges: &[&Merge]) -> Result<Forecasting, Failure> {
        let jobs = manifest.automatic_forecasts(merges).map(|forecast| {
            let followed = merges.iter().filter(|merge| forecast.follows(&merge.name));
            Ok(Following {
                forecaster: self.forecaster(manifest, forecast, None)?,
                table: table_of(forecast),
                symbols: forecast.symbols.clone(),
                merges: followed.map(|merge| merge.name.clone()).collect(),
            })
        });
        Ok(Forecasting::new(jobs.collect::<Result<_, Failure>>()?))
    }
}

/// The table that a forecast takes.
pub fn table_of(forecast: &Forecast) -> Partitioned {
    Partitioned { root: forecast.table.clone(), key: forecast.key.clone() }
}

/// A component of which each fit takes an instance.
struct Function(Component);

impl Models for Function {
    fn open(&self) -> Result<Box<dyn Model>, CallError> {
        Ok(Box::new(Instance(ForecastFunction::new(&self.0, FORECAST_LIMITS)?)))
    }

    fn digest(&self) -> Digest {
        self.0.digest()
    }
}

struct Instance(ForecastFunction);

impl Model for Instance {
    fn describe(&mut self) -> Result<contract::Description, CallError> {
        self.0.describe()
    }

    fn forecast(&mut self, request: &contract::Request) -> Result<contract::Outcome, CallError> {
        self.0.forecast(request)
    }
}

/// A forecast of the manifest in the forecaster's words.
fn settings(forecast: &Forecast) -> Settings {
    let holidays = forecast.holidays.iter().map(|it| Holidays {
        name: it.name.clone(),
        days_us: it.days_us.clone(),
        before: it.before,
        after: it.after,
    });
    Settings {
        name: forecast.name.clone(),
        function: forecast.function.clone(),
        column: forecast.column.clone(),
        horizon: forecast.horizon,
        step_us: forecast.step_us as i64,
        settings: forecast.settings.clone(),
        grid: forecast.grid.clone(),
        folds: Folds {
            count: forecast.folds,
            choose: forecast.choose_folds,
            spacing: forecast.spacing,
            train: forecast.train,
        },
        averages: forecast.averages.clone(),
        holidays: holidays.collect(),
        log: forecast.log,
        cap: forecast.cap,
        floor: forecast.floor,
        level: forecast.level,
        seed: forecast.seed,
        leaked: forecast.leaked,
    }
}
