//! The `tallow` program: [`cli`] has a file a command, and puts the parts together; it speaks by [`say`]. [`fit`] holds a
//! manifest against its functions, [`remote`] calls functions behind gateways, [`oci`] pulls functions out of registries,
//! [`merging`] keeps served tables up to date beside the pipelines,
//! [`forecasting`] the forecasts of these.

#[macro_use]
mod say;

pub mod cli;
pub mod fit;
pub mod forecasting;
pub mod merging;
pub mod oci;
pub mod remote;
