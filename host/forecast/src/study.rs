//! One symbol: settings chosen by earlier cuts, judged by later ones beside the last value and drift, and the forecast.

use serde::Serialize;

use crate::averages::Continue;
use crate::error::ForecastError;
use crate::fits::{Contender, Fitting, Task, cutoff_us, fold};
use crate::grid::{self, Point};
use crate::judge::{self, Judged};
use crate::leaked::{self, Leaked};
use crate::measures;
use crate::origins::{self, Origin, Origins};
use crate::request::{Fitted, Rows};
use crate::series::{Series, day};
use crate::studying::{Event, Studying};

/// A combination of settings on the cuts that choose.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    pub settings: Point,
    pub mase: Option<f64>,
    pub mape: Option<f64>,
    pub mae: Option<f64>,
    /// Cuts at which it was judged.
    pub origins: usize,
}

/// All fits of one origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Judging {
    pub origin: Origin,
    pub cutoff_us: i64,
    pub model: Fitted,
    pub last: Fitted,
    pub drift: Fitted,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Study {
    pub series: Series,
    /// What people should know: of the series, of the cuts, of fits.
    pub remarks: Vec<String>,
    pub failures: Vec<String>,
    pub scored: Vec<Scored>,
    pub chosen: Point,
    pub judgings: Vec<Judging>,
    /// The model, the last value, drift.
    pub judged: [Judged; 3],
    pub verdict: String,
    /// Of all rows of the series and the horizon.
    pub forecast: Fitted,
    pub leaked: Option<Leaked>,
}

/// The cuts of a series.
pub fn origins(fitting: &Fitting<'_>, series: &Series, least: usize) -> Origins {
    let settings = fitting.settings;
    let choosing = grid::points(&settings.grid).len() > 1;
    origins::rolling(series.len(), settings.horizon, settings.least_train(least), &settings.folds, choosing)
}

/// How many fits a symbol takes.
pub fn count(fitting: &Fitting<'_>, series: &Series, least: usize) -> usize {
    let settings = fitting.settings;
    let origins = origins(fitting, series, least);
    let points = grid::points(&settings.grid).len();
    let leaked = if settings.leaked { leaked::count(settings, series, points) } else { 0 };
    points * origins.choose.len() + 3 * origins.judge.len() + 1 + leaked
}

impl Studying<'_, '_> {
    pub fn study(&mut self, series: Series, mut remarks: Vec<String>) -> Result<Study, ForecastError> {
        let settings = self.fitting.settings;
        let origins = origins(&self.fitting, &series, self.least);
        if origins.judge.len() < settings.folds.count {
            remarks.push(format!(
                "{} of {} cuts are made: the series has {} rows, and each leaves at least {} to learn from",
                origins.judge.len(),
                settings.folds.count,
                series.len(),
                settings.least_train(self.least),
            ));
        }
        let mut failures = Vec::new();
        let scored = self.choose(&series, &origins, &mut failures)?;
        let chosen = best(&scored).map(|it| it.settings.clone()).unwrap_or_default();
        let forecast = self.forecast(&series, &chosen)?;
        let judgings = self.judge(&series, &origins.judge, &chosen, &mut failures)?;
        let leaked = match settings.leaked {
            true => Some(leaked::study(self, &series, &mut failures)?),
            false => None,
        };
        let judged = judged(&self.fitting, &series, &judgings);
        let verdict = judge::verdict(&judge::title(&settings.function), &judged[0], &judged[1]);
        note(&forecast, &judgings, &mut remarks);
        Ok(Study { series, remarks, failures, scored, chosen, judgings, judged, verdict, forecast, leaked })
    }

    fn choose(
        &mut self,
        series: &Series,
        origins: &Origins,
        failures: &mut Vec<String>,
    ) -> Result<Vec<Scored>, ForecastError> {
        let settings = self.fitting.settings;
        let points = grid::points(&settings.grid);
        let cuts = &origins.choose;
        if points.len() < 2 || cuts.is_empty() {
            let scored = |point| Scored { settings: point, mase: None, mape: None, mae: None, origins: 0 };
            return Ok(points.into_iter().map(scored).collect());
        }
        let task =
            |point: &Point, cut: &Origin| Task::of(Contender::Model(point.clone()), cut, settings, series);
        let tasks: Vec<Task> =
            points.iter().flat_map(|point| cuts.iter().map(move |cut| task(point, cut))).collect();
        let mut left = vec![cuts.len(); points.len()];
        let mut folds = vec![vec![None; cuts.len()]; points.len()];
        let score = |point: &Point, folds: &[Option<measures::Fold>]| {
            let folds: Vec<measures::Fold> = folds.iter().flatten().cloned().collect();
            let found = measures::of(&folds, settings.level);
            Scored {
                settings: point.clone(),
                mase: found.mase,
                mape: found.mape,
                mae: found.mae,
                origins: folds.len(),
            }
        };
        self.fit(series, &tasks, failures, &mut |index, fitted, watch| {
            let (point, cut) = (index / cuts.len(), index % cuts.len());
            let Origin { train, test } = &cuts[cut];
            folds[point][cut] = fitted.map(|fitted| fold(series, train, test, fitted));
            left[point] -= 1;
            if left[point] == 0 {
                let Scored { mase, mape, .. } = score(&points[point], &folds[point]);
                watch(Event::Point {
                    symbol: series.symbol.clone(),
                    name: grid::name(&points[point]),
                    mase,
                    mape,
                });
            }
        })?;
        Ok(points.iter().zip(&folds).map(|(point, folds)| score(point, folds)).collect())
    }

    fn forecast(&mut self, series: &Series, chosen: &Point) -> Result<Fitted, ForecastError> {
        let settings = self.fitting.settings;
        let rows = series.len();
        let first = settings.folds.train.map_or(0, |train| rows.saturating_sub(train));
        let task = Task {
            contender: Contender::Model(chosen.clone()),
            rows: Rows { train: first..rows, asked: first..rows, beyond: settings.horizon },
            continued: Continue::Held,
            averages: settings.averages.clone(),
            what: "the forecast itself".to_owned(),
        };
        let mut why = Vec::new();
        let fits = self.fit(series, std::slice::from_ref(&task), &mut why, &mut |_, _, _| {})?;
        fits.into_iter()
            .flatten()
            .next()
            .ok_or_else(|| ForecastError::Fit { symbol: series.symbol.clone(), why: why.concat() })
    }

    /// An origin at which one of them failed is left out of all.
    fn judge(
        &mut self,
        series: &Series,
        cuts: &[Origin],
        chosen: &Point,
        failures: &mut Vec<String>,
    ) -> Result<Vec<Judging>, ForecastError> {
        let settings = self.fitting.settings;
        let contenders = [Contender::Model(chosen.clone()), Contender::Last, Contender::Drift];
        let of_cut = |cut| contenders.iter().map(move |who| Task::of(who.clone(), cut, settings, series));
        let tasks: Vec<Task> = cuts.iter().flat_map(of_cut).collect();
        let mut fits = self.fit(series, &tasks, failures, &mut |_, _, _| {})?.into_iter();
        let mut judgings = Vec::new();
        for origin in cuts {
            let fits = [fits.next().flatten(), fits.next().flatten(), fits.next().flatten()];
            if let [Some(model), Some(last), Some(drift)] = fits {
                let cutoff_us = cutoff_us(series, origin);
                judgings.push(Judging { origin: origin.clone(), cutoff_us, model, last, drift });
            }
        }
        Ok(judgings)
    }
}

/// The one with the smallest MASE, or MAE where that is not defined; of equals the first. Those that were judged at fewer
/// cuts come after the others.
pub fn best(scored: &[Scored]) -> Option<&Scored> {
    let key = |it: &Scored| it.mase.or(it.mae).unwrap_or(f64::INFINITY);
    let better = |one: &&Scored, other: &&Scored| {
        other.origins.cmp(&one.origins).then(key(one).total_cmp(&key(other)))
    };
    scored.iter().min_by(better)
}

fn judged(fitting: &Fitting<'_>, series: &Series, judgings: &[Judging]) -> [Judged; 3] {
    let settings = fitting.settings;
    let folds = |of: fn(&Judging) -> &Fitted| {
        let one = |it: &Judging| fold(series, &it.origin.train, &it.origin.test, of(it));
        judgings.iter().map(one).collect::<Vec<_>>()
    };
    let last = folds(|it| &it.last);
    let (horizon, spacing) = (settings.horizon, settings.folds.spacing);
    let judge = |name: &str, folds: &[measures::Fold]| {
        judge::judge(name, folds, &last, settings.level, horizon, spacing)
    };
    [
        judge(&settings.function, &folds(|it| &it.model)),
        judge("last value", &last),
        judge("drift", &folds(|it| &it.drift)),
    ]
}

/// What the function said of its fits: each once, with the cuts of which it was said.
fn note(forecast: &Fitted, judgings: &[Judging], remarks: &mut Vec<String>) {
    remarks.extend(forecast.notes.iter().map(|note| format!("the forecast: {note}")));
    let mut said: Vec<(&String, Vec<String>)> = Vec::new();
    for judging in judgings {
        for note in judging.model.notes.iter().filter(|note| !forecast.notes.contains(note)) {
            match said.iter_mut().find(|(known, _)| *known == note) {
                Some((_, cuts)) => cuts.push(day(judging.cutoff_us)),
                None => said.push((note, vec![day(judging.cutoff_us)])),
            }
        }
    }
    remarks.extend(said.into_iter().map(|(note, cuts)| format!("cut at {}: {note}", cuts.join(", "))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(name: &str, mase: Option<f64>, mae: Option<f64>, origins: usize) -> Scored {
        Scored { settings: vec![("name".to_owned(), name.to_owned())], mase, mape: None, mae, origins }
    }

    #[test]
    fn the_smallest_error_is_chosen_and_of_equals_the_first() {
        let name = |of: &[Scored]| best(of).unwrap().settings[0].1.clone();
        assert_eq!(name(&[scored("a", Some(2.0), None, 3), scored("b", Some(1.0), None, 3)]), "b");
        assert_eq!(name(&[scored("a", Some(1.0), None, 3), scored("b", Some(1.0), None, 3)]), "a");
        assert_eq!(name(&[scored("a", None, Some(2.0), 3), scored("b", None, Some(1.0), 3)]), "b");
        assert_eq!(
            name(&[scored("a", Some(1.0), None, 2), scored("b", Some(9.0), None, 3)]),
            "b",
            "fewer cuts"
        );
        assert_eq!(name(&[scored("a", None, None, 0), scored("b", Some(9.0), None, 3)]), "b");
        assert_eq!(best(&[]), None);
    }
}
