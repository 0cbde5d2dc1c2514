//! Forecasts of series of the lake. In the order of the data's way:
//!
//! - [`Settings`]: what is forecast, and how; `checks`: whether the function takes that;
//! - [`input`], [`candles_json`]: symbols and their values as they were read; [`series`]: a row per step, and what is wrong;
//! - `origins`: where a series is cut; `grid`: settings to choose from; `averages`: regressors and how they continue;
//! - `request`: a part of a series as the contract has it, and the answer; [`model`]: what answers;
//! - `fits`, `workers`, `kept`: fits side by side, and what is kept of a run that was stopped;
//! - [`measures`], [`compare`], [`judge`]: how far off forecasts are, and whether that is better than the last value;
//! - [`study`]: one symbol from cuts to forecast, by [`studying`]; `leaked`: the figures that others report;
//! - [`figures`], `tables`, `chart_svg`, `report`, [`results`]: what is written; [`runs`]: numbered, listed, restored;
//! - [`running`]: how earlier forecasts compare with what came;
//! - [`run`](mod@run): the whole of it on one screen.

mod averages;
pub mod candles_json;
mod chart_svg;
mod checks;
pub mod compare;
mod error;
pub mod figures;
mod fits;
mod grid;
pub mod input;
pub mod judge;
mod kept;
pub mod leaked;
pub mod measures;
pub mod model;
mod origins;
mod report;
mod request;
pub mod results;
pub mod run;
pub mod running;
pub mod runs;
pub mod series;
pub mod settings;
pub mod study;
pub mod studying;
mod tables;
mod workers;

pub use error::ForecastError;
pub use grid::name as settings_name;
pub use input::Input;
pub use run::{Done, Forecaster, Outcome};
pub use runs::RunRecord;
pub use settings::Settings;
pub use study::Study;
pub use studying::Event;
