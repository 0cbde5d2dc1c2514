//! Merging against a reference that goes day by day and asks each row of a day in turn.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use merge::{Input, Source, merge};
use proptest::prelude::*;
use support::{DAY_US, Row, input, settings, shown, tail};

const SOURCES: [Source; 3] = [Source::Batch, Source::Speed, Source::Backfill];

fn rows() -> impl Strategy<Value = Vec<(usize, Row)>> {
    let row = (-4i64..14, 1i64..1000, 0i64..50, any::<Option<bool>>(), prop::option::of(0i64..3));
    let row = row.prop_map(|(day, close, volume, complete, revision)| Row {
        day,
        close,
        volume,
        complete,
        revision,
    });
    prop::collection::vec((0usize..3, row), 0..40).prop_map(|mut rows| {
        // Rows that are alike in all that counts go by their place: the reference need not know it.
        let mut seen = Vec::new();
        rows.retain(|(source, row)| {
            let alike = (*source, row.day, row.complete, row.revision.unwrap_or(0));
            let new = !seen.contains(&alike);
            seen.push(alike);
            new
        });
        rows
    })
}

fn inputs(rows: &[(usize, Row)]) -> Vec<Input> {
    let of = |source: usize| rows.iter().filter(|row| row.0 == source).map(|row| row.1).collect::<Vec<_>>();
    SOURCES.iter().enumerate().map(|(index, source)| input(*source, &of(index))).collect()
}

/// Is `one` to be preferred to `other`?
fn better(one: &(usize, Row), other: &(usize, Row)) -> bool {
    let completeness = |row: &Row| match row.complete {
        Some(true) => 2,
        None => 1,
        Some(false) => 0,
    };
    let (left, right) = (completeness(&one.1), completeness(&other.1));
    if left != right {
        return left > right;
    }
    match (SOURCES[one.0], SOURCES[other.0]) {
        (Source::Batch, Source::Batch) => {}
        (Source::Batch, _) => return true,
        (_, Source::Batch) => return false,
        _ => {}
    }
    let (left, right) = (one.1.revision.unwrap_or(0), other.1.revision.unwrap_or(0));
    if left != right { left > right } else { SOURCES[one.0] == Source::Backfill }
}

/// A day of the expected result: its row, and whether it is filled.
type Day = (i64, (usize, Row), bool);

fn expected(rows: &[(usize, Row)]) -> Vec<Day> {
    let Some(first) = rows.iter().map(|row| row.1.day).min() else { return Vec::new() };
    let last = rows.iter().map(|row| row.1.day).max().unwrap();
    let mut days: Vec<Day> = Vec::new();
    for day in first..=last {
        let of_day = rows.iter().filter(|row| row.1.day == day);
        match of_day.reduce(|best, row| if better(row, best) { row } else { best }) {
            Some(best) => days.push((day, *best, false)),
            None => days.push((day, days.last().unwrap().1, true)),
        }
    }
    days
}

proptest! {
    #[test]
    fn each_day_has_the_row_that_the_reference_finds(rows in rows()) {
        let merged = merge(None, &inputs(&rows), &settings()).unwrap().table;
        let days = expected(&rows);
        let text = |of: &dyn Fn(&Day) -> String| days.iter().map(of).collect::<Vec<_>>();
        let or_null = |filled: bool, text: String| if filled { "-".to_owned() } else { text };
        prop_assert_eq!(shown(&merged, "window_start"), text(&|day| (day.0 * DAY_US).to_string()));
        prop_assert_eq!(shown(&merged, "window_end"), text(&|day| ((day.0 + 1) * DAY_US).to_string()));
        prop_assert_eq!(shown(&merged, "close"), text(&|day| day.1.1.close.to_string()));
        prop_assert_eq!(
            shown(&merged, "volume"),
            text(&|day| if day.2 { 0 } else { day.1.1.volume }.to_string())
        );
        prop_assert_eq!(
            shown(&merged, "source"),
            text(&|day| or_null(day.2, SOURCES[day.1.0].name().to_owned()))
        );
        prop_assert_eq!(shown(&merged, "filled"), text(&|day| day.2.to_string()));
        prop_assert_eq!(
            shown(&merged, "revision"),
            text(&|day| or_null(day.2 || day.1.1.revision.is_none(), day.1.1.revision.unwrap_or(0).to_string()))
        );
        let complete = |day: &Day| match day.1.1.complete {
            _ if day.2 => "false".to_owned(),
            Some(complete) => complete.to_string(),
            None => "-".to_owned(),
        };
        prop_assert_eq!(shown(&merged, "complete"), text(&complete));
        // The mean of up to three closes, in hundredths with eight places more.
        for (index, found) in shown(&merged, "ma3").iter().enumerate() {
            let closes = days[index.saturating_sub(2)..=index].iter().map(|day| i128::from(day.1.1.close));
            let (count, sum) = (closes.len() as i128, closes.sum::<i128>());
            let exact = (sum * 100_000_000) / count;
            prop_assert!((found.parse::<i128>().unwrap() - exact).abs() <= 1);
        }
    }

    #[test]
    fn gaps_are_the_days_without_a_complete_row(rows in rows()) {
        let merged = merge(None, &inputs(&rows), &settings()).unwrap();
        let mut lacking = Vec::new();
        for gap in &merged.gaps {
            let days = gap.span.from_us / DAY_US..gap.span.to_us / DAY_US;
            prop_assert_eq!(gap.windows, (days.end - days.start) as u64);
            lacking.extend(days);
        }
        let days = expected(&rows);
        let expected: Vec<i64> = days
            .iter()
            .filter(|(_, (_, row), filled)| *filled || row.complete == Some(false))
            .map(|day| day.0)
            .collect();
        prop_assert_eq!(lacking, expected);
        let unfilled = merge(None, &inputs(&rows), &merge::Settings { fill: false, ..settings() }).unwrap();
        prop_assert_eq!(unfilled.gaps, merged.gaps);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(rows in rows()) {
        let mut turned = rows.clone();
        turned.reverse();
        prop_assert_eq!(
            merge(None, &inputs(&rows), &settings()).unwrap(),
            merge(None, &inputs(&turned), &settings()).unwrap()
        );
    }

    #[test]
    fn piece_by_piece_gives_what_merging_at_once_does(rows in rows(), cut in -4i64..14) {
        let whole = merge(None, &inputs(&rows), &settings()).unwrap();
        let (early, late): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.1.day < cut);
        prop_assume!(!early.is_empty() && !late.is_empty());
        let until = merge::Settings { until_us: Some(cut * DAY_US), ..settings() };
        let first = merge(None, &inputs(&early), &until).unwrap().table;
        let second = merge(Some(&tail(&first, 2)), &inputs(&late), &settings()).unwrap().table;
        for column in ["window_start", "close", "volume", "complete", "source", "filled", "revision", "ma3"] {
            let mut both = shown(&first, column);
            both.extend(shown(&second, column));
            prop_assert_eq!(both, shown(&whole.table, column), "{}", column);
        }
    }
}
