//! Vets what is to take a running function's place, by the rules that `tallow functions check` shows.

use tallow_engine::{ColumnInfo, Component, Contract, ParseFunction};
use tallow_vet::{Description, Vetted};

use crate::cli::gate::{Gate, Use};
use crate::fit::{self, Computes, Parse};
use tallow_pipeline::Services;
use tallow_swap::Target;

/// A candidate for the function `name` of a pipeline, compiled and vetted.
pub fn component(
    gate: &Gate,
    target: &Target,
    name: &str,
    bytes: &[u8],
    contract: Contract,
) -> Result<Component, String> {
    let stream = &target.services;
    let plan = &stream.plan;
    let running = target.swap.running();
    let (columns, predecessor) = match (&running, contract) {
        (Some(running), Contract::Window) => (columns(stream, &running.parse)?, Some(&*running.window)),
        _ => (Vec::new(), None),
    };
    let used = Use {
        limits: plan.limits,
        options: Some(&plan.parse_options),
        specs: &plan.specs,
        columns: &columns,
        predecessor,
    };
    let vetted = gate.admit_bytes(stream.library.runtime(), (name, bytes), contract, used)?;
    if let Some(running) = &running {
        fits(stream, &vetted, name, &running.window)?;
    }
    Ok(vetted.component)
}

/// What the running parse function makes: the windows read it.
fn columns(stream: &Services, parse: &Component) -> Result<Vec<ColumnInfo>, String> {
    let plan = &stream.plan;
    let function = ParseFunction::new(parse, plan.limits, plan.parse_options.clone());
    Ok(function.map_err(|error| error.to_string())?.description().columns.clone())
}

/// A parse function has to make what the windows read, in types that the running window function takes.
fn fits(stream: &Services, vetted: &Vetted, name: &str, window: &Component) -> Result<(), String> {
    let Description::Parse(description) = &vetted.description else { return Ok(()) };
    let plan = &stream.plan;
    let description = &*description.with_settings(&plan.parse_options.settings);
    let (windows, parse) = (&plan.pipeline.windows, Parse { name, description });
    let mut misfits = fit::names(windows, parse);
    if misfits.is_empty() {
        let scale = |column: &str| plan.pipeline.scale(column);
        let computes = Computes { component: window, limits: plan.limits, scale: &scale };
        misfits = fit::types(windows, &plan.specs, parse, computes).map_err(|error| error.to_string())?;
    }
    let texts = misfits.iter().map(|it| format!("window `{}`, `{}`: {}", it.window, it.key, it.problem));
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { Ok(()) } else { Err(texts.join("; ")) }
}
