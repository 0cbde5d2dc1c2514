//! The values of variables, as far as Spin's own triggers take them from the same places.

use std::collections::BTreeMap;
use std::fs;

use tallow_manifest::environment_name;

use crate::cli::{Failure, settings};

/// A file of variables that Spin's own triggers read where it lies in the current folder.
const DOTENV: &str = ".env";

/// The environment's, and before them those of `--variable`.
pub fn all(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut variables = settings::variables();
    for given in given {
        let (name, value) = read(given)?;
        variables.insert(environment_name(&name), value);
    }
    warn_of_others(&variables);
    Ok(variables)
}

/// What is wrong is said without the value.
fn read(given: &str) -> Result<(String, String), Failure> {
    let usage = |why: String| Failure::usage(format!("--variable {why}"));
    let (name, value) = given.split_once('=').ok_or_else(|| {
        usage("takes KEY=VALUE or KEY=@FILE here; or set SPIN_VARIABLE_<KEY> in the environment".to_owned())
    })?;
    let value = match value.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map_err(|error| usage(format!("{name}: {file}: {error}")))?,
        None => value.to_owned(),
    };
    Ok((name.to_owned(), value))
}

/// A value that an application's HTTP trigger gets and its pipelines do not must not go unnoticed.
fn warn_of_others(variables: &BTreeMap<String, String>) {
    let Ok(text) = fs::read_to_string(DOTENV) else { return };
    for line in text.lines() {
        let line = line.trim().trim_start_matches("export ");
        let name = line.split('=').next().unwrap_or_default().trim();
        if name.starts_with("SPIN_VARIABLE_") && !variables.contains_key(name) {
            tracing::warn!(variable = name, "pipelines do not read {DOTENV}: set it in the environment");
        }
    }
}
