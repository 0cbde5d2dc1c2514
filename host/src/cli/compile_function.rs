//! `tallow compile-function`, which is not for users: the child process in which an untrusted component is compiled.

use super::Failure;

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
    tallow_vet::compile_child(args.memory_bytes, args.cpu_seconds).map_err(Failure::failed)
}
