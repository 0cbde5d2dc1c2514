//! `tallow functions …`: one file a command. [`find`] says which function is meant.

mod ask;
mod build;
mod check;
pub(super) mod find;
mod history;
mod list;
mod run;
mod sample;
mod show;
mod values;

use clap::Subcommand;

use super::Failure;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build a function crate into a component
    Build(build::Args),
    /// Vet a function, as before a swap: limits, imports, contract, golden vectors
    Check(check::Args),
    /// Show what a function makes of a sample: rows, or candles
    Run(run::Args),
    /// Show what a function says about itself: contract, columns, digest, state versions
    Show(show::Args),
    /// Show what runs, and the components that the lake holds
    List(list::Args),
    /// Run a candidate beside a running pipeline and compare their results
    Shadow(ask::Shadow),
    /// Swap in the candidate that was shadowed last
    Promote(ask::Promote),
    /// Swap a candidate in at the end of an epoch
    Swap(ask::Swap),
    /// Go back from the function on probation to the one before it, code and state together
    Rollback(ask::Rollback),
    /// Show the swaps and rollbacks of the pipelines, from the lake
    History(history::Args),
}

pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Build(args) => build::run(args),
        Command::Check(args) => check::run(args),
        Command::Run(args) => run::run(args),
        Command::Show(args) => show::run(args),
        Command::List(args) => list::run(args),
        Command::Shadow(args) => ask::shadow(args),
        Command::Promote(args) => ask::promote(args),
        Command::Swap(args) => ask::swap(args),
        Command::Rollback(args) => ask::rollback(args),
        Command::History(args) => history::run(args),
    }
}
