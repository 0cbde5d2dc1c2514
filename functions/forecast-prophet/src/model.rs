//! The model as a forecast function.

use forecast::{Asked, Band, Model, Refusal, Rows, refuse};
use tallow_contract::Table;
use tallow_contract::forecast::known;

use crate::fit::{Fitted, fit};
use crate::paths::{Ahead, departures, quantile};
use crate::plan::{Mode, Plan, SETTINGS};
use crate::problem::{Growth, Problem, dot, logistic, segments};
use crate::random::Random;
use crate::scaled::{Bounds, Scale, bounds, change_rows};
use crate::terms::{DAY_US, Part, parts};

pub struct Prophet;

impl Model for Prophet {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SETTINGS: &'static [(&'static str, &'static str, &'static str)] = SETTINGS;
    const REGRESSORS: bool = true;
    const HOLIDAYS: bool = true;
    const LEAST_ROWS: u32 = 2;

    fn forecast(asked: &Asked<'_>) -> Result<Rows, Refusal> {
        let plan = Plan::read(&asked.settings)?;
        let mut rows = Rows::default();
        let learned = Learned::new(&plan, asked, &mut rows.notes)?;
        learned.expect(&plan, asked, &mut rows)?;
        learned.tell(asked, &mut rows);
        Ok(rows)
    }
}

/// A fitted model.
struct Learned {
    scale: Scale,
    parts: Vec<Part>,
    /// Columns of each part in a row of terms, from their first on: those of parts that are added come first.
    places: Vec<usize>,
    changes: Vec<f64>,
    /// Rows of the history at which the trend may change.
    change_rows: Vec<usize>,
    fitted: Fitted,
    /// Mean distance of the history's rows.
    step: f64,
}

impl Learned {
    fn new(plan: &Plan, asked: &Asked<'_>, notes: &mut Vec<String>) -> Result<Self, Refusal> {
        let series = &asked.series;
        let fitted_rows = fitted_rows(asked);
        let limits = limits(plan, &asked.request.history, "the history")?;
        let limits: Vec<Bounds> = fitted_rows.iter().filter_map(|row| limits.get(*row)).copied().collect();
        let scale = Scale::new(plan, series, &limits);
        let parts = parts(plan, &series.times_us, &asked.request.holidays, &asked.regressors, &fitted_rows);
        let (places, added, term_count) = places(&parts);
        let change_rows = change_rows(series.len(), plan);
        if plan.growth != Growth::Flat && change_rows.len() < plan.change_count {
            let (rows, asked, found) = (series.len(), plan.change_count, change_rows.len());
            notes.push(format!(
                "{rows} rows have room for {found} of the {asked} places at which the trend may change."
            ));
        }
        let t: Vec<f64> = series.times_us.iter().map(|time_us| scale.time(*time_us)).collect();
        let step = (t[t.len() - 1] - t[0]) / (t.len() - 1) as f64;
        // Without changes Prophet fits one at the start, and adds it to the rate afterwards.
        let changes =
            if change_rows.is_empty() { vec![0.0] } else { change_rows.iter().map(|row| t[*row]).collect() };
        let mut problem = Problem {
            growth: plan.growth,
            y: series
                .y
                .iter()
                .enumerate()
                .map(|(row, y)| scale.value(*y, limits.get(row).copied()))
                .collect(),
            cap: limits.iter().map(|it| scale.cap(*it)).collect(),
            t,
            changes,
            terms: Vec::with_capacity(series.len() * term_count),
            term_count,
            added,
            priors: priors(&parts, &places, term_count),
            tau: plan.tau,
        };
        for (time_us, row) in series.times_us.iter().zip(&fitted_rows) {
            let regressor = |place: usize| asked.regressors[place].history[*row];
            push_terms(&parts, *time_us, regressor, &mut problem.terms);
        }
        let constant = plan.growth != Growth::Logistic && series.y.iter().all(|y| *y == series.y[0]);
        let mut fitted = fit(&problem, constant, notes)?;
        if change_rows.is_empty() {
            fitted.k += fitted.deltas[0];
            fitted.deltas[0] = 0.0;
        }
        Ok(Learned { scale, parts, places, changes: problem.changes, change_rows, fitted, step })
    }

    /// The rows to forecast.
    fn expect(&self, plan: &Plan, asked: &Asked<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        let limits = limits(plan, &asked.request.future, "the future")?;
        let limit = |row: usize| limits.get(row).copied();
        let mut trend = Vec::with_capacity(asked.future_us.len());
        let mut effects = vec![Vec::with_capacity(asked.future_us.len()); self.parts.len()];
        let known = segments(plan.growth, self.fitted.k, self.fitted.m, &self.fitted.deltas, &self.changes);
        let mut terms = Vec::new();
        for (row, time_us) in asked.future_us.iter().enumerate() {
            let t = self.scale.time(*time_us);
            let now = &known[self.changes.partition_point(|change| *change <= t)];
            let scaled = match plan.growth {
                Growth::Linear => now.rate * t + now.offset,
                Growth::Flat => now.offset,
                Growth::Logistic => {
                    limit(row).map_or(0.0, |it| self.scale.cap(it)) * logistic(now.rate * (t - now.offset))
                }
            };
            trend.push(scaled * self.scale.size + self.scale.floor(limit(row)));
            for (index, part) in self.parts.iter().enumerate() {
                terms.clear();
                part.row(*time_us, |place| asked.regressors[place].future[row], &mut terms);
                let beta = &self.fitted.beta[self.places[index]..][..part.columns()];
                let effect = dot(&terms, beta);
                effects[index].push(if part.mode == Mode::Additive {
                    effect * self.scale.size
                } else {
                    effect
                });
            }
        }
        self.bands(plan, asked, &limits, &trend, &effects, rows);
        rows.components.push(("trend".to_owned(), trend));
        for (part, effect) in self.parts.iter().zip(effects) {
            if part.mode == Mode::Multiplicative {
                rows.multiplicative.push(part.name.clone());
            }
            rows.components.push((part.name.clone(), effect));
        }
        Ok(())
    }

    /// What is expected and the band around it. In the history nothing but noise is uncertain, so its band is exact.
    fn bands(
        &self,
        plan: &Plan,
        asked: &Asked<'_>,
        limits: &[Bounds],
        trend: &[f64],
        effects: &[Vec<f64>],
        rows: &mut Rows,
    ) {
        let level = asked.request.level;
        let (band, noise) = (Band::new(level), self.fitted.noise * self.scale.size);
        let times: Vec<f64> = asked.future_us.iter().map(|time_us| self.scale.time(*time_us)).collect();
        let first_ahead = times.partition_point(|t| *t <= 1.0);
        let t = times[first_ahead..].to_vec();
        let step = if t.len() > 1 { (t[t.len() - 1] - t[0]) / (t.len() - 1) as f64 } else { self.step };
        let cap = limits.iter().skip(first_ahead).map(|it| self.scale.cap(*it)).collect();
        let ahead = Ahead { t, cap, step };
        let mut random = Random::new(asked.request.seed);
        let (growth, samples) = (plan.growth, plan.samples);
        let departed = departures(growth, &self.fitted, &self.changes, &ahead, samples, &mut random);
        for (row, trend) in trend.iter().enumerate() {
            let (mut added, mut factor) = (0.0, 1.0);
            for (part, effect) in self.parts.iter().zip(effects) {
                match part.mode {
                    Mode::Additive => added += effect[row],
                    Mode::Multiplicative => factor += effect[row],
                }
            }
            let yhat = trend * factor + added;
            let bounds = match row.checked_sub(first_ahead).and_then(|row| departed.get(row)) {
                None => band.around(yhat, noise),
                Some(departed) => {
                    let outcome = |by: &f64| yhat + by * self.scale.size * factor + random.normal() * noise;
                    let mut outcomes: Vec<f64> = departed.iter().map(outcome).collect();
                    let lower = quantile(&mut outcomes, (1.0 - level) / 2.0);
                    (lower, quantile(&mut outcomes, (1.0 + level) / 2.0))
                }
            };
            rows.push(yhat, bounds);
        }
    }

    /// The parameters, and what is to be known of them.
    fn tell(&self, asked: &Asked<'_>, rows: &mut Rows) {
        rows.parameter("k", &[self.fitted.k]);
        rows.parameter("m", &[self.fitted.m]);
        rows.parameter("delta", if self.change_rows.is_empty() { &[] } else { &self.fitted.deltas });
        let places: Vec<f64> =
            self.change_rows.iter().map(|row| asked.series.times_us[*row] as f64).collect();
        rows.parameter("changepoints-us", &places);
        rows.parameter("sigma-obs", &[self.fitted.noise]);
        for (part, place) in self.parts.iter().zip(&self.places) {
            rows.parameter(&format!("beta:{}", part.name), &self.fitted.beta[*place..][..part.columns()]);
        }
        let (first_us, last_us) = (asked.series.times_us[0], asked.series.times_us[asked.series.last()]);
        let yearly = self.parts.iter().any(|part| part.name == "season:yearly");
        if yearly && last_us - first_us < 730 * DAY_US {
            rows.notes.push(
                "The yearly seasonality is fitted to less than two years, and may be taken for the trend."
                    .to_owned(),
            );
        }
        for part in self.parts.iter().filter(|part| part.is_never(&asked.series.times_us)) {
            let name = part.name.trim_start_matches("holiday:");
            rows.notes.push(format!("The holiday `{name}` is on no day of the history: its effect is 0."));
        }
    }
}

/// The rows of the history that have a value.
fn fitted_rows(asked: &Asked<'_>) -> Vec<usize> {
    let mut fitted = asked.series.times_us.iter().peekable();
    let all_us =
        tallow_contract::forecast::times_us(&asked.request.history, "the history").unwrap_or_default();
    let rows = all_us.iter().enumerate().filter(|(_, time_us)| fitted.next_if_eq(time_us).is_some());
    rows.map(|(row, _)| row).collect()
}

/// Capacities and floors of a table's rows; empty unless the growth is logistic.
fn limits(plan: &Plan, table: &Table, what: &str) -> Result<Vec<Bounds>, Refusal> {
    if plan.growth != Growth::Logistic {
        return Ok(Vec::new());
    }
    let Ok(cap) = table.column("cap") else {
        refuse!(
            "`growth` is logistic, so `cap` is needed: how far the series can grow ({what} has no such column)"
        );
    };
    let cap = known(table, &cap.name).map_err(|why| why.within(what))?;
    let floor = match table.columns.iter().any(|column| column.name == "floor") {
        true => Some(known(table, "floor").map_err(|why| why.within(what))?),
        false => None,
    };
    bounds(cap, floor, what)
}

/// The place of each part's first column in a row of terms, how many terms are added, and how many there are.
fn places(parts: &[Part]) -> (Vec<usize>, usize, usize) {
    let sum = |mode: Mode| parts.iter().filter(|part| part.mode == mode).map(Part::columns).sum::<usize>();
    let (added, multiplied) = (sum(Mode::Additive), sum(Mode::Multiplicative));
    let (mut next_added, mut next_multiplied) = (0, added);
    let place = |part: &Part| {
        let next = if part.mode == Mode::Additive { &mut next_added } else { &mut next_multiplied };
        let place = *next;
        *next += part.columns();
        place
    };
    (parts.iter().map(place).collect(), added, added + multiplied)
}

fn priors(parts: &[Part], places: &[usize], term_count: usize) -> Vec<f64> {
    let mut priors = vec![1.0; term_count];
    for (part, place) in parts.iter().zip(places) {
        priors[*place..][..part.columns()].fill(part.prior);
    }
    priors
}

/// Appends a row of terms: those that are added, then those that multiply.
fn push_terms(parts: &[Part], time_us: i64, regressor: impl Fn(usize) -> f64, into: &mut Vec<f64>) {
    for mode in [Mode::Additive, Mode::Multiplicative] {
        parts.iter().filter(|part| part.mode == mode).for_each(|part| part.row(time_us, &regressor, into));
    }
}
