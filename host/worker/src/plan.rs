//! A pipeline of the manifest, in the contracts' types.

use std::time::Duration;

use tallow_engine::{
    Aggregate, Fill, IdColumns, Limits, ParseOptions, Shape, Sliding, Spec, WantedColumn, latest,
};
use tallow_manifest as manifest;

use crate::parse::ParseSettings;

/// What the stages of a pipeline go by. Nothing in it changes while it runs.
pub struct Plan {
    pub pipeline: manifest::Pipeline,
    pub specs: Vec<Spec>,
    pub parse_options: ParseOptions,
    /// Event-time column of all windows.
    pub time: String,
    pub window_function: String,
    pub on_reject: manifest::OnReject,
    pub limits: Limits,
    pub parse_workers: usize,
    /// Publish open windows once the source is drained.
    pub close_all: bool,
    /// Drain what the topics hold, then stop.
    pub available_now: bool,
    /// Windows whose state may be lost, as the manifest does not have them any more.
    pub drop_windows: Vec<String>,
}

/// How a run was asked for, beside the manifest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    pub available_now: bool,
    pub close_all: bool,
}

impl Plan {
    pub fn new(pipeline: &manifest::Pipeline, mode: Mode) -> Self {
        let with_ids = pipeline.windows.iter().filter(|window| window.ids.is_some()).count() as u64;
        let ids_bytes = ids_bytes(&pipeline.limits) / with_ids.max(1);
        let specs: Vec<Spec> = pipeline.windows.iter().map(|window| spec(window, ids_bytes)).collect();
        let columns = pipeline.wanted_columns().into_iter();
        let parse_options = ParseOptions {
            kinds: pipeline.kinds(),
            columns: columns.map(|it| WantedColumn { name: it.name, scale: it.scale }).collect(),
            settings: pipeline.parse_settings.clone().into_iter().collect(),
        };
        Self {
            specs,
            parse_options,
            time: pipeline.time().to_owned(),
            window_function: pipeline.window_function().to_owned(),
            on_reject: pipeline.on_reject,
            limits: limits(&pipeline.limits),
            parse_workers: pipeline.parse_workers.unwrap_or_else(processors),
            close_all: mode.close_all,
            available_now: mode.available_now,
            drop_windows: Vec::new(),
            pipeline: pipeline.clone(),
        }
    }

    pub fn name(&self) -> &str {
        &self.pipeline.id
    }

    /// Whether any window goes out while it is open.
    pub fn updates(&self) -> bool {
        self.pipeline.windows.iter().any(|window| self.pipeline.updates(&window.name))
    }
}

pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

pub fn limits(limits: &manifest::Limits) -> Limits {
    Limits {
        memory_bytes: limits.memory_bytes,
        deadline: Duration::from_micros(limits.deadline.as_micros() as u64),
        output_bytes: limits.output_bytes,
    }
}

/// What the scattered ids of all windows may take: a quarter of the memory. They take up to twice what is counted, and
/// panes and keys need room too.
pub fn ids_bytes(limits: &manifest::Limits) -> u64 {
    limits.memory_bytes / 4
}

/// `ids_bytes`: what the scattered ids of this window may take.
pub fn spec(window: &manifest::Window, ids_bytes: u64) -> Spec {
    let ids = window.ids.as_ref().map(|ids| IdColumns {
        first: ids.first.clone(),
        last: ids.last.clone(),
        max_bytes: ids_bytes,
        halt: window.on_untracked == manifest::OnUntracked::Halt,
        silence_us: window.keep_ids_us,
    });
    let aggregates = window.aggregates.iter().map(aggregate);
    let latest = window.latest_by.as_deref().map(latest::aggregate);
    Spec {
        name: window.name.clone(),
        kinds: window.kinds.clone(),
        keys: window.keys.clone(),
        time: window.time.clone(),
        ids,
        shape: match window.shape {
            manifest::Shape::Tumbling { size_us } => Shape::Tumbling(size_us),
            manifest::Shape::Sliding { size_us, slide_us } => Shape::Sliding(Sliding { size_us, slide_us }),
            manifest::Shape::Session { gap_us } => Shape::Session(gap_us),
        },
        offset_us: window.offset_us,
        aggregates: aggregates.chain(fill(window)).chain(latest).collect(),
    }
}

/// What asks for empty windows.
fn fill(window: &manifest::Window) -> Option<Aggregate> {
    let manifest::Fill { with, for_us, keep_us } = window.fill?;
    Some(Fill { with, for_us, keep_us }.aggregate())
}

fn aggregate(aggregate: &manifest::Aggregate) -> Aggregate {
    Aggregate {
        name: aggregate.name.clone(),
        operation: aggregate.operation,
        column: aggregate.column.clone(),
        by: aggregate.by.clone(),
    }
}

/// What the parse workers of a pipeline go by.
pub fn parse_settings(plan: &Plan) -> ParseSettings {
    ParseSettings {
        limits: plan.limits,
        options: plan.parse_options.clone(),
        time: plan.time.clone(),
        max_future_us: plan.pipeline.max_future_us,
        keeps_batches: plan.pipeline.archive,
    }
}
