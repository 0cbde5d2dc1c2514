//! `tallow compile-function`, which nobody types: the child process in which an untrusted component is compiled.

use super::Failure;
use tallow_env::exit;

#[derive(clap::Args)]
pub struct Args {
    /// Memory that it may take
    memory_bytes: u64,
    /// Processor time that it may take
    cpu_seconds: u64,
}

/// The name of the command.
pub const NAME: &str = "compile-function";

pub fn run(args: Args) -> Result<(), Failure> {
    tallow_vet::compile_child(args.memory_bytes, args.cpu_seconds)
        .map_err(|error| Failure::new(exit::FAILED, error))
}
