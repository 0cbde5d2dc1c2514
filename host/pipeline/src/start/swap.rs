//! A component whose file has changed since the last start: it is swapped in, so that the log has it.

use std::collections::BTreeMap;

use crossbeam_channel::bounded;
use tallow_log::record::{Mode, Role};
use tallow_store::Digest;

use super::restore::rewrite;
use crate::commit::Committer;
use crate::epoch::FinishedSwap;
use crate::error::PipelineError;
use crate::functions::{Functions, state_version};
use crate::hooks::Swap;
use crate::window_worker::WindowState;

/// Digests of the components of the manifest's files.
pub fn files(functions: &Functions) -> BTreeMap<Role, Digest> {
    [Role::Parse, Role::Window].map(|role| (role, functions.get(role).digest())).into()
}

/// Commits the swaps of the roles whose file has changed, without probation: a file that was changed while nothing ran
/// is meant to run.
pub fn at_start(
    committer: &mut Committer,
    functions: &Functions,
    changed: &[Role],
    window: &mut WindowState,
    clock_us: i64,
) -> Result<(), PipelineError> {
    for &role in changed {
        let component = functions.get(role).clone();
        let (parts, state_version) = match role {
            Role::Parse => (None, None),
            Role::Window => {
                (Some(rewrite(window, &component)?), Some(state_version(committer.plan.limits, &component)?))
            }
        };
        let swap = Swap {
            role,
            component,
            state_version,
            mode: Mode::Publish,
            epochs: 0,
            deadline: committer.plan.limits.deadline,
            why: "the manifest's file had changed at the start".to_owned(),
            reply: bounded(1).0,
        };
        let (swap, clock_us, pause) = (Box::new(swap), clock_us, Default::default());
        committer.commit_swap(FinishedSwap { swap, parts, clock_us, pause })?;
    }
    Ok(())
}
