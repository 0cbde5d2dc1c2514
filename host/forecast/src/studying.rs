//! The fits of a symbol, and how far they are.

use crate::error::ForecastError;
use crate::fits::{Contender, FitError, Fitting, Task};
use crate::grid;
use crate::request::Fitted;
use crate::series::Series;

/// What people are shown while fits are made.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// How many of how many fits of all symbols are done.
    Progress { symbol: String, done: usize, all: usize },
    /// A combination of settings was judged on all cuts that choose.
    Point { symbol: String, name: String, mase: Option<f64>, mape: Option<f64> },
    /// A fit failed, and the others continue.
    Failed { symbol: String, text: String },
}

/// What shows it.
pub type Watch<'w> = &'w mut dyn FnMut(Event);

/// What a symbol's fits need and count.
pub struct Studying<'a, 'w> {
    pub fitting: Fitting<'a>,
    /// Rows that the function needs.
    pub least: usize,
    pub done: usize,
    pub all: usize,
    pub watch: Watch<'w>,
}

impl Studying<'_, '_> {
    /// Makes fits, and shows them as they are done. `shown`: of each that is done.
    pub fn fit(
        &mut self,
        series: &Series,
        tasks: &[Task],
        failures: &mut Vec<String>,
        shown: &mut dyn FnMut(usize, Option<&Fitted>, Watch<'_>),
    ) -> Result<Vec<Option<Fitted>>, ForecastError> {
        let (all, symbol) = (self.all, &series.symbol);
        let (done, watch) = (&mut self.done, &mut *self.watch);
        let results = self.fitting.all(series, tasks, |index, result| {
            *done += 1;
            if let Err(error) = result {
                let text = failure(self.fitting.settings, &tasks[index], error);
                watch(Event::Failed { symbol: symbol.clone(), text });
            }
            shown(index, result.as_ref().ok(), watch);
            watch(Event::Progress { symbol: symbol.clone(), done: *done, all });
        });
        let mut fits = Vec::with_capacity(results.len());
        for (task, result) in tasks.iter().zip(results) {
            match result {
                None => return Err(ForecastError::Stopped { kept: self.done, all }),
                Some(Ok(fitted)) => fits.push(Some(fitted)),
                Some(Err(FitError::Store(error))) => return Err(error.into()),
                Some(Err(error)) => {
                    failures.push(failure(self.fitting.settings, task, &error));
                    fits.push(None);
                }
            }
        }
        Ok(fits)
    }
}

fn failure(settings: &crate::Settings, task: &Task, error: &FitError) -> String {
    let who = match &task.contender {
        Contender::Model(point) => format!("{} ({})", settings.function, grid::name(point)),
        Contender::Last => "the last value".to_owned(),
        Contender::Drift => "drift".to_owned(),
    };
    format!("{who}, {}: {error}", task.what)
}
