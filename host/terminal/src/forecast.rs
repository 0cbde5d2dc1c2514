//! A series and its forecast as a picture of characters.

use super::number::{places, significant};
use super::style::{Line, Palette, Style};

/// A row of the series or of its forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Known(f64),
    Expected { value: f64, lower: f64, upper: f64 },
}

const LABEL: usize = 12;

/// The newest steps that fit, what is known as `•`, what is expected as `━` on its band `░`; values to the right.
/// `first` and `last`: the days below. `height`: lines of the picture, without these.
pub fn forecast(
    steps: &[Step],
    (first, last): (&str, &str),
    width: usize,
    height: usize,
    palette: Palette,
) -> Vec<String> {
    let room = width.saturating_sub(LABEL + 2).max(1);
    let steps = &steps[steps.len().saturating_sub(room)..];
    let values = || {
        steps.iter().flat_map(|step| match *step {
            Step::Known(value) => [value; 2],
            Step::Expected { lower, upper, .. } => [lower, upper],
        })
    };
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    if steps.is_empty() || !(low.is_finite() && high.is_finite()) {
        return vec!["nothing to draw".to_owned()];
    }
    let height = height.max(2);
    let row_of = |value: f64| {
        let share = if high > low { (high - value) / (high - low) } else { 0.5 };
        ((share * height as f64) as usize).min(height - 1)
    };
    let cell = |step: &Step, row: usize| match *step {
        Step::Known(value) if row_of(value) == row => ("•", Style::Normal),
        Step::Expected { value, .. } if row_of(value) == row => ("━", Style::Warn),
        Step::Expected { lower, upper, .. } if (row_of(upper)..=row_of(lower)).contains(&row) => {
            ("░", Style::Dim)
        }
        _ => (" ", Style::Normal),
    };
    let shown = places(
        steps
            .iter()
            .map(|step| match step {
                Step::Known(value) | Step::Expected { value, .. } => *value,
            })
            .next_back()
            .unwrap_or(0.0),
    );
    let mut lines = Vec::with_capacity(height + 1);
    for row in 0..height {
        let mut line = Line::new();
        for step in steps {
            let (symbol, style) = cell(step, row);
            line.push(symbol, style);
        }
        if row == 0 || row + 1 == height || row == height / 2 {
            let value = match row {
                0 => high,
                row if row + 1 == height => low,
                _ => low / 2.0 + high / 2.0,
            };
            line.pad_to(steps.len() + 1);
            line.push(&format!("{:>LABEL$}", significant(value, shown)), Style::Dim);
        }
        lines.push(line.paint(width, palette));
    }
    let mut days = Line::new();
    days.push(first, Style::Dim);
    days.pad_to(steps.len().saturating_sub(last.len()).max(first.len() + 1));
    days.push(last, Style::Dim);
    lines.push(days.paint(width, palette));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_and_what_is_expected_lie_at_their_values() {
        let expected = |value, lower, upper| Step::Expected { value, lower, upper };
        let steps = [Step::Known(0.0), Step::Known(2.0), expected(2.0, 1.0, 3.0), expected(2.0, 0.0, 4.0)];
        let lines = forecast(&steps, ("a", "b"), 40, 5, Palette::Plain);
        let wanted = ["   ░            4", "  ░░", " •━━            2", "  ░░", "•  ░            0", "a  b"];
        assert_eq!(lines, wanted.map(str::to_owned));
    }

    #[test]
    fn the_newest_steps_are_shown_and_bad_numbers_draw_nothing() {
        let steps = vec![Step::Known(1.0); 100];
        let lines = forecast(&steps, ("a", "b"), 34, 3, Palette::Plain);
        assert!(
            lines.iter().any(|line| line.starts_with(&"•".repeat(20)) && !line.starts_with(&"•".repeat(21)))
        );
        assert_eq!(forecast(&[], ("a", "b"), 40, 3, Palette::Plain), ["nothing to draw"]);
        assert_eq!(
            forecast(&[Step::Known(f64::NAN)], ("a", "b"), 40, 3, Palette::Plain),
            ["nothing to draw"]
        );
    }
}
