//! What is vetted, under which limits, and what comes of it.

use std::time::Duration;

use tallow_engine::{
    BackfillDescription, ColumnInfo, Component, Contract, Limits, MergeDescription, ParseDescription,
    ParseOptions, Spec, WindowDescription, feed, forecast,
};

use crate::Rule;

/// A function that wants to be taken.
pub struct Candidate<'a> {
    /// The name by which refusals call it.
    pub name: &'a str,
    /// The component's binary.
    pub bytes: &'a [u8],
    /// None: the contract whose interface it exports.
    pub contract: Option<Contract>,
    pub compile: CompileLimits,
    /// What one instance may use, as in the pipeline.
    pub limits: Limits,
    pub golden: &'a [Vector],
    /// What the pipeline asks of a parse function; none: its own columns.
    pub options: Option<&'a ParseOptions>,
    /// The windows that the pipeline asks for; empty: windows made for the purpose.
    pub specs: &'a [Spec],
    /// The columns that these windows read, as the pipeline's parse function describes them; those that are missing
    /// here count as decimals.
    pub columns: &'a [ColumnInfo],
    /// The window function that runs now, whose state the candidate is to take over.
    pub predecessor: Option<&'a Component>,
}

impl<'a> Candidate<'a> {
    /// A candidate of which nothing is known but its bytes.
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self {
            name,
            bytes,
            contract: None,
            compile: CompileLimits::default(),
            limits: Limits::default(),
            golden: &[],
            options: None,
            specs: &[],
            columns: &[],
            predecessor: None,
        }
    }
}

/// What compiling a candidate and trying it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Size of the component's file.
    pub size_bytes: u64,
    pub time: Duration,
    pub memory_bytes: u64,
    /// All calls that try it, together.
    pub check_time: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            size_bytes: 8 << 20,
            time: Duration::from_secs(30),
            memory_bytes: 1 << 30,
            check_time: Duration::from_secs(120),
        }
    }
}

/// A golden vector.
pub struct Vector {
    /// Where it is from.
    pub name: String,
    /// Its JSON, as [`tallow_engine::golden`] takes it.
    pub text: String,
}

/// A function that keeps to the rules.
#[derive(Clone)]
pub struct Vetted {
    pub component: Component,
    pub description: Description,
    /// The rules that were tried, each with what it was tried on.
    pub passed: Vec<(Rule, String)>,
}

/// What a function says about itself.
#[derive(Clone, Debug)]
pub enum Description {
    Parse(ParseDescription),
    Window(WindowDescription),
    Backfill(BackfillDescription),
    Merge(MergeDescription),
    Feed(feed::Description),
    Forecast(forecast::Description),
}

impl Description {
    pub fn name(&self) -> &str {
        match self {
            Self::Parse(description) => &description.name,
            Self::Window(description) => &description.name,
            Self::Backfill(description) => &description.name,
            Self::Merge(description) => &description.name,
            Self::Feed(description) => &description.name,
            Self::Forecast(description) => &description.name,
        }
    }

    pub fn version(&self) -> &str {
        match self {
            Self::Parse(description) => &description.version,
            Self::Window(description) => &description.version,
            Self::Backfill(description) => &description.version,
            Self::Merge(description) => &description.version,
            Self::Feed(description) => &description.version,
            Self::Forecast(description) => &description.version,
        }
    }
}
