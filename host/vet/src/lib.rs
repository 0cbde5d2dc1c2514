//! Vets a function before it touches a record: whatever the contract promises and the types cannot say is tried on
//! input made for the purpose, under the limits that hold in a pipeline.
//!
//! [`vet`] takes the bytes of a component and gives a [`Vetted`] one, ready to run, or a [`Refusal`] that names the
//! [`Rule`], what was seen, and what to do. In the order of the rules: the file (compiled in a child process with
//! separate limits, by a [`Compiler`]), its imports and exports, its description, its golden vectors, and then the contract:
//! `parse`, `window` and `forecast` each have a folder, the others a file.

mod backfill;
mod candidate;
mod candles;
mod compile;
mod exact;
mod excerpt;
mod feed;
mod forecast;
mod golden;
mod merge;
mod parse;
mod refusal;
mod rule;
mod window;

pub use candidate::{Candidate, CompileLimits, Description, Vector, Vetted};
pub use compile::{Compiler, compile_child};
pub use excerpt::excerpt;
pub use refusal::Refusal;
pub use rule::Rule;

use tallow_engine::{
    BackfillFunction, CallError, Component, Contract, FeedFunction, ForecastFunction, Limits, LoadError,
    MergeFunction, ParseFunction, ParseOptions, Runtime, WindowFunction,
};

use crate::refusal::Trial;

/// Vets a candidate. Calls `begin` with each rule before it is tried: compiling may take a while.
pub fn vet(
    runtime: &Runtime,
    compiler: &Compiler,
    candidate: &Candidate<'_>,
    begin: &mut dyn FnMut(Rule),
) -> Result<Vetted, Refusal> {
    let loaded = load(runtime, compiler, candidate, begin)?;
    try_rules(loaded, candidate, begin)
}

/// Compiles a candidate, looks at its imports and exports and at what it says about itself, and tries nothing more.
pub fn load(
    runtime: &Runtime,
    compiler: &Compiler,
    candidate: &Candidate<'_>,
    begin: &mut dyn FnMut(Rule),
) -> Result<Vetted, Refusal> {
    let mut trial = Trial::new(candidate.name, begin);
    let component = open(runtime, compiler, candidate, &mut trial)?;
    trial.begin(Rule::Describe);
    let description =
        describe(&component, candidate.limits).map_err(|error| trial.failed(&error, "describe"))?;
    if description.name().is_empty() || description.version().is_empty() {
        return Err(trial.refuse("it has no name or no version", "give both in `describe`"));
    }
    match &description {
        Description::Parse(it) => parse::check_description(it, &trial)?,
        Description::Window(it) => window::check_description(it, &trial)?,
        Description::Backfill(_) | Description::Merge(_) | Description::Feed(_) => {}
        Description::Forecast(it) => forecast::check_description(it, &trial)?,
    }
    trial.pass(Rule::Describe, format!("{} {}", description.name(), description.version()));
    Ok(Vetted { component, description, passed: trial.into_passed() })
}

/// Tries what [`load`] did not: golden vectors and the contract.
pub fn try_rules(
    loaded: Vetted,
    candidate: &Candidate<'_>,
    begin: &mut dyn FnMut(Rule),
) -> Result<Vetted, Refusal> {
    let Vetted { component: whole, description, mut passed } = loaded;
    let component = whole.clone().within(candidate.compile.check_time);
    let mut trial = Trial::new(candidate.name, begin);
    golden::check(&component, candidate, &mut trial)?;
    match &description {
        Description::Parse(description) => parse::check(&component, description, candidate, &mut trial)?,
        Description::Window(_) => window::check(&component, candidate, &mut trial)?,
        Description::Backfill(_) => backfill::check(&component, candidate, &mut trial)?,
        Description::Merge(_) => merge::check(&component, candidate, &mut trial)?,
        Description::Feed(_) => feed::check(&component, candidate, &mut trial)?,
        Description::Forecast(it) => forecast::check(&component, it, candidate, &mut trial)?,
    }
    passed.extend(trial.into_passed());
    Ok(Vetted { component: whole, description, passed })
}

fn open(
    runtime: &Runtime,
    compiler: &Compiler,
    candidate: &Candidate<'_>,
    trial: &mut Trial<'_>,
) -> Result<Component, Refusal> {
    let code = compile::compile(runtime, compiler, candidate, trial)?;
    trial.begin(Rule::Imports);
    let contract = candidate.contract.or_else(|| code.contract(runtime)).unwrap_or(Contract::Parse);
    let component = runtime
        .check(candidate.name, code, contract)
        .map_err(|error| trial.refuse_as(rule_of(&error), &error, remedy_of(&error)))?;
    trial.pass(Rule::Imports, imports(&component));
    trial.pass(Rule::World, component.exports().join(", "));
    Ok(component)
}

/// What a function says about itself.
pub fn describe(component: &Component, limits: Limits) -> Result<Description, CallError> {
    Ok(match component.contract() {
        Contract::Parse => {
            let function = ParseFunction::new(component, limits, ParseOptions::default())?;
            Description::Parse(function.description().clone())
        }
        Contract::Window => Description::Window(WindowFunction::describe(component, limits)?),
        Contract::Backfill => Description::Backfill(BackfillFunction::new(component, limits)?.describe()?),
        Contract::Merge => Description::Merge(MergeFunction::new(component, limits)?.describe()?),
        Contract::Feed => Description::Feed(FeedFunction::new(component, limits)?.describe()?),
        Contract::Forecast => Description::Forecast(ForecastFunction::new(component, limits)?.describe()?),
    })
}

fn imports(component: &Component) -> String {
    let mut packages: Vec<String> =
        component.wasi().iter().filter_map(|import| Some(import.split_once('/')?.0.to_owned())).collect();
    packages.sort();
    packages.dedup();
    match &packages[..] {
        [] => "none but types".to_owned(),
        packages => format!("types, and {}: answered with nothing", packages.join(", ")),
    }
}

fn rule_of(error: &LoadError) -> Rule {
    match error {
        LoadError::Unreadable { .. } | LoadError::Invalid { .. } | LoadError::Remote { .. } => {
            Rule::Component
        }
        LoadError::Import { .. } => Rule::Imports,
        LoadError::Contract { .. } | LoadError::Types { .. } => Rule::World,
        LoadError::Version { .. } => Rule::Version,
    }
}

/// What to do about it, where the error itself does not say.
fn remedy_of(error: &LoadError) -> &'static str {
    match error {
        LoadError::Unreadable { .. } => "name a file that can be read",
        LoadError::Remote { .. } => "check the components that the gateway is composed with",
        LoadError::Invalid { .. } => "build a component: `tallow functions build`, or wit-component",
        LoadError::Import { .. } => {
            "take what needs it out of the function: time comes with the records, and there is no other input"
        }
        LoadError::Contract { .. } => {
            "build it for this contract's world, or say `--contract` of the other one"
        }
        LoadError::Types { .. } => "build it with the `wit/` that `tallow new` writes",
        LoadError::Version { .. } => "the last two versions of a contract are taken",
    }
}
