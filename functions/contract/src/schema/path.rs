//! A place in a JSON value.

use std::fmt::{self, Display, Formatter, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Steps from the whole message to a value: `data.trades[].price`, `levels[0]`, `["odd key"].x`. `[]` stands for every
/// item of an array, each of which gives a row.
///
/// ```
/// use tallow_contract::schema::{Path, Step};
/// let path: Path = "data.trades[].p".parse().unwrap();
/// assert_eq!(path.steps()[2], Step::Every);
/// assert_eq!(path.to_string(), "data.trades[].p");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Key(String),
    /// An array's item, from 0.
    Item(u32),
    /// Each item of an array.
    Every,
}

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    Empty,
    EmptyKey,
    /// A bracket that nothing closes, or with something else than a number, nothing, or a quoted key in it.
    Bracket,
    /// Something between a bracket and the next step.
    AfterBracket,
}

impl Path {
    pub fn new(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    /// The value of one key of the message.
    pub fn key(key: impl Into<String>) -> Self {
        Self(vec![Step::Key(key.into())])
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether the path leads into the items of an array.
    pub fn explodes(&self) -> bool {
        self.0.contains(&Step::Every)
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut rest = match text.strip_prefix('$') {
            Some(rest) if rest.is_empty() || rest.starts_with(['.', '[']) => {
                rest.strip_prefix('.').unwrap_or(rest)
            }
            _ => text,
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = match rest.strip_prefix('[') {
                Some(inner) => bracket(inner)?,
                None => {
                    let end = rest.find(['.', '[']).unwrap_or(rest.len());
                    if end == 0 {
                        return Err(PathError::EmptyKey);
                    }
                    (Step::Key(rest[..end].to_owned()), &rest[end..])
                }
            };
            steps.push(step);
            rest = match after.strip_prefix('.') {
                Some("") => return Err(PathError::EmptyKey),
                Some(next) => next,
                None if after.is_empty() || after.starts_with('[') => after,
                None => return Err(PathError::AfterBracket),
            };
        }
        if steps.is_empty() { Err(PathError::Empty) } else { Ok(Self(steps)) }
    }
}

/// What is in a bracket, and what comes after it.
fn bracket(inner: &str) -> Result<(Step, &str), PathError> {
    if inner.starts_with('"') {
        let mut keys = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let Some(Ok(key)) = keys.next() else { return Err(PathError::Bracket) };
        let rest = inner[keys.byte_offset()..].strip_prefix(']').ok_or(PathError::Bracket)?;
        return Ok((Step::Key(key), rest));
    }
    let (index, rest) = inner.split_once(']').ok_or(PathError::Bracket)?;
    let step = match index {
        "" | "*" => Step::Every,
        index => Step::Item(index.parse().map_err(|_| PathError::Bracket)?),
    };
    Ok((step, rest))
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.is_empty() || key.contains(['.', '[', '$', '"', '\\']) => {
                    write!(f, "[{}]", serde_json::Value::from(key.as_str()))?;
                }
                Step::Key(key) => {
                    if index > 0 {
                        f.write_char('.')?;
                    }
                    f.write_str(key)?;
                }
                Step::Item(item) => write!(f, "[{item}]")?,
                Step::Every => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl Display for PathError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PathError::Empty => "a path names a key or an item at least",
            PathError::EmptyKey => {
                "a path has a key between two dots; an odd key goes into brackets: [\"a.b\"]"
            }
            PathError::Bracket => {
                "brackets of a path hold nothing (every item), an index, or a key in quotes"
            }
            PathError::AfterBracket => "after a bracket of a path comes a dot or another bracket",
        })
    }
}

impl std::error::Error for PathError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_path_is_read_as_it_was_written(steps in prop::collection::vec(prop_oneof![
            ".{0,8}".prop_map(Step::Key),
            any::<u32>().prop_map(Step::Item),
            Just(Step::Every),
        ], 1..6)) {
            let path = Path(steps);
            prop_assert_eq!(path.to_string().parse::<Path>(), Ok(path.clone()), "{}", path);
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_reason() {
        for (text, error) in [
            ("", PathError::Empty),
            ("$", PathError::Empty),
            ("a..b", PathError::EmptyKey),
            ("a.", PathError::EmptyKey),
            (".a", PathError::EmptyKey),
            ("a[x]", PathError::Bracket),
            ("a[0", PathError::Bracket),
            ("a[-1]", PathError::Bracket),
            ("a[\"b]", PathError::Bracket),
            ("a[0]b", PathError::AfterBracket),
        ] {
            assert_eq!(text.parse::<Path>(), Err(error), "{text}");
        }
        assert_eq!("$.a[*].b".parse::<Path>().unwrap().to_string(), "a[].b");
        assert_eq!("$ref".parse::<Path>().unwrap(), Path::key("$ref"));
    }
}
