//! Requests that a forecast function is tried on.

use tallow_engine::forecast::{Description, Holiday, Request, column, ds};
use tallow_engine::{Column, ColumnData, Table};

/// Rows of the series, if the function needs no more.
pub const ROWS: u32 = 90;

/// 2025-01-01.
const FROM_US: i64 = 1_735_689_600_000_000;
const DAY_US: i64 = 86_400_000_000;
/// Rows that are forecast.
const AHEAD: i64 = 7;

/// Days of growth with a week in it, and of noise that a generator of whole numbers gives.
pub fn sound(rows: u32, description: &Description) -> Request {
    let days: Vec<i64> = (0..i64::from(rows)).collect();
    let y = days.iter().map(|day| 100.0 + *day as f64 + (day % 7) as f64 + (day * 7919 % 13) as f64);
    let mut request = request(&days, y.collect());
    if description.regressors {
        request.regressors = vec!["load".to_owned()];
        for table in [&mut request.history, &mut request.future] {
            let load = (0..table.rows).map(|row| f64::from(row * 31 % 17));
            table.columns.push(column("load", load.collect()));
        }
    }
    if description.holidays {
        let holiday = |day: i64| Holiday {
            name: "feast".to_owned(),
            ds_us: FROM_US + day * DAY_US,
            lower_days: -1,
            upper_days: 1,
        };
        request.holidays = vec![holiday(20), holiday(i64::from(rows) + 2)];
    }
    request
}

/// Series that a function may forecast or refuse.
pub fn odd(rows: u32, description: &Description) -> Vec<(&'static str, Request)> {
    let count = i64::from(rows);
    let days: Vec<i64> = (0..count).collect();
    let of = |value: f64| request(&days, vec![value; rows as usize]);
    let turns = |value: f64| {
        request(&days, days.iter().map(|day| if day % 2 == 0 { value } else { -value }).collect())
    };
    let growth = |days: &[i64]| request(days, days.iter().map(|day| *day as f64).collect());
    let least: Vec<i64> = (0..i64::from(description.least_rows)).collect();
    let uneven: Vec<i64> = days.iter().map(|day| day * day).collect();
    let gappy: Vec<i64> = days.iter().map(|day| day + 40 * (day / 5)).collect();
    let nulls = {
        let mut request = growth(&days);
        request.history.columns[1].validity = Some(vec![0b0101_1011; rows.div_ceil(8) as usize]);
        request
    };
    let past = Request { future: table(&days, Vec::new()), ..growth(&days) };
    let long_past = Request { future: table(&[-100_000, -1, 0, 100_000], Vec::new()), ..growth(&days) };
    let nothing_asked = Request { future: table(&[], Vec::new()), ..growth(&days) };
    let microseconds = Request {
        history: Table {
            rows,
            columns: vec![ds(&days), column("y", days.iter().map(|day| (day % 5) as f64).collect())],
        },
        future: Table { rows: 1, columns: vec![ds(&[count])] },
        ..growth(&days)
    };
    let ends =
        Request { future: Table { rows: 2, columns: vec![ds(&[i64::MIN, i64::MAX])] }, ..growth(&days) };
    vec![
        ("a constant series", of(5.0)),
        ("a series of zeros", of(0.0)),
        ("a series of the largest numbers", turns(f64::MAX)),
        ("a series of the smallest numbers", turns(f64::MIN_POSITIVE)),
        ("a series that turns about zero", turns(1.0)),
        ("a series of as few rows as it needs", growth(&least)),
        ("a series with days ever further apart", growth(&uneven)),
        ("a series full of gaps", growth(&gappy)),
        ("a series with nulls", nulls),
        ("the days of the history itself", past),
        ("days long before and after the history", long_past),
        ("no days at all", nothing_asked),
        ("a series by the microsecond", microseconds),
        ("the first and the last moment that there are", ends),
        ("a level near 1", Request { level: 1.0 - f64::EPSILON, ..growth(&days) }),
        ("a level near 0", Request { level: f64::MIN_POSITIVE, ..growth(&days) }),
    ]
}

/// Requests that are refused by every function.
pub fn wrong(rows: u32, description: &Description) -> Vec<(String, Request)> {
    let sound = || sound(rows, description);
    let changed = |change: &dyn Fn(&mut Request)| {
        let mut request = sound();
        change(&mut request);
        request
    };
    let setting =
        |name: &str, value: &str| changed(&|it| it.settings.push((name.to_owned(), value.to_owned())));
    let short: Vec<i64> = (0..i64::from(description.least_rows.saturating_sub(1))).collect();
    let mut all = vec![
        ("a setting `no-such-setting`", setting("no-such-setting", "1")),
        ("fewer rows than `least-rows`", request(&short, vec![1.0; short.len()])),
        ("a `y` that is infinite", changed(&|it| put(&mut it.history, f64::INFINITY))),
        ("a `y` that is not a number", changed(&|it| put(&mut it.history, f64::NAN))),
        (
            "a `y` of whole numbers",
            changed(&|it| it.history.columns[1].data = ColumnData::Int64(vec![1; rows as usize])),
        ),
        ("no `y`", changed(&|it| drop(it.history.columns.remove(1)))),
        ("no `ds` in the future", changed(&|it| drop(it.future.columns.remove(0)))),
        ("days in the wrong order", changed(&|it| turn(&mut it.history))),
        ("a future in the wrong order", changed(&|it| turn(&mut it.future))),
        ("a level of 0", changed(&|it| it.level = 0.0)),
        ("a level of 1", changed(&|it| it.level = 1.0)),
        ("a level that is not a number", changed(&|it| it.level = f64::NAN)),
        ("a regressor that no table has", changed(&|it| it.regressors.push("no-such-column".to_owned()))),
    ];
    if !description.holidays {
        let holiday = Holiday { name: "feast".to_owned(), ds_us: FROM_US, lower_days: 0, upper_days: 0 };
        all.push(("holidays, which it does not take", changed(&|it| it.holidays.push(holiday.clone()))));
    }
    let named = all.into_iter().map(|(what, request)| (what.to_owned(), request));
    let no_word = description.settings.iter().map(|it| {
        (
            format!("the setting `{}` as `\\u{{1}}no-such-value`", it.name),
            setting(&it.name, "\u{1}no-such-value"),
        )
    });
    named.chain(no_word).collect()
}

/// A request of these days and what follows them.
fn request(days: &[i64], y: Vec<f64>) -> Request {
    let after = days.last().map_or(0, |last| last + 1);
    Request {
        history: table(days, vec![column("y", y)]),
        future: table(&(after..after + AHEAD).collect::<Vec<_>>(), Vec::new()),
        level: 0.8,
        seed: 1,
        ..Request::default()
    }
}

fn table(days: &[i64], columns: Vec<Column>) -> Table {
    let times_us: Vec<i64> = days.iter().map(|day| FROM_US + day * DAY_US).collect();
    let columns = std::iter::once(ds(&times_us)).chain(columns).collect();
    Table { rows: days.len() as u32, columns }
}

/// A value into the second row.
fn put(table: &mut Table, value: f64) {
    if let ColumnData::Float64(values) = &mut table.columns[1].data {
        values[1] = value;
    }
}

/// The first two times the other way round.
fn turn(table: &mut Table) {
    if let ColumnData::TimestampUs(times_us) = &mut table.columns[0].data {
        times_us.swap(0, 1);
    }
}
