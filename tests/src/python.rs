//! A Python with packages that tests compare with.

use std::process::Command;

use crate::paths;

/// The interpreter that has a package, or what to do where there is none.
pub fn with(package: &str) -> Result<String, String> {
    let tools = paths::target().join("tools/python/bin/python");
    let python = match std::env::var("TALLOW_TEST_PYTHON") {
        Ok(python) => python,
        Err(_) if tools.exists() => tools.display().to_string(),
        Err(_) => "python3".to_owned(),
    };
    match Command::new(&python).args(["-c", &format!("import {package}")]).output() {
        Ok(output) if output.status.success() => Ok(python),
        _ => Err(format!("{python} has no {package}: `scripts/doctor.sh test` brings it")),
    }
}
