//! What becomes of a pipeline's state when its windows change between two starts: what is carried over, what begins, and
//! what cannot be, in the words of the manifest. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::pipeline::Pipeline;
use crate::units;
use crate::window::{Shape, Window};

/// A column of every window's candles, and no aggregate's name.
pub const COMPLETE: &str = "complete";

/// A window as state was made with it: what a log record keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub window: Window,
    /// Decimal places of the columns that it reads.
    pub scales: BTreeMap<String, u8>,
    /// Columns that came later than the pipeline's first record: each is known of windows that start there or after, µs.
    /// Aggregates are named; `complete` means a window that was added as a whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub since_us: BTreeMap<String, i64>,
}

impl Kept {
    /// What a log record keeps of windows. `None` if another version of this program wrote it, in other words.
    pub fn read(recorded: &serde_json::Value) -> Option<Vec<Kept>> {
        match recorded.is_null() {
            true => Some(Vec::new()),
            false => serde_json::from_value(recorded.clone()).ok(),
        }
    }

    /// Windows as a log record keeps them.
    pub fn write(windows: &[Kept]) -> serde_json::Value {
        serde_json::to_value(windows).unwrap_or_default()
    }
}

/// What a start does with the windows of the record before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The manifest's windows, as the next record keeps them.
    pub windows: Vec<Kept>,
    /// Windows that begin without state.
    pub added: Vec<String>,
    /// Aggregates that are new, by window.
    pub widened: Vec<(String, Vec<String>)>,
    /// Windows that the manifest no longer has.
    pub gone: Vec<String>,
}

impl Pipeline {
    /// The windows as they are kept where there was no state before.
    pub fn kept(&self) -> Vec<Kept> {
        let kept = |window: &Window| Kept {
            scales: window.columns().into_iter().map(|it| (it.to_owned(), self.scale(it))).collect(),
            window: window.clone(),
            since_us: BTreeMap::new(),
        };
        self.windows.iter().map(kept).collect()
    }

    /// The pipeline as it was when these were its windows.
    #[must_use]
    pub fn with_windows(&self, windows: &[Kept]) -> Pipeline {
        let mut pipeline = self.clone();
        pipeline.windows = windows.iter().map(|kept| kept.window.clone()).collect();
        for window in &mut pipeline.windows {
            // The log does not keep these. A window that is gone is taken to have had what another one has.
            let now = self.windows.iter().find(|now| now.name == window.name);
            window.kafka = now.and_then(|now| now.kafka.clone());
            if let Some(now) = now.or(self.windows.first()) {
                (window.on_untracked, window.keep_ids_us) = (now.on_untracked, now.keep_ids_us);
            }
        }
        pipeline.scales.extend(windows.iter().flat_map(|kept| kept.scales.clone()));
        pipeline
    }

    /// What becomes of state that was made with `before`. `newest_us`: the newest event time that was taken; rows after it
    /// are seen by what is new.
    ///
    /// # Errors
    /// What cannot be carried over, each with the keys of the manifest.
    pub fn succeed(&self, before: &[Kept], newest_us: Option<i64>) -> Result<Succession, Vec<String>> {
        let mut next = Succession { windows: self.kept(), added: vec![], widened: vec![], gone: vec![] };
        let mut refused = Vec::new();
        for kept in &mut next.windows {
            let name = kept.window.name.clone();
            let Some(old) = before.iter().find(|old| old.window.name == name) else {
                if !before.is_empty()
                    && let Some(newest_us) = newest_us
                {
                    kept.since_us.insert(COMPLETE.to_owned(), newest_us.saturating_add(1));
                }
                next.added.push(name);
                continue;
            };
            refused.extend(changes(old, kept).into_iter().map(|change| format!("window `{name}`: {change}")));
            let new = new_aggregates(&old.window, &kept.window);
            kept.since_us = old.since_us.clone();
            if let Some(newest_us) = newest_us {
                kept.since_us.extend(new.iter().map(|name| (name.clone(), newest_us.saturating_add(1))));
            }
            if !new.is_empty() {
                next.widened.push((name, new));
            }
        }
        let names: BTreeSet<&str> = self.windows.iter().map(|window| window.name.as_str()).collect();
        let gone = before.iter().filter(|old| !names.contains(old.window.name.as_str()));
        next.gone = gone.map(|old| old.window.name.clone()).collect();
        if refused.is_empty() { Ok(next) } else { Err(refused) }
    }
}

fn new_aggregates(old: &Window, new: &Window) -> Vec<String> {
    let known = |it: &&Aggregate| !old.aggregates.iter().any(|old| old.name == it.name);
    new.aggregates.iter().filter(known).map(|it| it.name.clone()).collect()
}

/// What of a window is another one now: state cannot be read as that.
fn changes(old: &Kept, new: &Kept) -> Vec<String> {
    let mut changes = Vec::new();
    let mut compare = |key: &str, was: String, is: String| {
        if was != is {
            changes.push(format!("`{key}` was {was} and is {is}"));
        }
    };
    let (was, is) = (&old.window, &new.window);
    let shapes = [shape(was.shape), shape(is.shape)];
    match shapes[0].0 == shapes[1].0 {
        true => compare(shapes[0].0, shapes[0].1.clone(), shapes[1].1.clone()),
        false => compare("shape", as_key(&shapes[0]), as_key(&shapes[1])),
    }
    compare("offset", signed(was.offset_us), signed(is.offset_us));
    compare("kinds", sorted(&was.kinds), sorted(&is.kinds));
    compare("keys", list(&was.keys), list(&is.keys));
    compare("time", quoted(&was.time), quoted(&is.time));
    compare("ids", ids(was), ids(is));
    compare("latest-by", optional(&was.latest_by), optional(&is.latest_by));
    for aggregate in &was.aggregates {
        let now = is.aggregates.iter().find(|it| it.name == aggregate.name);
        let now = now.map_or_else(|| "not there".to_owned(), |now| quoted(&now.expression()));
        compare(&format!("aggregates.{}", aggregate.name), quoted(&aggregate.expression()), now);
    }
    for (column, scale) in &old.scales {
        if let Some(now) = new.scales.get(column) {
            compare(&format!("scales.{column}"), scale.to_string(), now.to_string());
        }
    }
    changes
}

fn shape(shape: Shape) -> (&'static str, String) {
    let length = |us| quoted(&units::show_duration(us));
    match shape {
        Shape::Tumbling { size_us } => ("tumbling", length(size_us)),
        Shape::Sliding { size_us, slide_us } => {
            ("sliding", format!("{{ size = {}, slide = {} }}", length(size_us), length(slide_us)))
        }
        Shape::Session { gap_us } => ("session", length(gap_us)),
    }
}

fn as_key((key, value): &(&'static str, String)) -> String {
    format!("`{key} = {value}`")
}

fn signed(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    quoted(&format!("{sign}{}", units::show_duration(us.unsigned_abs())))
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn list(items: &[String]) -> String {
    format!("{items:?}")
}

fn sorted(items: &[String]) -> String {
    let mut items = items.to_vec();
    items.sort();
    list(&items)
}

fn optional(column: &Option<String>) -> String {
    column.as_deref().map_or_else(|| "absent".to_owned(), quoted)
}

fn ids(window: &Window) -> String {
    match &window.ids {
        None => "absent".to_owned(),
        Some(ids) if ids.first == ids.last => quoted(&ids.first),
        Some(ids) => format!("{{ first = {:?}, last = {:?} }}", ids.first, ids.last),
    }
}
