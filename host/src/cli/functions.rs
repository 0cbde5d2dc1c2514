//! `tallow functions …`: one file a command.

mod ask;
mod history;
mod list;

use clap::Subcommand;

use super::Failure;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show what runs, and the components that the lake holds
    List(list::Args),
    /// Put a candidate beside a running pipeline and compare what both say
    Shadow(ask::Shadow),
    /// Swap in the candidate that was shadowed last
    Promote(ask::Promote),
    /// Swap a candidate in at the end of an epoch
    Swap(ask::Swap),
    /// Go back to the function before the one that is on probation, code and state together
    Rollback(ask::Rollback),
    /// Show the swaps and rollbacks of the pipelines, from the lake
    History(history::Args),
}

pub fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::List(args) => list::run(args),
        Command::Shadow(args) => ask::shadow(args),
        Command::Promote(args) => ask::promote(args),
        Command::Swap(args) => ask::swap(args),
        Command::Rollback(args) => ask::rollback(args),
        Command::History(args) => history::run(args),
    }
}
