//! A view of a running pipeline: candles as they form, and the counters beside them. It is a view, not a sink:
//! nothing depends on it, and what it shows of open windows may still change.
//!
//! [`View`] holds what is known, [`render`] makes lines of it and is pure, [`Screen`] puts lines on a terminal
//! in place. [`plain`] is for when standard output is not a terminal. [`chart`] draws a table's candles, once, [`forecast()`] a
//! series and its future.

mod cell;
mod chart;
mod forecast;
mod number;
pub mod plain;
mod render;
mod screen;
mod section;
mod spark;
mod style;
mod view;

pub use chart::{Bar, Summary, chart, summary};
pub use forecast::{Step, forecast};
pub use render::render;
pub use screen::{Output, Screen};
pub use style::Palette;
pub use view::{Counters, Phase, View};
