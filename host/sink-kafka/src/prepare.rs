//! An epoch's output as records of topics. Pure: the same output gives the same records.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use tallow_contract::{Column, Table};
use tallow_record::Place;
use tallow_sink::{EpochOutput, SinkError, record_key};

use crate::json::{Rows, text};
use crate::record::{COMMIT, Record};
use crate::settings::{Mode, Settings, WindowTopic};

type Headers = Vec<(String, Option<Vec<u8>>)>;

/// The records of an epoch, window by window, then those under another key, late rows and dead letters.
///
/// # Errors
/// A function gave a table that is none of windows.
pub fn records(settings: &Settings, output: &EpochOutput<'_>) -> Result<Vec<Record>, SinkError> {
    let mut records = Vec::new();
    for (window, to) in &settings.windows {
        let of = |batches: &[(String, RecordBatch)], state| -> Result<Vec<Record>, SinkError> {
            let own = batches.iter().filter(|(name, _)| name == window).map(|(_, batch)| batch);
            let batches: Vec<&RecordBatch> = own.collect();
            candles(Given { window, to, state }, &batches, output).map_err(|why| SinkError::Table {
                pipeline: output.pipeline.into(),
                window: window.clone(),
                why,
            })
        };
        let whole = |open| -> Vec<(String, RecordBatch)> {
            let some = output.whole.iter().filter(|it| it.open == open);
            some.map(|it| (it.window.clone(), it.rows.clone())).collect()
        };
        match to.mode {
            Mode::Append => records.extend(of(&output.closed, CLOSED)?),
            Mode::Update => {
                records.extend(of(&output.closed, CLOSED)?);
                records.extend(of(&output.repeated, CLOSED)?);
                records.extend(of(&output.open, OPEN)?);
            }
            Mode::Complete => {
                records.extend(of(&whole(false), CLOSED)?);
                records.extend(of(&whole(true), OPEN)?);
            }
        }
    }
    records.extend(settings.rekeyed.iter().flat_map(|topic| rekeyed(topic, output)));
    records.extend(settings.late.iter().flat_map(|topic| late(topic, output)));
    records.extend(settings.dead.iter().flat_map(|topic| dead(topic, output)));
    Ok(records)
}

fn header(name: &str, value: impl ToString) -> (String, Option<Vec<u8>>) {
    (name.to_owned(), Some(value.to_string().into_bytes()))
}

/// What every record says about where it comes from.
fn origin(output: &EpochOutput<'_>) -> Headers {
    let functions = serde_json::json!(output.provenance.functions);
    vec![
        header(COMMIT, output.commit()),
        header("tallow.pipeline", output.pipeline),
        header("tallow.functions", functions),
    ]
}

const CLOSED: &str = "closed";
const OPEN: &str = "open";

/// A window's candles of one state: open or closed.
#[derive(Clone, Copy)]
struct Given<'g> {
    window: &'g str,
    to: &'g WindowTopic,
    state: &'static str,
}

/// A window's candles, in the order of their starts and keys.
fn candles(
    given: Given<'_>,
    batches: &[&RecordBatch],
    output: &EpochOutput<'_>,
) -> Result<Vec<Record>, String> {
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let Given { window, to, state } = given;
    let rows = concat_batches(&batches[0].schema(), batches.iter().copied());
    let table = rows.and_then(|rows| tallow_engine::from_arrow(&rows)).map_err(|error| error.to_string())?;
    let columns = Columns::of(&table)?;
    let json = Rows::new(&table, to.style);
    let starts = columns.start.times_us().map_err(|refusal| refusal.to_string())?;
    let mut order = Vec::with_capacity(starts.len());
    for (row, start_us) in starts.iter().enumerate() {
        order.push((*start_us, columns.key(row)?, row));
    }
    order.sort();
    let origin = origin(output);
    let record = |(_, key, row): (i64, Option<String>, usize)| {
        let value = json.row(row).ok_or_else(|| format!("row {row} is not in every column"))?;
        let mut headers = origin.clone();
        headers.push(header("tallow.window", window));
        headers.push(header("tallow.state", state));
        for (name, column) in &columns.told {
            headers.push(header(name, text(column, row).unwrap_or_default()));
        }
        Ok(Record {
            topic: to.topic.clone(),
            timestamp_us: output.clock_us,
            key: key.map(String::into_bytes),
            value: Some(value.into_bytes()),
            headers,
        })
    };
    order.into_iter().map(record).collect()
}

/// The columns of a window's table that have a part in its records beside their values.
struct Columns<'t> {
    /// Those before `window_start`.
    keys: &'t [Column],
    start: &'t Column,
    /// Those that headers tell, too.
    told: Vec<(&'static str, &'t Column)>,
}

impl<'t> Columns<'t> {
    fn of(table: &'t Table) -> Result<Self, String> {
        let at = table.columns.iter().position(|column| column.name == "window_start");
        let at = at.ok_or("its table has no column `window_start`")?;
        let named = |name: &str| table.columns.iter().find(|column| column.name == name);
        let told = [
            ("tallow.window-start", "window_start"),
            ("tallow.window-end", "window_end"),
            ("tallow.revision", "revision"),
        ];
        let told = told.into_iter().filter_map(|(header, name)| Some((header, named(name)?)));
        Ok(Self { keys: &table.columns[..at], start: &table.columns[at], told: told.collect() })
    }

    /// The record's key.
    fn key(&self, row: usize) -> Result<Option<String>, String> {
        let value = |column: &Column| {
            let value = text(column, row);
            value.ok_or_else(|| format!("key column `{}` has no value for row {row}", column.name))
        };
        let texts = self.keys.iter().map(|column| Ok((column.name.as_str(), value(column)?)));
        Ok(record_key(&texts.collect::<Result<Vec<_>, String>>()?))
    }
}

fn placed(place: &Place) -> [(String, Option<Vec<u8>>); 3] {
    [
        header("tallow.topic", &place.topic),
        header("tallow.partition", place.partition),
        header("tallow.offset", place.offset),
    ]
}

/// Records under another key, in the order in which they were taken: their untouched bytes, headers and timestamp. They are
/// many and small, so they say no more than their place and commit.
fn rekeyed<'o>(topic: &str, output: &'o EpochOutput<'_>) -> impl Iterator<Item = Record> + use<'o> {
    let (topic, commit) = (topic.to_owned(), header(COMMIT, output.commit()));
    output.rekeyed.iter().map(move |row| {
        let mut headers = row.headers.clone();
        headers.push(commit.clone());
        headers.extend(placed(&row.place));
        Record {
            topic: topic.clone(),
            timestamp_us: row.timestamp_us,
            key: Some(row.key.clone().into_bytes()),
            value: row.value.clone(),
            headers,
        }
    })
}

/// Late rows, by their places: the untouched key and bytes of their records.
fn late<'o>(topic: &str, output: &'o EpochOutput<'_>) -> impl Iterator<Item = Record> + use<'o> {
    let mut rows: Vec<_> = output.late.iter().collect();
    rows.sort_by_key(|row| (&row.place, row.row, &row.window));
    let (topic, timestamp_us, origin) = (topic.to_owned(), output.clock_us, origin(output));
    rows.into_iter().map(move |row| {
        let mut headers = origin.clone();
        headers.extend(placed(&row.place));
        headers.extend([
            header("tallow.row", row.row),
            header("tallow.window", &row.window),
            header("tallow.reason-kind", "late"),
            header("tallow.event-time-us", row.event_time_us),
            header("tallow.watermark-us", row.watermark_us),
        ]);
        Record { topic: topic.clone(), timestamp_us, key: row.key.clone(), value: row.value.clone(), headers }
    })
}

/// Dead letters, by their places: the untouched key, bytes and headers of their records, then what became of them.
fn dead<'o>(topic: &str, output: &'o EpochOutput<'_>) -> impl Iterator<Item = Record> + use<'o> {
    let mut letters: Vec<_> = output.dead.iter().collect();
    letters.sort_by_key(|letter| (&letter.place, letter.row, &letter.window, letter.kind, &letter.reason));
    let (topic, timestamp_us, origin) = (topic.to_owned(), output.clock_us, origin(output));
    letters.into_iter().map(move |letter| {
        let mut headers = letter.headers.clone();
        headers.extend(origin.clone());
        headers.extend(placed(&letter.place));
        headers.extend(letter.row.map(|row| header("tallow.row", row)));
        headers.extend(letter.window.as_ref().map(|window| header("tallow.window", window)));
        headers.push(header("tallow.reason-kind", letter.kind.as_str()));
        headers.push(header("tallow.reason", &letter.reason));
        Record {
            topic: topic.clone(),
            timestamp_us,
            key: letter.key.clone(),
            value: letter.value.clone(),
            headers,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Style;
    use serde_json::Value;
    use tallow_sink::WholeResult;
    use tallow_test_support::sink::{Variant, sample};

    fn settings() -> Settings {
        let topic = |topic: &str| WindowTopic {
            topic: topic.to_owned(),
            mode: Mode::Append,
            style: Style::default(),
        };
        Settings {
            windows: [("1m".to_owned(), topic("minutes")), ("1d".to_owned(), topic("days"))].into(),
            late: Some("late".to_owned()),
            dead: Some("dead".to_owned()),
            rekeyed: Some("rekeyed".to_owned()),
        }
    }

    fn of(topic: &str) -> Vec<Record> {
        let records = records(&settings(), &sample(7, Variant::First)).unwrap();
        records.into_iter().filter(|record| record.topic == topic).collect()
    }

    fn text(bytes: &Option<Vec<u8>>) -> String {
        String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned()
    }

    #[test]
    fn candles_go_out_by_start_and_key_with_what_made_them() {
        let minutes = of("minutes");
        assert_eq!(minutes.len(), 9);
        // The second table is of the minute before.
        let keys: Vec<String> = minutes.iter().map(|record| text(&record.key)).collect();
        assert_eq!(keys[1..4], ["BTCUSDT", "a\0b", &"x".repeat(4096)][..]);
        assert_eq!(keys[4..7], ["%2e%2e", "../../x", "ETHUSDT"]);
        let first = &minutes[1];
        for (name, value) in [
            (COMMIT, "c1a9/3/7"),
            ("tallow.pipeline", "trades"),
            ("tallow.window", "1m"),
            ("tallow.state", "closed"),
            ("tallow.window-start", "2024-08-08T23:59:00Z"),
            ("tallow.window-end", "2024-08-09T00:00:00Z"),
            ("tallow.revision", "0"),
        ] {
            assert_eq!(first.header(name), Some(value), "{name}");
        }
        assert!(first.header("tallow.functions").unwrap().contains(r#""parse":"#), "{first:?}");
        let value: Value = serde_json::from_slice(first.value.as_deref().unwrap()).unwrap();
        assert_eq!(
            (&value["symbol"], &value["window_start"]),
            (&"BTCUSDT".into(), &"2024-08-08T23:59:00Z".into())
        );
        assert_eq!(value["open"], "60123.12345678");
    }

    #[test]
    fn several_key_columns_make_an_object() {
        let keys: Vec<String> = of("days").iter().map(|record| text(&record.key)).collect();
        assert!(keys.contains(&r#"{"exchange":"b","symbol":"BTCUSDT"}"#.to_owned()), "{keys:?}");
    }

    #[test]
    fn late_rows_and_dead_letters_keep_every_byte_and_say_why() {
        let (output, dead) = (sample(7, Variant::First), of("dead"));
        assert_eq!((of("late").len(), dead.len()), (output.late.len(), output.dead.len()));
        for letter in &output.dead {
            let offset = letter.place.offset.to_string();
            let record = dead.iter().find(|it| it.header("tallow.offset") == Some(&offset)).unwrap();
            assert_eq!((&record.key, &record.value), (&letter.key, &letter.value), "{offset}");
            assert!(record.headers.starts_with(&letter.headers), "{offset}");
            assert_eq!(record.header("tallow.reason-kind"), Some(letter.kind.as_str()));
            assert_eq!(record.header("tallow.reason"), Some(letter.reason.as_str()));
            assert_eq!(
                (record.header("tallow.topic"), record.header("tallow.partition")),
                (Some("btc"), Some("0"))
            );
        }
        let late = &of("late")[0];
        assert_eq!(
            (late.header("tallow.window"), late.header("tallow.event-time-us")),
            (Some("1d"), Some("-1"))
        );
        assert_eq!(late.value.as_deref(), Some(&b"{}"[..]));
    }

    #[test]
    fn records_under_another_key_stay_in_order_as_they_came() {
        let (output, rekeyed) = (sample(7, Variant::First), of("rekeyed"));
        let keys: Vec<String> = rekeyed.iter().map(|record| text(&record.key)).collect();
        assert_eq!(keys, ["ETHUSDT", "BTCUSDT", "ETHUSDT"]);
        for (record, from) in rekeyed.iter().zip(&output.rekeyed) {
            assert_eq!((&record.value, record.timestamp_us), (&from.value, from.timestamp_us));
            assert!(record.headers.starts_with(&from.headers), "{record:?}");
            assert_eq!(record.header(COMMIT), Some("c1a9/3/7"));
            assert_eq!(record.header("tallow.offset"), Some(from.place.offset.to_string().as_str()));
        }
    }

    #[test]
    fn open_windows_go_to_topics_that_take_updates_alone() {
        let mut output = sample(7, Variant::First);
        output.open.push(output.closed[0].clone());
        output.repeated.push(output.closed[2].clone());
        let mut settings = settings();
        let count = |settings: &Settings, state: &str| {
            let records = records(settings, &output).unwrap();
            records.iter().filter(|record| record.header("tallow.state") == Some(state)).count()
        };
        let closed = count(&settings, "closed");
        assert_eq!(count(&settings, "open"), 0);
        settings.windows.get_mut("1m").unwrap().mode = Mode::Update;
        assert_eq!((count(&settings, "open"), count(&settings, "closed")), (5, closed + 4));
        // The whole result takes the place of what the epoch has.
        settings.windows.get_mut("1m").unwrap().mode = Mode::Complete;
        assert_eq!(count(&settings, "closed"), closed - 9);
        for (open, of) in [(true, 0), (false, 2)] {
            let rows = output.closed[of].1.clone();
            output.whole.push(WholeResult { window: "1m".to_owned(), open, rows });
        }
        let records = records(&settings, &output).unwrap();
        let count = |state: &str| {
            let of_state = records.iter().filter(|record| record.header("tallow.state") == Some(state));
            of_state.count()
        };
        assert_eq!((count("open"), count("closed")), (5, closed - 9 + 4));
    }

    #[test]
    fn what_no_topic_is_named_for_goes_nowhere() {
        let nothing = records(&Settings::default(), &sample(7, Variant::First)).unwrap();
        assert!(nothing.is_empty());
    }
}
