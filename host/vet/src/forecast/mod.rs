//! The contract of a forecast function, tried on series that are sound, short, constant, full of gaps, and none.

mod series;

use std::collections::BTreeSet;

use tallow_engine::forecast::{Description, Outcome, Request};
use tallow_engine::{CallError, Component, ForecastFunction};

use crate::refusal::Trial;
use crate::{Candidate, Refusal, Rule};

/// Settings have a name, a default and a meaning, each name once.
pub fn check_description(description: &Description, trial: &Trial<'_>) -> Result<(), Refusal> {
    let mut names = BTreeSet::new();
    for setting in &description.settings {
        let name = &setting.name;
        if name.is_empty() || setting.meaning.is_empty() || !names.insert(name) {
            let seen = format!("the setting `{name}` has no name, has no meaning, or is there twice");
            return Err(trial.refuse(seen, "name each setting once, and say what it does"));
        }
    }
    Ok(())
}

/// Tries the contract: a sound series is forecast, the same each time, and whatever the seed; all else is forecast or
/// refused with words.
pub fn check(
    component: &Component,
    description: &Description,
    candidate: &Candidate<'_>,
    trial: &mut Trial<'_>,
) -> Result<(), Refusal> {
    trial.begin(Rule::Contract);
    let mut run = Run { component, candidate, trial: &*trial, tried: 0 };
    let rows = description.least_rows.max(series::ROWS);
    let sound = series::sound(rows, description);
    let first = run.sound(&sound)?;
    run.another_seed(&sound, &first)?;
    let mut function = run.instance()?;
    for (what, request) in series::odd(rows, description) {
        run.any(&mut function, what, &request)?;
    }
    for (what, request) in series::wrong(rows, description) {
        run.refused(&mut function, &what, &request)?;
    }
    run.same(&first, &run.call(&mut function, &sound)?, "after other series, the same request")?;
    let on = format!("{} series and requests made for it", run.tried + 1);
    [Rule::Trap, Rule::Contract, Rule::Pure].into_iter().for_each(|rule| trial.pass(rule, on.clone()));
    Ok(())
}

struct Run<'a, 't> {
    component: &'a Component,
    candidate: &'a Candidate<'a>,
    trial: &'a Trial<'t>,
    tried: usize,
}

impl Run<'_, '_> {
    fn instance(&self) -> Result<ForecastFunction, Refusal> {
        ForecastFunction::new(self.component, self.candidate.limits)
            .map_err(|error| self.trial.failed(&error, "starting it"))
    }

    fn call(&self, function: &mut ForecastFunction, request: &Request) -> Result<Outcome, Refusal> {
        match function.forecast(request) {
            Ok(outcome) => Ok(outcome),
            Err(CallError::Refused(why)) => Err(self.trial.refuse(
                format!("it refuses a series of {} days with its default settings: {why}", request.history.rows),
                "forecast every series of `least-rows` rows or more, by a simpler method if need be: say so in `notes`",
            )),
            Err(error) => Err(self.trial.failed(&error, "forecast of a sound series")),
        }
    }

    /// The outcome of a request that has to have one, which two new instances give alike.
    fn sound(&mut self, request: &Request) -> Result<Outcome, Refusal> {
        self.tried += 1;
        let first = self.call(&mut self.instance()?, request)?;
        let again = self.call(&mut self.instance()?, request)?;
        self.same(&first, &again, "in a new instance, the same request")?;
        Ok(first)
    }

    /// Bit by bit: `Debug` tells all finite numbers apart.
    fn same(&self, first: &Outcome, again: &Outcome, what: &str) -> Result<(), Refusal> {
        if format!("{first:?}") == format!("{again:?}") {
            return Ok(());
        }
        let seen = format!("{what} gave another forecast");
        Err(self.trial.refuse_as(Rule::Pure, seen, "let the request alone decide, and draw from its seed"))
    }

    /// A seed moves bounds, and nothing else.
    fn another_seed(&mut self, request: &Request, first: &Outcome) -> Result<(), Refusal> {
        self.tried += 1;
        let request = Request { seed: request.seed + 1, ..request.clone() };
        let mut other = self.call(&mut self.instance()?, &request)?;
        for bound in ["lower", "upper"] {
            let of = |outcome: &Outcome| outcome.forecast.columns.iter().position(|it| it.name == bound);
            if let (Some(to), Some(from)) = (of(&other), of(first)) {
                other.forecast.columns[to] = first.forecast.columns[from].clone();
            }
        }
        if format!("{first:?}") == format!("{other:?}") {
            return Ok(());
        }
        let seen = "another seed changed more than `lower` and `upper`";
        Err(self.trial.refuse(seen, "draw bounds from the seed, and nothing else"))
    }

    /// A series that may be forecast or refused, the same each time.
    fn any(&mut self, function: &mut ForecastFunction, what: &str, request: &Request) -> Result<(), Refusal> {
        self.tried += 1;
        let mut call = || match function.forecast(request) {
            Err(CallError::Refused(why)) if why.is_empty() => Err(self.without_words(what)),
            Err(CallError::Refused(why)) => Ok(format!("refused: {why}")),
            Err(error) => Err(self.trial.failed(&error, format!("forecast of {what}"))),
            Ok(outcome) => Ok(format!("{outcome:?}")),
        };
        let (first, again) = (call()?, call()?);
        if first == again {
            return Ok(());
        }
        let seen = format!("the forecast of {what} was another one the second time");
        Err(self.trial.refuse_as(Rule::Pure, seen, "let the request alone decide"))
    }

    /// A request that has to be refused.
    fn refused(
        &mut self,
        function: &mut ForecastFunction,
        what: &str,
        request: &Request,
    ) -> Result<(), Refusal> {
        self.tried += 1;
        match function.forecast(request) {
            Err(CallError::Refused(why)) if why.is_empty() => Err(self.without_words(what)),
            Err(CallError::Refused(_)) => Ok(()),
            Err(error) => Err(self.trial.failed(&error, format!("forecast with {what}"))),
            Ok(_) => Err(self.trial.refuse(
                format!("it makes a forecast with {what}"),
                "refuse what the contract does not allow, by its name: nothing may be dropped in silence",
            )),
        }
    }

    fn without_words(&self, what: &str) -> Refusal {
        self.trial.refuse(format!("it refuses {what} without a word"), "say what is wrong, and where")
    }
}
