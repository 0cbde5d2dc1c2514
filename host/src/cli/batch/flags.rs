//! The manifest that the flags of `tallow batch --input` stand for.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use tallow_manifest::Manifest;

use super::Args;
use crate::cli::Failure;

/// Columns that `--scale` means without a name.
const PRICES: [&str; 4] = ["open", "high", "low", "close"];

impl Args {
    /// The manifest; with --input one that says what the flags say.
    pub fn manifest(&self) -> Result<Manifest, Failure> {
        if self.input.is_empty() {
            return self.settings.load();
        }
        let mut job = json!({ "input": self.input, "tumbling": self.window });
        let flags = [
            ("symbol", &self.symbol),
            ("symbol-from", &self.symbol_from),
            ("interval", &self.interval),
            ("gap", &self.gap),
            ("scratch", &self.scratch),
        ];
        for (key, value) in flags {
            if let Some(value) = value {
                job[key] = json!(value);
            }
        }
        if let Some(columns) = &self.columns {
            job["parse-settings"] = json!({ "columns": columns });
        }
        if !self.scale.is_empty() {
            job["scales"] = json!(self.scales()?);
        }
        self.settings.one_batch(&self.table, &job, Path::new("the command line"))
    }

    /// The manifest's `scales`. Places without a column are those of all prices.
    fn scales(&self) -> Result<BTreeMap<&str, u8>, Failure> {
        let mut scales = BTreeMap::new();
        for scale in &self.scale {
            let (columns, places) = match scale.split_once('=') {
                Some((column, places)) => (vec![column], places),
                None => (PRICES.to_vec(), scale.as_str()),
            };
            let wrong =
                |_| Failure::usage(format!("--scale {scale}: give a number of places, like 12 or volume=12"));
            let places: u8 = places.parse().map_err(wrong)?;
            scales.extend(columns.into_iter().map(|column| (column, places)));
        }
        Ok(scales)
    }
}
