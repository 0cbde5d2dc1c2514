//! Prophet's model (Taylor and Letham, "Forecasting at Scale", The American Statistician 72, 2018), as Prophet for Python
//! 1.5 fits it: a trend whose rate changes at given places, seasonalities as Fourier series, holidays, regressors.
//!
//! A pure function of a request: no clock, no randomness but from the seed. The modules, in the order of the data's way:
//!
//! `plan` (what the settings ask for) → `scaled` (the series between 0 and 1, the places of changes) and `terms` (the
//! columns of seasonalities, holidays and regressors) → `problem` (what is minimised, and its gradient) → `fit`, by
//! `lbfgs` with `line_search`, or by `newton` with `eigen` → `model` (what is expected, its parts) and `paths` (the band ahead, by
//! simulated futures from `random`).
//!
//! The optimisers go Stan's way step by step. The model has corners where a change is 0, and two ways down end at other
//! points there: what Prophet for Python gives is where Stan's way ends.

mod eigen;
mod fit;
mod lbfgs;
mod line_search;
mod model;
mod newton;
mod paths;
mod plan;
mod problem;
mod random;
mod scaled;
mod terms;
#[cfg(test)]
mod testing;

pub use model::Prophet;

#[cfg(target_arch = "wasm32")]
mod component {
    type Component = forecast::adapter::Adapter<crate::Prophet>;
    forecast::adapter::export_forecast!(Component with_types_in forecast::adapter);
}
