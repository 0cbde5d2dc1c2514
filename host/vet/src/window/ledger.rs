//! The counts that a function reports, and whether they add up.

use tallow_engine::{Output, Report, Rows, Shape, Spec, Stats};

use crate::refusal::Trial;
use crate::{Refusal, Rule};

/// What became of the assignments of each spec.
pub struct Ledger<'a> {
    specs: &'a [Spec],
    accepted: Vec<u64>,
    closed: Vec<u64>,
}

impl<'a> Ledger<'a> {
    pub fn new(specs: &'a [Spec]) -> Self {
        Self { specs, accepted: vec![0; specs.len()], closed: vec![0; specs.len()] }
    }

    pub fn update(&mut self, rows: &Rows, reports: &[Report], trial: &Trial<'_>) -> Result<(), Refusal> {
        for ((spec, report), accepted) in self.specs.iter().zip(reports).zip(&mut self.accepted) {
            if let Some(wrong) = wrong(spec, rows, report) {
                let remedy = "count each (row, window) pair once: accepted, late, duplicate or conflict";
                return Err(trial.refuse_as(
                    Rule::Reports,
                    format!("window `{}`: {wrong}", spec.name),
                    remedy,
                ));
            }
            *accepted += report.accepted;
        }
        Ok(())
    }

    pub fn advance(&mut self, outputs: &[Output], stats: &[Stats], trial: &Trial<'_>) -> Result<(), Refusal> {
        for output in outputs {
            self.closed[output.spec as usize] += output.assignments;
        }
        for (index, spec) in self.specs.iter().enumerate() {
            let open =
                stats.iter().filter(|it| it.spec as usize == index).map(|it| it.open_assignments).sum();
            let (accepted, closed): (u64, u64) = (self.accepted[index], self.closed[index]);
            if closed.checked_add(open) != Some(accepted) {
                let seen = format!(
                    "window `{}`: {accepted} assignments were accepted, {closed} are in closed windows and {open} in open ones",
                    spec.name
                );
                let remedy =
                    "lose no row and count none twice: `assignments` of outputs, `open-assignments` of stats";
                return Err(trial.refuse_as(Rule::Ledger, seen, remedy));
            }
        }
        Ok(())
    }
}

fn wrong(spec: &Spec, rows: &Rows, report: &Report) -> Option<String> {
    let taken = rows.kinds.codes.iter().filter(|code| {
        let kind = rows.kinds.entry(**code);
        spec.kinds.iter().any(|it| it.as_bytes() == kind)
    });
    let taken = taken.count() as u64;
    if report.taken != taken {
        return Some(format!("{} rows taken, and {taken} are of its kinds", report.taken));
    }
    let Report { assignments, accepted, late, duplicate, conflict, .. } = *report;
    let parts =
        [accepted, late, duplicate, conflict].iter().try_fold(0, |sum: u64, part| sum.checked_add(*part));
    if parts != Some(assignments) {
        return Some(format!(
            "{assignments} assignments, of which {accepted} accepted, {late} late, {duplicate} duplicate, {conflict} conflict"
        ));
    }
    let valid = taken.checked_sub(report.invalid.len() as u64)?;
    let expected = valid * windows_a_row(spec)?;
    if assignments != expected {
        return Some(format!("{assignments} assignments of {valid} valid rows, and it must be {expected}"));
    }
    for (name, count, rows) in
        [("late", late, &report.late_rows), ("conflict", conflict, &report.conflict_rows)]
    {
        if (count == 0) != rows.is_empty() {
            return Some(format!("{count} {name} assignments and {} {name} rows", rows.len()));
        }
    }
    None
}

/// `None` if it is not the same for every row.
fn windows_a_row(spec: &Spec) -> Option<u64> {
    match spec.shape {
        Shape::Tumbling(_) | Shape::Session(_) => Some(1),
        Shape::Sliding(it) => it.size_us.is_multiple_of(it.slide_us).then(|| it.size_us / it.slide_us),
    }
}
