//! DuckDB as an independent reader of the lake, by its Python package.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{python, skip_unless_ci};

/// Runs the statements on standard input and prints the last one's rows, a line each, values separated by tabs.
const RUN: &str = "
import duckdb, sys
rows = duckdb.connect().execute(sys.stdin.read()).fetchall()
for row in rows:
    print('\\t'.join('' if value is None else str(value) for value in row))
";

pub struct DuckDb {
    python: String,
}

impl DuckDb {
    /// `None` if the machine has none: the test is skipped, under `CI=true` it fails.
    pub fn find(test: &str) -> Option<Self> {
        match python::with("duckdb") {
            Ok(python) => Some(Self { python }),
            Err(why) => {
                skip_unless_ci(test, &why);
                None
            }
        }
    }

    /// The rows of the last statement, each with its values as text; null is the empty text.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.rows_in(Path::new("."), sql)
    }

    /// The same with a folder that relative paths start from.
    pub fn rows_in(&self, folder: &Path, sql: &str) -> Vec<Vec<String>> {
        let mut child = Command::new(&self.python)
            .args(["-c", RUN])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut stdin = child.stdin.take().expect("its input is a pipe");
        stdin.write_all(sql.as_bytes()).expect("python reads");
        drop(stdin);
        let output = child.wait_with_output().expect("python ends");
        assert!(output.status.success(), "DuckDB: {}\n{sql}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("DuckDB prints UTF-8");
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }
}
