//! A batch job of the manifest, in the words of the functions' contracts, and its files by group.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tallow_engine::{Average, Limits, MergeSettings, ParseOptions, Spec, WantedColumn};
use tallow_files::{Checksums, File};
use tallow_lake::Partitioned;
use tallow_manifest as manifest;
use tallow_store::Digest;

use tallow_worker::plan;

use crate::error::BatchError;

/// The key's column: tables have a folder for each of its values.
pub const KEY: &str = "symbol";

/// What a job goes by. Nothing in it changes while it runs.
pub struct Plan {
    pub job: manifest::Batch,
    pub spec: Spec,
    pub options: ParseOptions,
    pub limits: Limits,
    pub checksums: Checksums,
    pub table: Partitioned,
    pub workers: usize,
    /// Whether what is doubtful is published all the same.
    pub allow_empty: bool,
    /// Folder for what memory has no room for.
    pub scratch: PathBuf,
}

/// Files that make partitions of their own: those of one symbol, where their names or a setting say it.
pub struct Group {
    /// None: a column says it.
    pub symbol: Option<String>,
    pub files: Vec<File>,
}

impl Plan {
    pub fn new(job: &manifest::Batch) -> Self {
        let columns: BTreeSet<&str> = job.window.columns();
        let columns = columns.into_iter().map(|name| WantedColumn {
            name: name.to_owned(),
            scale: job.scales.get(name).copied().unwrap_or(manifest::DEFAULT_SCALE),
        });
        let mut settings: Vec<(String, String)> = job.parse_settings.clone().into_iter().collect();
        settings.extend(job.interval.clone().map(|interval| ("interval".to_owned(), interval)));
        let options = ParseOptions { kinds: job.window.kinds.clone(), columns: columns.collect(), settings };
        Self {
            spec: plan::spec(&job.window, plan::ids_bytes(&job.limits)),
            options,
            limits: plan::limits(&job.limits),
            checksums: match job.checksums {
                manifest::Checksums::Present => Checksums::Present,
                manifest::Checksums::Required => Checksums::Required,
                manifest::Checksums::Ignored => Checksums::Ignored,
            },
            table: Partitioned::batch(&job.table, KEY),
            workers: job.workers.unwrap_or_else(plan::processors),
            allow_empty: job.allow_empty,
            scratch: job.scratch.clone().unwrap_or_else(std::env::temp_dir),
            job: job.clone(),
        }
    }

    /// Name of the job's log.
    pub fn log_name(&self) -> String {
        format!("batch-{}", self.job.name)
    }

    /// The files by symbol, in the order of symbols.
    pub fn groups(&self, files: Vec<File>) -> Result<Vec<Group>, BatchError> {
        let mut groups: BTreeMap<Option<String>, Vec<File>> = BTreeMap::new();
        for file in files {
            let symbol = match &self.job.symbol {
                manifest::SymbolOf::Column => None,
                manifest::SymbolOf::Fixed(symbol) => Some(symbol.clone()),
                manifest::SymbolOf::File(pattern) => match pattern.find(&file.name) {
                    Some(symbol) => Some(symbol.to_owned()),
                    None => {
                        let pattern = pattern.as_str().to_owned();
                        return Err(BatchError::NoSymbol { file: file.name, pattern });
                    }
                },
            };
            groups.entry(symbol).or_default().push(file);
        }
        Ok(groups.into_iter().map(|(symbol, files)| Group { symbol, files }).collect())
    }

    /// The settings of the merge function for windows that start before `until_us`.
    pub fn merge_settings(&self, until_us: Option<i64>) -> MergeSettings {
        use manifest::Operation::{Count, Sum, SumProduct};
        let aggregates = &self.job.window.aggregates;
        let named = |adds: bool| {
            let of_kind =
                aggregates.iter().filter(|it| matches!(it.operation, Sum | Count | SumProduct) == adds);
            of_kind.map(|it| it.name.clone()).collect::<Vec<String>>()
        };
        MergeSettings {
            keys: self.spec.keys.clone(),
            step_us: self.size_us() as u64,
            fill: self.job.fill,
            until_us: until_us.filter(|_| self.job.fill),
            carried: named(false),
            zeroed: named(true),
            averages: self
                .job
                .averages
                .iter()
                .map(|it| Average { name: it.name.clone(), column: it.column.clone(), length: it.length })
                .collect(),
        }
    }

    /// Size of the windows.
    pub fn size_us(&self) -> i64 {
        match self.job.window.shape {
            manifest::Shape::Tumbling { size_us } => size_us as i64,
            manifest::Shape::Sliding { size_us, .. } => size_us as i64,
            manifest::Shape::Session { gap_us } => gap_us as i64,
        }
    }

    /// Start of the window that a time is in.
    pub fn window_start_us(&self, time_us: i64) -> i64 {
        let (size_us, offset_us) = (self.size_us(), self.job.window.offset_us);
        (time_us - offset_us).div_euclid(size_us) * size_us + offset_us
    }

    /// Rows of a partition that the next one's averages need, one at least: it is carried from.
    pub fn rows_before(&self) -> usize {
        self.job.averages.iter().map(|it| it.length as usize - 1).max().unwrap_or(0).max(1)
    }

    /// Digest of all that a group's partitions are made of: the job, the functions, the files as they were found.
    pub fn fingerprint(&self, group: &Group, functions: &[Digest]) -> Digest {
        let files: Vec<_> =
            group.files.iter().map(|file| (&file.name, file.size_bytes(), file.tag())).collect();
        let parts = serde_json::json!({
            "job": self.job.digest,
            "functions": functions,
            "symbol": group.symbol,
            "files": files,
        });
        Digest::of(parts.to_string().as_bytes())
    }
}
