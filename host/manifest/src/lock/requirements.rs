//! What Spin says a trigger must be able to do, lest it run an application wrongly.

use serde_json::Value;

use super::Lock;
use crate::error::{Report, quoted};
use crate::manifest::Manifest;

/// The fields that Spin may ask a trigger to heed; both are heeded here.
const UNDERSTOOD: [&str; 2] = ["host_requirements", "component_host_requirements"];

/// Both are about requests that components send or get. Older Spins ask it of the whole application where one component
/// needs it: that is not ours, since functions in pipelines send and get none.
const OF_HTTP: [&str; 2] = ["local_service_chaining", "middleware"];

/// What is asked of the application as a whole.
pub(super) fn check_application(lock: &Lock, report: &mut Report) {
    let strange = lock.must_understand.iter().map(String::as_str).filter(|it| !UNDERSTOOD.contains(it));
    for field in strange {
        report.add(
            None,
            "must_understand",
            format!("Spin asks its triggers to heed `{field}`, which this version of tallow does not; take a newer plugin"),
        );
    }
    for requirement in lock.host_requirements.iter().filter_map(required) {
        if !OF_HTTP.contains(&requirement) {
            report.add(None, "host_requirements", unmet("the application", requirement));
        }
    }
}

/// What is asked of components that run here; those of other triggers are theirs.
pub(super) fn check_components(lock: &Lock, manifest: &Manifest, report: &mut Report) {
    for (who, name) in manifest.needed_components() {
        let Some(component) = lock.components.iter().find(|component| component.id == name) else { continue };
        for requirement in component.host_requirements.iter().filter_map(required) {
            let place = manifest.components.get(name).and_then(|component| component.place);
            let mut problem = unmet(&format!("the component `{name}` of {who}"), requirement);
            if OF_HTTP.contains(&requirement) {
                problem += ": a function in a pipeline sends and gets no requests; \
                            remove what asks for it, such as a host `*.spin.internal`";
            }
            report.add(place, &format!("component.{name}"), problem);
        }
    }
}

fn required<'a>((name, need): (&'a String, &Value)) -> Option<&'a str> {
    (need.as_str() != Some("optional")).then_some(name)
}

fn unmet(who: &str, requirement: &str) -> String {
    format!("{who} requires {} of its host, which tallow does not have", quoted(&[requirement]))
}
