//! State that was written when a spec had fewer aggregates: what of it is read into which cells.

use crate::spec::Plan;
use crate::state::aggregate_text;

/// The aggregates under which a part was written, as places in the plan that reads it. Cells of other aggregates stay
/// empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// For each cell of a pane, in the order in which they were written.
    pub cells: Vec<usize>,
    /// For each input, in the same way.
    pub inputs: Vec<usize>,
}

impl Written {
    /// Reads the text of a part's aggregates. `None` if it names one that the plan does not have, or has otherwise.
    pub fn of(plan: &Plan, text: &str) -> Option<Written> {
        let known: Vec<String> = plan.spec.aggregates.iter().map(aggregate_text).collect();
        let mut cells: Vec<usize> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let after = |at: usize| {
                let rest = rest.strip_prefix(known[at].as_str())?;
                if rest.is_empty() { Some(rest) } else { rest.strip_prefix(", ").filter(|it| !it.is_empty()) }
            };
            let fits = (0..known.len()).filter(|at| !cells.contains(at) && after(*at).is_some());
            // A name may hold anything, also what another one begins with.
            let cell = fits.max_by_key(|at| known[*at].len())?;
            rest = after(cell)?;
            cells.push(cell);
        }
        let mut inputs: Vec<usize> = Vec::new();
        for op in cells.iter().map(|&cell| plan.ops[cell]) {
            for input in [op.column, op.by].into_iter().flatten() {
                if !inputs.contains(&input) {
                    inputs.push(input);
                }
            }
        }
        inputs.extend(plan.latest.filter(|latest| !inputs.contains(latest)));
        Some(Written { cells, inputs })
    }

    /// Whether rows had the fingerprints that they have now.
    pub fn same_fingerprints(&self, plan: &Plan) -> bool {
        self.inputs.iter().copied().eq(0..plan.inputs.len())
    }
}
