//! Vets what is to take a running function's place, by the rules that `tallow functions check` shows.

use std::collections::BTreeMap;

use tallow_engine::{ColumnInfo, Component, Contract, ParseFunction};
use tallow_manifest::Vetting;
use tallow_vet::{Candidate, Compiler, vet};

use crate::cli::Failure;
use crate::cli::functions::find;
use crate::pipeline::Wiring;

/// What the manifest says of its components, and the program that compiles.
pub struct Rules {
    pub vetting: BTreeMap<String, Vetting>,
    pub compiler: Compiler,
}

/// A candidate for the function `name` of a pipeline, compiled and vetted.
pub fn component(
    rules: &Rules,
    wiring: &Wiring,
    name: &str,
    bytes: &[u8],
    contract: Contract,
) -> Result<Component, String> {
    let plan = &wiring.plan;
    let vetting = rules.vetting.get(name);
    let files = vetting.map(Vetting::golden_files).transpose()?.unwrap_or_default();
    let golden = find::vectors(&files).map_err(|Failure { text, .. }| text)?;
    let running = wiring.live.running();
    let (columns, predecessor) = match (&running, contract) {
        (Some(running), Contract::Window) => (columns(wiring, &running.parse)?, Some(&*running.window)),
        _ => (Vec::new(), None),
    };
    let candidate = Candidate {
        contract: Some(contract),
        compile: vetting.map_or_else(Default::default, find::compile_limits),
        limits: plan.limits,
        golden: &golden,
        options: Some(&plan.parse_options),
        specs: &plan.specs,
        columns: &columns,
        predecessor,
        ..Candidate::new(name, bytes)
    };
    let vetted = vet(wiring.library.runtime(), &rules.compiler, &candidate, &mut |_| {});
    vetted.map(|vetted| vetted.component).map_err(|refusal| refusal.to_string())
}

/// What the running parse function makes: the windows read it.
fn columns(wiring: &Wiring, parse: &Component) -> Result<Vec<ColumnInfo>, String> {
    let plan = &wiring.plan;
    let function = ParseFunction::new(parse, plan.limits, plan.parse_options.clone());
    Ok(function.map_err(|error| error.to_string())?.description().columns.clone())
}
