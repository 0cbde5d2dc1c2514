//! The columns of all inputs as one. Readers take a table's schema from one of its files: every partition has all
//! columns, in one order and type. Which type holds two is the function's to say.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use tallow_engine::{CallError, MergeFunction, MergeInput, MergeSettings, MergeSource, from_arrow};

use crate::notes::{ColumnNote, empty_table};
use crate::{MergeError, Settings};

/// Sets of columns that were met, each once, with where.
#[derive(Default)]
pub struct Columns {
    met: Vec<(String, Vec<ColumnNote>)>,
}

impl Columns {
    /// `path`: of the file that has them, for the error.
    pub fn add(&mut self, path: &str, rows: &RecordBatch) -> Result<(), MergeError> {
        let table = from_arrow(&rows.slice(0, 0)).map_err(MergeError::input(path))?;
        let columns: Vec<ColumnNote> = table.columns.iter().map(ColumnNote::of).collect();
        if !self.met.iter().any(|(_, met)| *met == columns) {
            self.met.push((path.to_owned(), columns));
        }
        Ok(())
    }

    /// The known columns and those that were met, as the function joins them.
    pub fn join(
        &self,
        known: &[ColumnNote],
        settings: &Settings,
        function: &mut MergeFunction,
        name: &str,
    ) -> Result<Vec<ColumnNote>, MergeError> {
        let mut joined = known.to_vec();
        for (path, met) in &self.met {
            let sides = [joined.as_slice(), met];
            let inputs: Vec<MergeInput> = sides
                .iter()
                .filter(|columns| !columns.is_empty())
                .map(|columns| MergeInput {
                    source: MergeSource::Batch,
                    table: empty_table(columns),
                    covers: None,
                })
                .collect();
            let bare = MergeSettings {
                keys: vec![settings.key.clone()],
                step_us: settings.step_us,
                fill: false,
                until_us: None,
                carried: Vec::new(),
                zeroed: Vec::new(),
                averages: Vec::new(),
            };
            let merged = function.merge(None, &inputs, &bare).map_err(|error| match error {
                CallError::Refused(why) => MergeError::Input { path: path.clone(), why },
                error => MergeError::Function { function: name.to_owned(), partition: path.clone(), error },
            })?;
            joined = merged.table.columns.iter().map(ColumnNote::of).collect();
            let made = made(&joined, settings);
            joined.retain(|column| !made.contains(&column.name));
        }
        Ok(joined)
    }
}

/// Columns that the function makes again.
fn made(columns: &[ColumnNote], settings: &Settings) -> BTreeSet<String> {
    let averages = settings.of_function(columns, None).averages;
    ["source", "filled"]
        .map(str::to_owned)
        .into_iter()
        .chain(averages.into_iter().map(|it| it.name))
        .collect()
}
