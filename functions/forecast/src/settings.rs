//! The settings of a request.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use tallow_contract::list;

use crate::{Refusal, Setting, refuse};

/// How alike two names must be for the one to be meant by the other: Jaro-Winkler, 1 if they are the same.
const ALIKE: f64 = 0.8;

/// A request's settings over a function's: each has a value.
#[derive(Clone, Debug)]
pub struct Settings {
    values: Vec<(String, String)>,
}

impl Settings {
    /// # Errors
    /// A name is not one of `known`, or comes twice.
    pub fn read(known: &[Setting], given: &[(String, String)]) -> Result<Self, Refusal> {
        let names: Vec<&str> = known.iter().map(|setting| setting.name.as_str()).collect();
        for (index, (name, _)) in given.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                refuse!("there is no setting `{}`; {}", name.escape_debug(), instead(name, &names));
            }
            if given[..index].iter().any(|(before, _)| before == name) {
                refuse!("the setting `{name}` is there twice");
            }
        }
        let value = |setting: &Setting| {
            let given = given.iter().find(|(name, _)| *name == setting.name).map(|(_, value)| value);
            (setting.name.clone(), given.unwrap_or(&setting.default).clone())
        };
        Ok(Self { values: known.iter().map(value).collect() })
    }

    /// The value of a setting; empty if the function has no such setting.
    pub fn text(&self, name: &str) -> &str {
        let value = self.values.iter().find(|(known, _)| known == name);
        value.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The value of a setting that is one of some words.
    ///
    /// # Errors
    /// It is none of them.
    pub fn word<'a>(&self, name: &str, words: &[&'a str]) -> Result<&'a str, Refusal> {
        let value = self.text(name);
        match words.iter().find(|word| **word == value) {
            Some(word) => Ok(word),
            None => refuse!("`{name}` is `{}`; {}", value.escape_debug(), instead(value, words)),
        }
    }

    /// The value of a setting that is a number within bounds.
    ///
    /// # Errors
    /// It is no number, or out of bounds.
    pub fn number<T: FromStr + PartialOrd + Display>(
        &self,
        name: &str,
        bounds: RangeInclusive<T>,
    ) -> Result<T, Refusal> {
        let value = self.text(name);
        match value.parse() {
            Ok(number) if bounds.contains(&number) => Ok(number),
            _ => {
                let (from, to) = (bounds.start(), bounds.end());
                refuse!("`{name}` is `{}`: a number from {from} to {to} is needed", value.escape_debug())
            }
        }
    }
}

/// What was meant, and what there is.
fn instead(name: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let all = list(known);
    match nearest {
        Some((_, nearest)) => format!("did you mean `{nearest}`? There are: {all}"),
        None => format!("there are: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Setting> {
        let setting = |name: &str, default: &str| Setting {
            name: name.to_owned(),
            default: default.to_owned(),
            meaning: String::new(),
        };
        vec![setting("method", "last"), setting("season", "7")]
    }

    fn read(given: &[(&str, &str)]) -> Result<Settings, Refusal> {
        let given: Vec<_> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read(&known(), &given)
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let settings = read(&[("season", "12")]).unwrap();
        assert_eq!((settings.text("method"), settings.number("season", 1..=99)), ("last", Ok(12)));
    }

    #[test]
    fn a_setting_that_is_not_there_is_refused_with_the_nearest() {
        let said = |given: &[(&str, &str)]| read(given).unwrap_err().to_string();
        assert_eq!(
            said(&[("seson", "7")]),
            "there is no setting `seson`; did you mean `season`? There are: `method`, `season`"
        );
        assert_eq!(said(&[("x", "7")]), "there is no setting `x`; there are: `method`, `season`");
        assert_eq!(said(&[("season", "7"), ("season", "8")]), "the setting `season` is there twice");
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_by_name() {
        let settings = read(&[("method", "lost"), ("season", "0")]).unwrap();
        let said = settings.word("method", &["last", "drift"]).unwrap_err().to_string();
        assert_eq!(said, "`method` is `lost`; did you mean `last`? There are: `last`, `drift`");
        let said = settings.number("season", 1..=99).unwrap_err().to_string();
        assert_eq!(said, "`season` is `0`: a number from 1 to 99 is needed");
    }
}
