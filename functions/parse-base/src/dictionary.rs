//! Text to codes.

use std::collections::BTreeMap;

use crate::output::Text;

/// Gives each distinct text a code, in the order of their first sight.
#[derive(Default)]
pub struct Dictionary {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    known: BTreeMap<Box<[u8]>, u32>,
}

impl Dictionary {
    pub fn code(&mut self, text: &[u8]) -> u32 {
        if let Some(&code) = self.known.get(text) {
            return code;
        }
        let code = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.known.insert(text.into(), code);
        code
    }

    pub fn into_text(self, codes: Vec<u32>) -> Text {
        Text { bytes: self.bytes, ends: self.ends, codes }
    }
}
