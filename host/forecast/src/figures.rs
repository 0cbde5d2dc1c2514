//! Measures as people read them.

use crate::judge::Judged;

/// Names of models with their figures, for tables of people.
pub fn figures(judged: &Judged) -> [String; 9] {
    let all = &judged.all;
    let number =
        |value: Option<f64>, places: usize| value.map_or("-".to_owned(), |it| format!("{it:.places$}"));
    let size = |value: Option<f64>| value.map_or("-".to_owned(), significant);
    [
        judged.model.clone(),
        number(all.mape, 2),
        number(judged.per_step.first().and_then(|it| it.mape), 2),
        size(all.mae),
        size(all.rmse),
        number(all.mase, 2),
        number(all.coverage, 2),
        number(all.pinball, 2),
        judged.test.map_or("-".to_owned(), |it| crate::judge::p(it.p)),
    ]
}

/// The heads of [`figures`].
pub const FIGURES: [&str; 9] =
    ["model", "MAPE %", "step 1", "MAE", "RMSE", "MASE", "coverage", "pinball", "p"];

/// Four figures that count, without an exponent.
pub fn significant(value: f64) -> String {
    let places =
        if value == 0.0 { 0 } else { (3 - value.abs().log10().floor() as i32).clamp(0, 10) as usize };
    format!("{value:.places$}")
}
