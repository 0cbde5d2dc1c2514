//! The functions of a pipeline, a batch, a backfill and a merge: do they fit each other and the manifest, and do they keep
//! to the rules?

use std::borrow::Cow;

use tallow_engine::{
    BackfillFunction, BackfillOptions, CallError, ColumnInfo, Contract, Limits, ParseDescription,
    ParseFunction, ParseOptions, Runtime, Spec,
};
use tallow_manifest::{Backfill, Batch, DEFAULT_SCALE, Manifest, Merge, Mistake, Pipeline, Window, key_path};
use tallow_vet::Description;
use tallow_worker::WorkerError;

use super::{Admitted, Gate, Opened, Use};
use crate::cli::Failure;
use crate::fit::{self, Computes, Misfit, Parse};

use tallow_worker::plan::{Mode, Plan};

const PIPELINE: &str = "pipeline";

/// The functions of a pipeline.
pub struct OfPipeline {
    pub parse: Admitted,
    pub window: Admitted,
    pub wants_headers: bool,
}

pub struct OfBatch {
    pub parse: Admitted,
    pub window: Admitted,
    pub merge: Admitted,
}

pub struct OfBackfill {
    pub function: Admitted,
    pub parse: Admitted,
    pub window: Admitted,
}

/// Windows and what computes them, as a pipeline, a batch or a backfill has them.
struct Asked<'a> {
    /// Of the job: `pipeline`, `batch` or `backfill`.
    kind: &'static str,
    name: &'a str,
    windows: &'a [Window],
    specs: &'a [Spec],
    options: &'a ParseOptions,
    scale: &'a dyn Fn(&str) -> u8,
    limits: Limits,
}

impl Gate {
    pub fn of_pipeline(
        &self,
        manifest: &Manifest,
        runtime: &Runtime,
        pipeline: &Pipeline,
    ) -> Result<OfPipeline, Failure> {
        let parse = self.open(manifest, runtime, &pipeline.parse, Contract::Parse)?;
        let window = self.open(manifest, runtime, pipeline.window_function(), Contract::Window)?;
        self.of_opened(manifest, pipeline, parse, window)
    }

    /// The functions of a pipeline, if they fit it and each other.
    pub(super) fn of_opened(
        &self,
        manifest: &Manifest,
        pipeline: &Pipeline,
        parse: Opened,
        window: Opened,
    ) -> Result<OfPipeline, Failure> {
        let plan = Plan::new(pipeline, Mode::default());
        let scale = |column: &str| pipeline.scale(column);
        let asked = Asked::of(PIPELINE, &pipeline.id, &plan, &scale);
        let wants_headers = described(&parse, &asked)?.wants_headers;
        let (parse, window) = self.pair(manifest, &asked, parse, window)?;
        Ok(OfPipeline { parse, window, wants_headers })
    }

    pub fn of_batch(
        &self,
        manifest: &Manifest,
        runtime: &Runtime,
        batch: &Batch,
    ) -> Result<OfBatch, Failure> {
        let plan = tallow_batch::Plan::new(batch);
        let parse = self.open(manifest, runtime, &batch.parse, Contract::Parse)?;
        let window = self.open(manifest, runtime, &batch.window.function, Contract::Window)?;
        let merge = self.open(manifest, runtime, &batch.merge, Contract::Merge)?;
        let asked = Asked {
            kind: "batch",
            name: &batch.name,
            windows: std::slice::from_ref(&batch.window),
            specs: std::slice::from_ref(&plan.spec),
            options: &plan.options,
            scale: &|column| batch.scales.get(column).copied().unwrap_or(DEFAULT_SCALE),
            limits: plan.limits,
        };
        let (parse, window) = self.pair(manifest, &asked, parse, window)?;
        let merge = self.admit(merge, Use { limits: plan.limits, ..Use::default() })?;
        Ok(OfBatch { parse, window, merge })
    }

    pub fn of_backfill(
        &self,
        manifest: &Manifest,
        runtime: &Runtime,
        backfill: &Backfill,
    ) -> Result<OfBackfill, Failure> {
        let bars = &backfill.bars;
        let plan = Plan::new(bars, Mode::default());
        let function = self.open(manifest, runtime, &backfill.function, Contract::Backfill)?;
        let parse = self.open(manifest, runtime, &bars.parse, Contract::Parse)?;
        let window = self.open(manifest, runtime, bars.window_function(), Contract::Window)?;
        takes_settings(backfill, &function, plan.limits)?;
        let scale = |column: &str| bars.scale(column);
        let asked = Asked::of("backfill", &backfill.name, &plan, &scale);
        let (parse, window) = self.pair(manifest, &asked, parse, window)?;
        let function = self.admit(function, Use { limits: plan.limits, ..Use::default() })?;
        Ok(OfBackfill { function, parse, window })
    }

    pub fn of_merge(
        &self,
        manifest: &Manifest,
        runtime: &Runtime,
        merge: &Merge,
        limits: Limits,
    ) -> Result<Admitted, Failure> {
        let function = self.open(manifest, runtime, &merge.function, Contract::Merge)?;
        self.admit(function, Use { limits, ..Use::default() })
    }

    pub fn of_forecast(
        &self,
        manifest: &Manifest,
        runtime: &Runtime,
        function: &str,
        limits: Limits,
    ) -> Result<Admitted, Failure> {
        let function = self.open(manifest, runtime, function, Contract::Forecast)?;
        self.admit(function, Use { limits, ..Use::default() })
    }

    /// A parse function and a window function that fit each other.
    fn pair(
        &self,
        manifest: &Manifest,
        asked: &Asked<'_>,
        parse: Opened,
        window: Opened,
    ) -> Result<(Admitted, Admitted), Failure> {
        fits(manifest, asked, &parse, &window)?;
        takes_options(manifest, asked, &parse)?;
        let Asked { options, specs, limits, .. } = *asked;
        let columns: Vec<ColumnInfo> = described(&parse, asked)?.columns.clone();
        let parse = self.admit(parse, Use { limits, options: Some(options), ..Use::default() })?;
        let window = self.admit(window, Use { limits, specs, columns: &columns, ..Use::default() })?;
        Ok((parse, window))
    }
}

impl<'a> Asked<'a> {
    fn of(kind: &'static str, name: &'a str, plan: &'a Plan, scale: &'a dyn Fn(&str) -> u8) -> Self {
        let (specs, options, limits) = (&plan.specs, &plan.parse_options, plan.limits);
        Self { kind, name, windows: &plan.pipeline.windows, specs, options, scale, limits }
    }

    /// The path of the job's table in the manifest.
    fn table(&self) -> String {
        match self.kind {
            PIPELINE => format!("trigger.kafka[{}]", self.name),
            kind => key_path(&format!("application.trigger.kafka.{kind}"), self.name),
        }
    }

    /// A function that reads any message has to be told what these hold.
    fn without_schema(&self, parse: &str) -> Mistake {
        let (key, where_) = match self.kind {
            PIPELINE => ("schema", "[trigger.kafka.schema]"),
            _ => ("parse-settings", "the setting `schema`, as JSON"),
        };
        let problem = format!("`{parse}` makes rows by a schema of the messages: state it in {where_}");
        Mistake { key: format!("{}.{key}", self.table()), problem }
    }

    fn mistake(&self, Misfit { window, key, problem }: Misfit) -> Mistake {
        let of_window = if self.kind == PIPELINE { format!(".windows[{window}]") } else { String::new() };
        Mistake { key: format!("{}{of_window}.{key}", self.table()), problem }
    }
}

/// What a parse function makes with the job's settings.
fn described<'p>(parse: &'p Opened, asked: &Asked<'_>) -> Result<Cow<'p, ParseDescription>, Failure> {
    match parse.description() {
        Description::Parse(description) => Ok(description.with_settings(&asked.options.settings)),
        _ => Err(parse.failure("it is not a parse function")),
    }
}

fn fits(manifest: &Manifest, asked: &Asked<'_>, parse: &Opened, window: &Opened) -> Result<(), Failure> {
    let description = &*described(parse, asked)?;
    if description.columns.is_empty() {
        return Err(Failure::usage(manifest.mistakes(vec![asked.without_schema(&parse.name)])));
    }
    let it = Parse { name: &parse.name, description };
    let mut misfits = fit::names(asked.windows, it);
    if misfits.is_empty() {
        let computes = Computes { component: window.component(), limits: asked.limits, scale: asked.scale };
        misfits = fit::types(asked.windows, asked.specs, it, computes)
            .map_err(|error| called(asked, &window.name, "open", &error))?;
    }
    if misfits.is_empty() {
        return Ok(());
    }
    let mistakes = misfits.into_iter().map(|it| asked.mistake(it)).collect();
    Err(Failure::usage(manifest.mistakes(mistakes)))
}

/// An empty batch is refused where the options are: by now the settings alone can be wrong.
fn takes_options(manifest: &Manifest, asked: &Asked<'_>, parse: &Opened) -> Result<(), Failure> {
    let taken = ParseFunction::new(parse.component(), asked.limits, asked.options.clone())
        .and_then(|mut function| function.parse(&mut tallow_record::Batch::default()));
    match taken {
        Ok(_) => Ok(()),
        Err(CallError::Refused(problem)) => {
            let key = key_path(&asked.table(), "parse-settings");
            Err(Failure::usage(manifest.mistakes(vec![Mistake { key, problem }])))
        }
        Err(error) => Err(called(asked, &parse.name, "parse", &error)),
    }
}

/// Nothing is wanted: it is refused where the interval or the settings are.
fn takes_settings(backfill: &Backfill, function: &Opened, limits: Limits) -> Result<(), Failure> {
    let options = BackfillOptions {
        symbol: String::new(),
        listed_as: String::new(),
        interval_us: backfill.interval_us,
        settings: backfill.settings.clone().into_iter().collect(),
    };
    BackfillFunction::new(function.component(), limits)
        .and_then(|mut it| it.plan(&options, &[], &[]))
        .map(drop)
        .map_err(|error| {
            let name = &backfill.name;
            Failure::usage(format!("backfill `{name}`, function `{}`: {error}", function.name))
        })
}

/// A gateway that does not answer is no mistake of the manifest's.
fn called(asked: &Asked<'_>, function: &str, call: &'static str, error: &CallError) -> Failure {
    if let CallError::Remote(_) = error {
        return WorkerError::of_call(function.to_owned(), call, error).into();
    }
    Failure::usage(format!("{} `{}`, function `{function}`: {error}", asked.kind, asked.name))
}
