//! What is to be fetched: the tables and the stream's log against what is wanted.

use std::collections::BTreeMap;

use tallow_log::status::last_records;
use tallow_manifest::{Backfill, Shape};
use tallow_store::Store;
use tallow_table::wanted as served;

use super::Spans;
use super::coverage::{Grid, Windows, empty, needed};
use super::state::NoData;
use super::tables::{SpeedTable, whole_windows};
use crate::error::BackfillError;

/// What a run is asked for, beside the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// µs since 1970-01-01 UTC; `None` for where the manifest, or the table, begins.
    pub from_us: Option<i64>,
    /// `None` for now.
    pub to_us: Option<i64>,
    /// Empty: all.
    pub symbols: Vec<String>,
    /// Ask for what the exchange was said to have nothing of, too.
    pub again: bool,
    /// Only windows that the stream has closed, or passed over: what comes after, it may yet bring itself.
    pub behind_stream: bool,
}

/// What is to be fetched of one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The symbol as the lake has it, and as the exchange lists it.
    pub symbol: String,
    pub listed_as: String,
    /// By definition, in the manifest's order: windows that are missing or incomplete.
    pub windows: Vec<Spans>,
}

/// What is to be fetched of all symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub needs: Vec<Need>,
    /// From when on more is to be fetched: windows that have ended too short a while ago, µs.
    pub settles_us: Option<i64>,
}

/// The tables that a backfill fills, as they were read last.
pub struct Tables {
    pub grids: Vec<Grid>,
    pub speed: Vec<SpeedTable>,
    /// By definition, in the same order: tables that serve its windows.
    served: Vec<Vec<String>>,
}

impl Tables {
    pub fn new(backfill: &Backfill, served: &[(String, String)]) -> Self {
        let windows = &backfill.bars.windows;
        let grid = |window: &tallow_manifest::Window| match window.shape {
            Shape::Tumbling { size_us } => Grid { size_us: size_us as i64, offset_us: window.offset_us },
            // The manifest lets no other window be filled.
            Shape::Sliding { slide_us, .. } => Grid { size_us: slide_us as i64, offset_us: window.offset_us },
            Shape::Session { gap_us } => Grid { size_us: gap_us as i64, offset_us: 0 },
        };
        let table = |window: &tallow_manifest::Window| {
            SpeedTable::new(backfill.pipeline(), &window.name, &window.keys[0])
        };
        let served = |window: &tallow_manifest::Window| {
            let table = backfill.bars.table(window);
            served.iter().filter(|(speed, _)| *speed == table).map(|(_, serving)| serving.clone()).collect()
        };
        Self {
            grids: windows.iter().map(grid).collect(),
            speed: windows.iter().map(table).collect(),
            served: windows.iter().map(served).collect(),
        }
    }

    /// The shortest windows that have rows of a symbol, complete or not.
    pub fn traded(&self, symbol: &str) -> Spans {
        let tables = self.grids.iter().zip(&self.speed);
        let Some((grid, table)) = tables.min_by_key(|(grid, _)| grid.size_us) else {
            return Spans::default();
        };
        let windows = table.symbols().get(symbol).into_iter().flatten();
        windows.map(|(start_us, _)| (*start_us, start_us + grid.size_us)).collect()
    }

    /// Number of the next row of a window.
    pub fn next_revision(&self, definition: usize, symbol: &str, start_us: i64) -> i64 {
        let windows = self.speed[definition].symbols().get(symbol);
        // 0 is the stream's.
        windows.and_then(|windows| windows.get(&start_us)).map_or(1, |seen| seen.revision + 1)
    }
}

/// Looks at everything again.
pub fn survey(
    backfill: &Backfill,
    tables: &mut Tables,
    store: &Store,
    no_data: &NoData,
    wanted: &Wanted,
    now_us: i64,
) -> Result<Survey, BackfillError> {
    let from_us = wanted.from_us.or(backfill.from_us);
    for table in &mut tables.speed {
        table.refresh(store, from_us)?;
    }
    let stream = Stream::look(store, backfill.pipeline())?;
    // What has ended, and what of it has settled.
    let ended_us = match wanted.behind_stream {
        true => stream.watermark_us.unwrap_or(i64::MIN).min(now_us),
        false => now_us,
    };
    let ended_us = wanted.to_us.unwrap_or(i64::MAX).min(ended_us);
    let settled_us = ended_us.min(now_us.saturating_sub(backfill.settle_us));
    let mut survey = Survey::default();
    let none = Windows::new();
    let key = backfill.bars.windows.first().map_or("", |window| window.keys[0].as_str());
    let mut holes = Vec::new();
    for table in &tables.speed {
        holes.extend(served::read(store, table.folder())?);
    }
    for (symbol, listed_as) in symbols(backfill, tables, &holes, wanted)? {
        let mut windows = Vec::new();
        for ((grid, table), served) in tables.grids.iter().zip(&tables.speed).zip(&tables.served) {
            let nothing = match wanted.again {
                true => Spans::default(),
                false => no_data.since(&symbol, now_us.saturating_sub(backfill.ask_again_us)),
            };
            let seen = table.symbols().get(&symbol).unwrap_or(&none);
            let known = nothing.union(&stream.open(*grid)).union(&empty(*grid, seen));
            let elsewhere = whole_in(&backfill.covered_by, key, store, &symbol, *grid)?;
            let first_us =
                seen.keys().next().copied().into_iter().chain(elsewhere.hull().map(|hull| hull.0)).min();
            let served = whole_in(served, key, store, &symbol, *grid)?;
            let enough = known.union(&elsewhere).union(&served);
            let mut lacking = Spans::default();
            // What a served table misses, wherever this one begins.
            for hole in holes.iter().filter(|hole| hole.table == table.folder() && hole.key == symbol) {
                let to_us = hole.to_us.min(settled_us);
                lacking = lacking.union(&needed(*grid, seen, (hole.from_us, to_us), &enough));
            }
            let Some(from_us) = from_us.or(first_us) else {
                windows.push(lacking);
                continue;
            };
            windows.push(lacking.union(&needed(*grid, seen, (from_us, settled_us), &enough)));
            if !needed(*grid, seen, (from_us.max(settled_us), ended_us), &enough).is_empty() {
                let settles_us = grid.floor(ended_us).saturating_add(backfill.settle_us);
                survey.settles_us = Some(survey.settles_us.map_or(settles_us, |it| it.min(settles_us)));
            }
        }
        if windows.iter().any(|spans| !spans.is_empty()) {
            survey.needs.push(Need { symbol, listed_as, windows });
        }
    }
    Ok(survey)
}

/// What is fetched, by the lake's name and the exchange's.
fn symbols(
    backfill: &Backfill,
    tables: &Tables,
    holes: &[tallow_table::Wanted],
    wanted: &Wanted,
) -> Result<BTreeMap<String, String>, BackfillError> {
    let all: BTreeMap<String, String> = match &backfill.symbols {
        Some(symbols) => symbols.clone(),
        None => {
            let there = tables.speed.iter().flat_map(|table| table.symbols().keys());
            let missed = holes.iter().map(|hole| &hole.key);
            there
                .chain(missed)
                .chain(&wanted.symbols)
                .map(|symbol| (symbol.clone(), symbol.clone()))
                .collect()
        }
    };
    if wanted.symbols.is_empty() {
        return Ok(all);
    }
    let chosen = wanted.symbols.iter().map(|symbol| {
        let listed_as = all.get(symbol).cloned().ok_or_else(|| {
            let names: Vec<&str> = all.keys().map(String::as_str).collect();
            BackfillError::Usage(format!(
                "backfill `{}` does not fetch `{symbol}`; its `symbols` are {}",
                backfill.name,
                names.join(", ")
            ))
        })?;
        Ok((symbol.clone(), listed_as))
    });
    chosen.collect()
}

/// Windows of that size that stand whole in other tables.
fn whole_in(
    tables: &[String],
    key: &str,
    store: &Store,
    symbol: &str,
    grid: Grid,
) -> Result<Spans, BackfillError> {
    let mut spans = Vec::new();
    for table in tables {
        let windows = whole_windows(store, table, key, symbol)?;
        spans.extend(
            windows.into_iter().filter(|(from, to)| to - from == grid.size_us && grid.is_start(*from)),
        );
    }
    Ok(spans.into_iter().collect())
}

/// Where the stream stands, by its log.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    watermark_us: Option<i64>,
    newest_us: Option<i64>,
}

impl Stream {
    fn look(store: &Store, pipeline: &str) -> Result<Self, BackfillError> {
        let Some(record) = last_records(store, pipeline, 0, 1)?.into_iter().next() else {
            return Ok(Self::default());
        };
        let newest_us = record.state.partitions.iter().filter_map(|it| it.max_event_time_us).max();
        Ok(Self { watermark_us: record.state.watermark_us, newest_us })
    }

    /// The windows that it has open: it will close them itself, complete or not.
    fn open(&self, grid: Grid) -> Spans {
        let Some(newest_us) = self.newest_us else { return Spans::default() };
        let from_us = self.watermark_us.map_or(i64::MIN, |watermark_us| grid.floor(watermark_us));
        Spans::one(from_us, grid.floor(newest_us) + grid.size_us)
    }
}
