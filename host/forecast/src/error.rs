//! Why a forecast stops. What it has done is kept: the next run does the rest.

use tallow_engine::CallError;
use tallow_env::exit;
use tallow_sink::ReadError;
use tallow_store::StoreError;
use tallow_table::TableError;

use crate::series::Flaw;

#[derive(Debug, thiserror::Error)]
pub enum ForecastError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("function `{function}`: {error}")]
    Function { function: String, error: CallError },
    /// A setting that the function does not have, a regressor that it does not take.
    #[error("{0}")]
    Settings(String),
    /// An input is not a table that can be forecast.
    #[error("{path}: {why}")]
    Input { path: String, why: String },
    /// No symbol of several can be forecast.
    #[error("no symbol can be forecast: {}", flaws(.0))]
    Flawed(Vec<(String, Flaw)>),
    #[error("there is no run {run}; there are: {there}")]
    NoRun { run: u64, there: String },
    #[error(
        "run {run} is being made by another process from other settings: wait for it, and run this again"
    )]
    Taken { run: u64 },
    #[error("stopped: {kept} of {all} fits are kept, and the same command does the rest")]
    Stopped { kept: usize, all: usize },
    #[error("{symbol}: {why}. Nothing of this symbol is written")]
    Fit { symbol: String, why: String },
    #[error("{path} cannot be written: {why}")]
    Unwritable { path: String, why: String },
}

impl ForecastError {
    /// For `map_err`: why the input at `path` cannot be forecast.
    pub fn input<E: ToString>(path: &str) -> impl FnOnce(E) -> Self {
        |why| Self::Input { path: path.to_owned(), why: why.to_string() }
    }

    /// For `map_err`: why a result cannot be written.
    pub(crate) fn unwritable<E: ToString>(path: &str) -> impl FnOnce(E) -> Self {
        |why| Self::Unwritable { path: path.to_owned(), why: why.to_string() }
    }

    /// The program's exit code for it (sysexits), as [`TableError::exit_code`]; 65 a wrong input, 2 wrong settings, 70 a
    /// function's mistake, 1 a stop.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Table(error) => error.exit_code(),
            Self::Function { .. } | Self::Unwritable { .. } => exit::INTERNAL,
            Self::Input { .. } | Self::Flawed(_) | Self::Fit { .. } => exit::DATA,
            Self::Settings(_) | Self::NoRun { .. } => exit::USAGE,
            Self::Taken { .. } | Self::Stopped { .. } => exit::FAILED,
        }
    }
}

impl From<StoreError> for ForecastError {
    fn from(error: StoreError) -> Self {
        Self::Table(error.into())
    }
}

impl From<ReadError> for ForecastError {
    fn from(error: ReadError) -> Self {
        Self::Table(error.into())
    }
}

fn flaws(flaws: &[(String, Flaw)]) -> String {
    flaws.iter().map(|(symbol, flaw)| format!("{symbol}: {flaw}")).collect::<Vec<_>>().join("; ")
}
