//! What the folds say: measures of each model on the same origins, and in one sentence whether the model is of use.

use serde::Serialize;

use crate::compare::{self, SIGNIFICANT, Test};
use crate::measures::{self, Fold, Measures};

/// The figures of one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    pub model: String,
    /// Over all steps and origins.
    pub all: Measures,
    pub per_step: Vec<Measures>,
    /// Against the last value: by the MASE of each origin. `None` for the last value itself, or where it cannot be tested.
    pub test: Option<Test>,
    /// Origins at which its MASE is below that of the last value.
    pub wins: usize,
    pub origins: usize,
}

/// Judges a model by its folds, beside those of the last value at the same origins.
pub fn judge(
    model: &str,
    folds: &[Fold],
    last: &[Fold],
    level: f64,
    horizon: usize,
    spacing: usize,
) -> Judged {
    let mase = |folds: &[Fold]| folds.iter().map(measures::mase).collect::<Option<Vec<f64>>>();
    let (ours, theirs) = (mase(folds).unwrap_or_default(), mase(last).unwrap_or_default());
    Judged {
        model: model.to_owned(),
        all: measures::of(folds, level),
        per_step: measures::per_step(folds, level),
        test: compare::diebold_mariano(&ours, &theirs, horizon, spacing),
        wins: ours.iter().zip(&theirs).filter(|(ours, theirs)| ours < theirs).count(),
        origins: folds.len(),
    }
}

/// Whether the model beats the last value, in one sentence. `title`: the model's name for people.
pub fn verdict(title: &str, model: &Judged, last: &Judged) -> String {
    let (Some(ours), Some(theirs)) = (model.all.mase, last.all.mase) else {
        return format!(
            "Whether {title} beats the last value cannot be said: there is no origin at which both were judged."
        );
    };
    let figures = format!("MASE {ours:.2} against {theirs:.2}");
    let test = match model.test {
        Some(test) => format!("Diebold-Mariano p = {}", p(test.p)),
        None => "too few origins for a test".to_owned(),
    };
    match model.test {
        _ if ours >= theirs => format!("{title} does not beat the last value: {figures} ({test})."),
        Some(Test { p, .. }) if p < SIGNIFICANT => {
            format!("{title} beats the last value: {figures} ({test}).")
        }
        _ => format!("{title} is not shown to beat the last value: {figures}, which may be chance ({test})."),
    }
}

/// A probability for people.
pub fn p(p: f64) -> String {
    if p < 0.005 { "0.00".to_owned() } else { format!("{p:.2}") }
}

/// `forecast-prophet` as people say it: `Prophet`.
pub fn title(function: &str) -> String {
    match function.strip_prefix("forecast-") {
        Some("ets") => "ETS".to_owned(),
        Some(name) if !name.is_empty() => {
            let mut letters = name.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
        _ => function.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::Scale;

    /// Origins of one step with these errors, on a scale of 1.
    fn folds(errors: &[f64]) -> Vec<Fold> {
        let fold = |error: &f64| Fold {
            y: vec![100.0],
            yhat: vec![100.0 - error],
            lower: vec![90.0],
            upper: vec![110.0],
            scale: Scale { absolute: 1.0, squared: 1.0 },
        };
        errors.iter().map(fold).collect()
    }

    fn sentence(model: &[f64], last: &[f64]) -> String {
        let last = folds(last);
        let judged = |name: &str, folds: &[Fold]| judge(name, folds, &last, 0.8, 1, 1);
        verdict("Prophet", &judged("forecast-prophet", &folds(model)), &judged("last value", &last))
    }

    #[test]
    fn the_sentence_says_what_the_figures_say() {
        let worse = sentence(&[9.0, 11.0, 10.0, 12.0], &[1.0, 2.0, 1.0, 2.0]);
        assert_eq!(
            worse,
            "Prophet does not beat the last value: MASE 10.50 against 1.50 (Diebold-Mariano p = 0.00)."
        );
        let better = sentence(&[1.0, 2.0, 1.0, 2.0], &[9.0, 11.0, 10.0, 12.0]);
        assert!(better.starts_with("Prophet beats the last value: MASE 1.50 against 10.50"), "{better}");
        let chance = sentence(&[1.0, 5.0, 1.0, 5.0], &[4.0, 2.0, 4.5, 2.0]);
        assert!(chance.starts_with("Prophet is not shown to beat the last value"), "{chance}");
        let one = sentence(&[1.0], &[2.0]);
        assert!(one.ends_with("which may be chance (too few origins for a test)."), "{one}");
        assert!(sentence(&[], &[]).contains("cannot be said"));
    }

    #[test]
    fn wins_are_origins_with_the_smaller_error() {
        let last = folds(&[1.0, 2.0, 3.0]);
        let judged = judge("x", &folds(&[0.5, 2.0, 4.0]), &last, 0.8, 1, 1);
        assert_eq!((judged.wins, judged.origins), (1, 3));
    }

    #[test]
    fn functions_have_names_for_people() {
        assert_eq!(title("forecast-prophet"), "Prophet");
        assert_eq!(title("forecast-ets"), "ETS");
        assert_eq!((title("mine").as_str(), title("forecast-").as_str()), ("mine", "forecast-"));
    }
}
