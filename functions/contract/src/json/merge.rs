//! What a merge function is given, and the gaps that it finds.

use serde::{Deserialize, Serialize};

use super::{ColumnInfo, Row, Span, Time, from_rows};
use crate::Refusal;
use crate::merge::{self, Lack, Source};

/// A table: `{"columns": […], "rows": […]}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub columns: Vec<ColumnInfo>,
    pub rows: Vec<Row>,
}

impl Table {
    /// # Errors
    /// As [`from_rows`].
    pub fn read(&self) -> Result<crate::Table, Refusal> {
        from_rows(&self.columns, &self.rows, &[])
    }
}

/// Rows of one key from one place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    source: Source,
    /// `None`: those of all inputs apply.
    columns: Option<Vec<ColumnInfo>>,
    rows: Vec<Row>,
    covers: Option<Span>,
}

impl Input {
    /// `columns`: those of an input without its own.
    ///
    /// # Errors
    /// As [`from_rows`], or the input has no columns.
    pub fn read(&self, columns: Option<&[ColumnInfo]>) -> Result<merge::Input, Refusal> {
        let columns = self.columns.as_deref().or(columns).ok_or("missing field `columns`")?;
        Ok(merge::Input {
            source: self.source,
            table: from_rows(columns, &self.rows, &[])?,
            covers: self.covers.map(Into::into),
        })
    }
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    keys: Vec<String>,
    step_us: u64,
    #[serde(default)]
    fill: bool,
    #[serde(alias = "until_us")]
    until: Option<Time>,
    #[serde(default)]
    carried: Vec<String>,
    #[serde(default)]
    zeroed: Vec<String>,
    /// Each `{"name": …, "column": …, "length": …}`, or a list of these three.
    #[serde(default)]
    averages: Vec<merge::Average>,
}

impl From<Settings> for merge::Settings {
    fn from(settings: Settings) -> Self {
        Self {
            keys: settings.keys,
            step_us: settings.step_us,
            fill: settings.fill,
            until_us: settings.until.map(|Time(until_us)| until_us),
            carried: settings.carried,
            zeroed: settings.zeroed,
            averages: settings.averages,
        }
    }
}

/// Consecutive windows without a complete row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    lack: Lack,
    #[serde(alias = "from_us")]
    from: Time,
    #[serde(alias = "to_us")]
    to: Time,
    windows: u64,
}

impl From<merge::Gap> for Gap {
    fn from(gap: merge::Gap) -> Self {
        let merge::Range { from_us, to_us } = gap.span;
        Self { lack: gap.lack, from: Time(from_us), to: Time(to_us), windows: gap.windows }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_may_have_times_as_text_and_averages_by_name() {
        let of = |value| merge::Settings::from(serde_json::from_value::<Settings>(value).unwrap());
        let short = json!({"keys": ["symbol"], "step_us": 60, "until_us": 86_400_000_000_i64, "averages": [["ma", "close", 7]]});
        let long = json!({"keys": ["symbol"], "step_us": 60, "until": "1970-01-02",
            "averages": [{"name": "ma", "column": "close", "length": 7}]});
        assert_eq!(of(short), of(long));
    }

    #[test]
    fn a_gap_is_read_in_microseconds_too() {
        let micros: Gap = serde_json::from_value(
            json!({"lack": "missing", "from_us": 0, "to_us": 60_000_000, "windows": 1}),
        )
        .unwrap();
        let written = json!({"lack": "missing", "from": "1970-01-01T00:00:00Z", "to": "1970-01-01T00:01:00Z", "windows": 1});
        assert_eq!(json!(micros), written);
    }

    #[test]
    fn an_input_may_have_its_own_columns() {
        let read = |value, columns: Option<&[ColumnInfo]>| {
            serde_json::from_value::<Input>(value).unwrap().read(columns)
        };
        let all = [ColumnInfo { name: "a".into(), column_type: crate::ColumnType::Int64, scale: None }];
        let bare = json!({"source": "speed", "rows": [{"a": 1}], "covers": [0, 5]});
        let input = read(bare.clone(), Some(&all)).unwrap();
        assert_eq!((input.source, input.table.columns[0].name.as_str()), (Source::Speed, "a"));
        assert_eq!(input.covers, Some(merge::Range { from_us: 0, to_us: 5 }));
        assert_eq!(read(bare, None).unwrap_err().to_string(), "missing field `columns`");
    }
}
