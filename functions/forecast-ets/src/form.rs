//! The models there are.

use std::fmt;

use forecast::{Refusal, refuse};

/// What a model's expectation is beside its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    None,
    Additive,
    /// Each step's growth is a share of the one before.
    Damped,
}

/// A model: how its error counts, and its trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Whether the error is a share of what was expected.
    pub multiplies: bool,
    pub trend: Trend,
}

impl Form {
    /// Numbers that are searched: smoothing, and the state before the first row.
    pub fn searched(self) -> usize {
        match self.trend {
            Trend::None => 2,
            Trend::Additive => 4,
            Trend::Damped => 5,
        }
    }
}

/// As in the books: ETS(M,Ad,N).
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = if self.multiplies { "M" } else { "A" };
        let trend = match self.trend {
            Trend::None => "N",
            Trend::Additive => "A",
            Trend::Damped => "Ad",
        };
        write!(f, "ETS({error},{trend},N)")
    }
}

/// The models that the setting `model` names.
///
/// # Errors
/// It names none, or errors that multiply for a series that is not positive.
pub fn candidates(text: &str, positive: bool) -> Result<Vec<Form>, Refusal> {
    let unknown = || {
        format!(
            "`model` is `{}`: write error (A, M or Z), trend (N, A, Ad or Z) and season (N), such as ZZN",
            text.escape_debug()
        )
    };
    let Some(letters) = text.strip_suffix('N') else { return Err(unknown().into()) };
    let (error, trend) = letters.split_at_checked(1).ok_or_else(unknown)?;
    let errors: &[bool] = match error {
        "A" => &[false],
        "M" if !positive => {
            refuse!("`model` is `{text}`, and errors that multiply need a `y` above 0 in every row")
        }
        "M" => &[true],
        "Z" if !positive => &[false],
        "Z" => &[false, true],
        _ => return Err(unknown().into()),
    };
    let trends: &[Trend] = match trend {
        "N" => &[Trend::None],
        "A" => &[Trend::Additive],
        "Ad" => &[Trend::Damped],
        "Z" => &[Trend::None, Trend::Additive, Trend::Damped],
        _ => return Err(unknown().into()),
    };
    let all = errors
        .iter()
        .flat_map(|multiplies| trends.iter().map(|trend| Form { multiplies: *multiplies, trend: *trend }));
    Ok(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_by_its_letters_or_all_are_tried() {
        let names = |text: &str, positive| {
            let forms = candidates(text, positive).unwrap();
            forms.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("MAdN", true), ["ETS(M,Ad,N)"]);
        assert_eq!(names("ZAN", true), ["ETS(A,A,N)", "ETS(M,A,N)"]);
        assert_eq!((names("ZZN", true).len(), names("ZZN", false).len()), (6, 3));
    }

    #[test]
    fn what_is_no_model_is_refused() {
        for text in ["", "N", "ZN", "ZZA", "ZZM", "zzn", "AMN", "AAddN", "\u{1}N", "éN"] {
            let said = candidates(text, true).unwrap_err().to_string();
            assert!(said.contains("such as ZZN"), "{text}: {said}");
        }
        let said = candidates("MNN", false).unwrap_err().to_string();
        assert!(said.contains("need a `y` above 0"), "{said}");
    }
}
