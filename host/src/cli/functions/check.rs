//! `tallow functions check`: is this function fit to run?

use std::path::PathBuf;

use serde_json::json;
use tallow_engine::{ColumnInfo, Component, Contract, Runtime};
use tallow_manifest::matching;
use tallow_store::Digest;
use tallow_vet::{Candidate, Description, Refusal, Vector, Vetted, vet};

use super::find::{self, Found};
use crate::cli::report::LineReporter;
use crate::cli::{Failure, settings};

use tallow_worker::plan::Plan;

#[derive(clap::Args)]
pub struct Args {
    /// A component's file, or a component of the manifest
    #[arg(value_name = "FILE|NAME")]
    function: String,
    #[command(flatten)]
    find: find::Args,
    /// The contract that it must keep to [default: the one whose interface it exports]
    #[arg(long, value_enum)]
    contract: Option<ContractName>,
    /// Golden vectors beside those of the manifest; `*` in the last part stands for any letters
    #[arg(long, value_name = "GLOB")]
    golden: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum ContractName {
    Parse,
    Window,
    Backfill,
    Merge,
    Feed,
    Forecast,
}

impl From<ContractName> for Contract {
    fn from(name: ContractName) -> Self {
        match name {
            ContractName::Parse => Self::Parse,
            ContractName::Window => Self::Window,
            ContractName::Backfill => Self::Backfill,
            ContractName::Merge => Self::Merge,
            ContractName::Feed => Self::Feed,
            ContractName::Forecast => Self::Forecast,
        }
    }
}

pub fn run(args: Args) -> Result<(), Failure> {
    let found = args.find.find(&args.function)?;
    let runtime = found.runtime()?;
    let golden = golden(&args, &found)?;
    let plan = found.plan();
    let neighbours = Neighbours::load(&found, plan.as_ref(), &runtime)?;
    let candidate = Candidate {
        name: &found.name,
        bytes: &found.bytes,
        contract: args.contract.map(Contract::from).or(neighbours.contract),
        compile: found.compile,
        limits: plan.as_ref().map_or_else(Default::default, |plan| plan.limits),
        golden: &golden,
        options: plan.as_ref().map(|plan| &plan.parse_options),
        specs: plan.as_ref().map_or(&[], |plan| &plan.specs),
        columns: &neighbours.columns,
        predecessor: neighbours.predecessor.as_ref(),
    };
    let mut progress = LineReporter::new(args.json);
    let vetted = vet(&runtime, &find::compiler()?, &candidate, &mut |rule| {
        find::begin(&mut progress, &found.name, rule);
    });
    progress.finish();
    report(&found, &vetted, args.json);
    let text = |refusal: Refusal| if args.json { refusal.rule.to_string() } else { refusal.to_string() };
    vetted.map(drop).map_err(|refusal| Failure::failed(text(refusal)))
}

fn golden(args: &Args, found: &Found) -> Result<Vec<Vector>, Failure> {
    let of_manifest = found.vetting().map(|vetting| vetting.golden_files()).transpose();
    let mut files = of_manifest.map_err(Failure::usage)?.unwrap_or_default();
    for pattern in &args.golden {
        files.extend(matching(pattern).map_err(Failure::usage)?);
    }
    find::vectors(&files)
}

/// What is beside the function in its pipeline.
#[derive(Default)]
struct Neighbours {
    contract: Option<Contract>,
    /// What the pipeline's parse function makes, for a window function.
    columns: Vec<ColumnInfo>,
    /// The component's own file, where another one is to take its place.
    predecessor: Option<Component>,
}

impl Neighbours {
    fn load(found: &Found, plan: Option<&Plan>, runtime: &Runtime) -> Result<Self, Failure> {
        let (Some(plan), Some(manifest), Some(name)) = (plan, &found.manifest, &found.component) else {
            return Ok(Self::default());
        };
        if plan.pipeline.parse == *name {
            return Ok(Self { contract: Some(Contract::Parse), ..Self::default() });
        }
        let component = |name: &str, contract| settings::component(manifest, runtime, name, contract);
        let parse = component(&plan.pipeline.parse, Contract::Parse)?;
        let columns = tallow_engine::ParseFunction::new(&parse, plan.limits, plan.parse_options.clone())
            .map_err(|error| Failure::failed(format!("{}: {error}", parse.name())))?
            .description()
            .columns
            .clone();
        let predecessor = component(name, Contract::Window)?;
        let other = predecessor.digest() != Digest::of(&found.bytes);
        Ok(Self { contract: Some(Contract::Window), columns, predecessor: other.then_some(predecessor) })
    }
}

fn report(found: &Found, vetted: &Result<Vetted, Refusal>, json: bool) {
    let digest = Digest::of(&found.bytes);
    if json {
        let passed = |vetted: &Vetted| {
            vetted
                .passed
                .iter()
                .map(|(rule, on)| json!({ "rule": rule.name(), "on": on }))
                .collect::<Vec<_>>()
        };
        let refusal = |refusal: &Refusal| json!({ "rule": refusal.rule.name(), "seen": refusal.seen, "remedy": refusal.remedy });
        println!(
            "{}",
            json!({
                "function": found.name,
                "sha256": digest,
                "taken": vetted.is_ok(),
                "passed": vetted.as_ref().ok().map(passed),
                "refusal": vetted.as_ref().err().map(refusal),
            })
        );
        return;
    }
    let Ok(vetted) = vetted else { return };
    // Rules that were tried on the same stand together.
    for tried in vetted.passed.chunk_by(|(_, left), (_, right)| left == right) {
        let rules: Vec<&str> = tried.iter().map(|(rule, _)| rule.name()).collect();
        match rules[..] {
            [rule] => println!("  {rule:<10} {}", tried[0].1),
            _ => println!("  {}\n    {}", tried[0].1, rules.join(", ")),
        }
    }
    let contract = match vetted.description {
        Description::Parse(_) => "parse",
        Description::Window(_) => "window",
        Description::Backfill(_) => "backfill",
        Description::Merge(_) => "merge",
        Description::Feed(_) => "feed",
        Description::Forecast(_) => "forecast",
    };
    println!("{}: a good {contract} function, sha256:{digest}", found.name);
}
