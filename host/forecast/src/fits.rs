//! The fits of a run: what each asks, who is asked, and what is kept of it.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use tallow_engine::CallError;
use tallow_store::StoreError;

use crate::averages::Continue;
use crate::grid::Point;
use crate::kept::Kept;
use crate::measures::{Fold, Scale};
use crate::model::Functions;
use crate::origins::Origin;
use crate::request::{Asked, Fitted, Rows, address};
use crate::series::Series;
use crate::settings::Settings;
use crate::workers;

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contender {
    /// The function, with these settings from the grid.
    Model(Point),
    Last,
    Drift,
}

/// One fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub contender: Contender,
    pub rows: Rows,
    pub continued: Continue,
    pub averages: Vec<usize>,
    /// For people: `cutoff 2024-05-01`.
    pub what: String,
}

impl Task {
    /// The fit of an origin.
    pub fn of(contender: Contender, origin: &Origin, settings: &Settings, series: &Series) -> Self {
        let rows = Rows { train: origin.train.clone(), asked: origin.test.clone(), beyond: 0 };
        let what = format!("cutoff {}", crate::series::day(cutoff_us(series, origin)));
        Self { contender, rows, continued: Continue::Held, averages: settings.averages.clone(), what }
    }
}

/// The last time that is learnt from.
pub fn cutoff_us(series: &Series, origin: &Origin) -> i64 {
    origin.train.end.checked_sub(1).map_or(0, |row| series.ds_us[row])
}

/// Why a fit gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it gave numbers that are not finite")]
    NotFinite,
}

/// Everything that a fit needs.
#[derive(Clone, Copy)]
pub struct Fitting<'a> {
    pub settings: &'a Settings,
    pub functions: &'a Functions,
    pub kept: Kept<'a>,
    pub threads: usize,
    pub stop: &'a AtomicBool,
}

impl Fitting<'_> {
    /// Makes the fits that are not kept, side by side. `None` of those that a stop left.
    pub fn all(
        &self,
        series: &Series,
        tasks: &[Task],
        done: impl FnMut(usize, &Result<Fitted, FitError>),
    ) -> Vec<Option<Result<Fitted, FitError>>> {
        workers::side_by_side(tasks, self.threads, self.stop, |task| self.one(series, task), done)
    }

    fn one(&self, series: &Series, task: &Task) -> Result<Fitted, FitError> {
        let method = |method: &str| vec![("method".to_owned(), method.to_owned())];
        let (models, point, rich) = match &task.contender {
            Contender::Model(point) => (&self.functions.model, point.clone(), true),
            Contender::Last => (&self.functions.naive, method("last"), false),
            Contender::Drift => (&self.functions.naive, method("drift"), false),
        };
        let asked = Asked {
            settings: self.settings,
            point: &point,
            rich,
            continued: task.continued,
            averages: &task.averages,
            log: rich && self.settings.log,
        };
        let request = asked.request(series, &task.rows);
        let address = address(models.digest(), &request);
        if let Some(fitted) = self.kept.get(address)? {
            return Ok(fitted);
        }
        let fitted = asked.answer(models.open()?.forecast(&request)?);
        if !fitted.is_sound(request.future.rows as usize) {
            return Err(FitError::NotFinite);
        }
        self.kept.put(address, &fitted)?;
        Ok(fitted)
    }
}

/// A fit held against what came.
pub fn fold(series: &Series, train: &Range<usize>, test: &Range<usize>, fitted: &Fitted) -> Fold {
    Fold {
        y: series.y[test.clone()].to_vec(),
        yhat: fitted.yhat.clone(),
        lower: fitted.lower.clone(),
        upper: fitted.upper.clone(),
        scale: Scale::of(&series.y[train.clone()]),
    }
}
