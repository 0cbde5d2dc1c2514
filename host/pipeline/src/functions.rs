//! Which components a pipeline runs, and which it continues with after a restart.

use std::sync::Arc;

use tallow_engine::{Component, Contract, Limits, WindowFunction};
use tallow_log::record::{Function, Role, State};
use tallow_store::Digest;

use crate::error::PipelineError;
use tallow_worker::WorkerError;
use tallow_worker::library::Library;

/// The components of a running pipeline.
#[derive(Clone)]
pub struct Functions {
    pub parse: Arc<Component>,
    pub window: Arc<Component>,
}

impl Functions {
    pub fn get(&self, role: Role) -> &Arc<Component> {
        match role {
            Role::Parse => &self.parse,
            Role::Window => &self.window,
        }
    }

    pub fn set(&mut self, role: Role, component: Arc<Component>) {
        match role {
            Role::Parse => self.parse = component,
            Role::Window => self.window = component,
        }
    }
}

pub fn contract(role: Role) -> Contract {
    match role {
        Role::Parse => Contract::Parse,
        Role::Window => Contract::Window,
    }
}

/// What a start runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    /// The manifest's file: it is what ran before, or nothing did.
    File,
    /// What was swapped in; the manifest's file is the one of the last start.
    Recorded,
    /// The manifest's file, which is another one than at the last start.
    Changed,
}

/// A file that was changed while nothing ran is meant to run. A swap while the pipeline ran is meant to last. During a
/// probation nothing else is swapped in.
pub fn choose(recorded: Option<&Function>, file: Digest, on_probation: bool) -> Choice {
    match recorded {
        None => Choice::File,
        Some(recorded) if recorded.digest == file => Choice::File,
        Some(recorded) if on_probation || recorded.file == Some(file) => Choice::Recorded,
        Some(_) => Choice::Changed,
    }
}

/// The components that a start runs from `state` on, and the roles whose file has changed.
/// `files`: the components of the manifest's files.
pub fn at_start(
    pipeline: &str,
    files: &Functions,
    library: &Library,
    state: &State,
) -> Result<(Functions, Vec<Role>), PipelineError> {
    let mut functions = files.clone();
    let mut changed = Vec::new();
    for role in [Role::Parse, Role::Window] {
        let recorded = state.functions.iter().find(|function| function.role == role);
        let file = functions.get(role).digest();
        match (choose(recorded, file, state.live.probation.is_some()), recorded) {
            (Choice::Recorded, Some(recorded)) => {
                let component = library.load(&recorded.name, recorded.digest, contract(role))?;
                tracing::info!(
                    pipeline,
                    component = recorded.name,
                    digest = %recorded.digest,
                    "continues with the component that was swapped in, not with the manifest's file"
                );
                functions.set(role, Arc::new(component));
            }
            (Choice::Changed, _) => changed.push(role),
            _ => {}
        }
    }
    Ok((functions, changed))
}

/// A running component as a log record names it. `files`: the components of the manifest's files; `before`: the role's
/// function in the record before.
pub fn recorded(
    (files, limits): (&Functions, Limits),
    role: Role,
    component: &Component,
    before: Option<&Function>,
) -> Result<Function, PipelineError> {
    let state_version = match role {
        Role::Parse => None,
        Role::Window => Some(state_version(limits, component)?),
    };
    let (file, digest) = (files.get(role).digest(), component.digest());
    Ok(Function {
        role,
        name: component.name().to_owned(),
        digest,
        contract: component.contract().interface().to_owned(),
        state_version,
        // A file that was rolled back stays known as such.
        file: match before {
            Some(before) if before.digest == digest && before.file.is_some() => before.file,
            _ => (file != digest).then_some(file),
        },
    })
}

pub fn state_version(limits: Limits, component: &Component) -> Result<u32, PipelineError> {
    let described = WindowFunction::describe(component, limits);
    let description = described.map_err(|error| WorkerError::Function {
        function: component.name().to_owned(),
        call: "describe",
        why: error.to_string(),
    })?;
    Ok(description.state_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_wins_over_a_swap_and_a_swap_over_an_unchanged_file() {
        let (a, b, c) = (Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"c"));
        let ran = |digest, file| Function {
            role: Role::Parse,
            name: "parse".into(),
            digest,
            contract: String::new(),
            state_version: None,
            file,
        };
        for (recorded, file, on_probation, choice) in [
            (None, a, false, Choice::File),
            (Some(ran(a, None)), a, false, Choice::File),
            (Some(ran(b, Some(a))), a, false, Choice::Recorded),
            (Some(ran(b, Some(a))), b, false, Choice::File),
            (Some(ran(b, Some(a))), c, false, Choice::Changed),
            (Some(ran(b, Some(a))), c, true, Choice::Recorded),
            (Some(ran(a, None)), c, false, Choice::Changed),
        ] {
            assert_eq!(choose(recorded.as_ref(), file, on_probation), choice, "{recorded:?} {file}");
        }
    }
}
