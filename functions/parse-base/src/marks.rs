//! Records set apart.

use tallow_contract::Dictionary;
use tallow_contract::parse::Marked;

use crate::reason::Apart;

/// Records set apart, as they come.
#[derive(Default)]
pub struct Marks {
    ignored: List,
    rejected: List,
}

#[derive(Default)]
struct List {
    records: Vec<u32>,
    codes: Vec<u32>,
    reasons: Dictionary,
}

impl List {
    fn push(&mut self, record: u32, reason: &str) {
        self.records.push(record);
        self.codes.push(self.reasons.code(reason.as_bytes()));
    }

    fn finish(self) -> Marked {
        Marked { records: self.records, reasons: self.reasons.into_text(self.codes) }
    }
}

impl Marks {
    pub fn push(&mut self, record: u32, apart: &Apart) {
        match apart {
            Apart::Ignored(reason) => self.ignored.push(record, reason),
            Apart::Rejected(reason) => self.rejected.push(record, reason),
        }
    }

    pub fn ignore(&mut self, record: u32, reason: &str) {
        self.ignored.push(record, reason);
    }

    /// The ignored and the rejected records.
    pub fn finish(self) -> (Marked, Marked) {
        (self.ignored.finish(), self.rejected.finish())
    }
}
