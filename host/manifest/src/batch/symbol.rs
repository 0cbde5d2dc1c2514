//! What names the symbol of a batch's rows.

use regex::Regex;

use crate::forms::Form;
use crate::{schema_pieces, values};

/// What names the symbol of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SymbolOf {
    /// A column of the files.
    Column,
    Fixed(String),
    /// The file's name.
    File(FilePattern),
}

/// A regular expression for names of files: what its first group matches, or all of it where it has none. One with a
/// slash in it is for the path, folders included.
#[derive(Clone, Debug)]
pub struct FilePattern(Regex);

impl FilePattern {
    pub fn find<'n>(&self, path: &'n str) -> Option<&'n str> {
        let name = match self.as_str().contains('/') {
            true => path,
            false => path.rsplit('/').next()?,
        };
        let found = self.0.captures(name)?;
        let part = found.get(1).or_else(|| found.get(0))?.as_str();
        (!part.is_empty()).then_some(part)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for FilePattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for FilePattern {}

pub(super) const SYMBOL: Form<SymbolOf> = Form::new("a text", schema_pieces::text, |node, report| {
    let symbol = values::text(node, report)?;
    if symbol.is_empty() || symbol.len() > 256 {
        return report.refuse(node, "`symbol` is a text of 1 to 256 bytes");
    }
    Some(SymbolOf::Fixed(symbol))
});
pub(super) const SYMBOL_FROM: Form<SymbolOf> =
    Form::parsed("a regular expression", schema_pieces::text, "a regular expression", |text| {
        let pattern = Regex::new(text).map_err(|error| format!("not a regular expression: {error}"))?;
        Ok(SymbolOf::File(FilePattern(pattern)))
    });
