//! Records set apart.

use std::borrow::Cow;

use tallow_contract::Dictionary;
use tallow_contract::parse::Marked;

/// Records set apart, as they come.
#[derive(Default)]
pub struct Marks {
    records: Vec<u32>,
    codes: Vec<u32>,
    reasons: Dictionary,
}

impl Marks {
    pub fn push(&mut self, record: u32, reason: Cow<'static, str>) {
        self.records.push(record);
        self.codes.push(self.reasons.code(reason.as_bytes()));
    }

    pub fn finish(self) -> Marked {
        Marked { records: self.records, reasons: self.reasons.into_text(self.codes) }
    }
}
