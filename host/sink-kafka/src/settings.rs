//! Which results go to which topics.

use std::collections::BTreeMap;

/// What the manifest asks of a pipeline's topics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// By window.
    pub windows: BTreeMap<String, WindowTopic>,
    /// Records under another key, as they came.
    pub rekeyed: Option<String>,
    /// Late rows, as they came.
    pub late: Option<String>,
    /// Rejected and set-aside records, as they came.
    pub dead: Option<String>,
}

/// Where a window's candles go, and how they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowTopic {
    pub topic: String,
    pub mode: Mode,
    pub style: Style,
}

/// Which rows of a window go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Windows that close.
    #[default]
    Append,
    /// Open windows that change, too.
    Update,
    /// All windows, whenever one changes or closes.
    Complete,
}

/// How values are written as JSON, where there is a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    pub decimals: Decimals,
    pub times: Times,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decimals {
    /// `"60123.10"`: every reader keeps all digits.
    #[default]
    Text,
    /// `60123.10`: most readers make a double of it.
    Number,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// RFC 3339 in UTC.
    #[default]
    Text,
    /// Whole milliseconds since 1970-01-01 UTC, rounded down.
    Millis,
}

impl Settings {
    /// Whether nothing goes to any topic.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every topic that gets results, each once.
    pub fn topics(&self) -> Vec<String> {
        let windows = self.windows.values().map(|window| &window.topic);
        let mut topics: Vec<String> =
            windows.chain(&self.rekeyed).chain(&self.late).chain(&self.dead).cloned().collect();
        topics.sort();
        topics.dedup();
        topics
    }
}
