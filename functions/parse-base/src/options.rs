//! What the caller asks for.

use tallow_contract::Refusal;
pub use tallow_contract::decimal::MAX_SCALE;

/// Says that `function` has no `what` of that name, and which is the nearest that it has.
pub fn unknown<'n>(
    function: &str,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Refusal {
    let shown: String = name.chars().take(64).collect();
    let nearest = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&shown, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, nearest)) => {
            format!("{function} has no {what} `{shown}`; the nearest is `{nearest}`").into()
        }
        None => format!("{function} has no {what} `{shown}`").into(),
    }
}
