//! What forecast functions share. A model differs in how it fits and what it expects ([`Model`]); the request's series
//! ([`Series`]), its settings ([`Settings`]), bands ([`Band`]) and the contract `tallow:forecast` around it (`adapter`)
//! are the same for all.
//!
//! [`describe`] and [`forecast()`] are pure, and know nothing of WebAssembly.

#[cfg(target_arch = "wasm32")]
pub mod adapter;
mod band;
mod model;
mod normal;
mod series;
mod settings;

pub use band::Band;
pub use model::{Asked, Known, Model, Rows, describe, forecast};
pub use normal::quantile;
pub use series::{Place, Series};
pub use settings::Settings;
pub use tallow_contract::forecast::{Description, Holiday, Outcome, Parameter, Request, Setting};
pub use tallow_contract::{Refusal, refuse};
