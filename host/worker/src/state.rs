//! The state of a pipeline's windows, and instances that hold it.

use std::sync::Arc;

use tallow_engine::{CallError, Component, Limits, Part, Spec, WindowFunction};

/// The windows' state at the end of an epoch.
#[derive(Clone)]
pub struct StateCopy {
    pub parts: Vec<Part>,
    pub watermark_us: Option<i64>,
}

impl StateCopy {
    /// An instance that holds it.
    pub fn open(
        &self,
        component: &Component,
        limits: Limits,
        specs: &[Spec],
    ) -> Result<WindowFunction, CallError> {
        match self.watermark_us {
            None if self.parts.is_empty() => WindowFunction::open(component, limits, specs),
            watermark_us => WindowFunction::restore(
                component,
                limits,
                specs,
                watermark_us.unwrap_or(i64::MIN),
                &self.parts,
            ),
        }
    }
}

/// Has a restored instance take its windows for unchanged. What changes afterwards is then what changed since the state
/// was saved, whoever restores it.
///
/// # Errors
/// As [`WindowFunction::changed`].
pub fn forget_changes(function: &mut WindowFunction, updates: bool) -> Result<(), CallError> {
    if updates {
        function.changed()?;
    }
    Ok(())
}

/// The window component with what its instances are opened with.
pub struct Sandboxed {
    pub component: Arc<Component>,
    pub limits: Limits,
    pub specs: Vec<Spec>,
    /// Open windows that change in an epoch go out: those that were restored have not changed.
    pub updates: bool,
}
