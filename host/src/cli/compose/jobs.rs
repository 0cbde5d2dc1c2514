//! The backfills and merges of the manifest, composed to run.

use std::sync::Arc;
use std::time::Duration;

use tallow_backfill::{BackfillError, Backfilling};
use tallow_engine::{Contract, Limits};
use tallow_env::Clock;
use tallow_http::{AllowList, Http, Origin};
use tallow_lake::partition::serving;
use tallow_log::owner;
use tallow_manifest::{self as manifest, Backfill, Batch, Manifest, Merge, Pipeline};
use tallow_merge::Merger;

use super::Host;
use super::pipelines::sinks;
use crate::cli::gate::{Admitted, OfBackfill, OfBatch};
use crate::cli::{Failure, settings};
use crate::merging::Merging;

/// A year of minutes of one symbol fits into it.
pub const MERGE_LIMITS: Limits =
    Limits { memory_bytes: 2 << 30, deadline: Duration::from_secs(120), output_bytes: 512 << 20 };

impl Host {
    /// A backfill and its exchange.
    pub fn backfilling(&self, manifest: &Manifest, backfill: &Backfill) -> Result<Backfilling, Failure> {
        let mut components = Vec::new();
        let mut card = |function: Admitted| {
            let (component, bytes, card) = self.carded(function);
            components.push((bytes, card));
            component
        };
        let stream = settings::pipelines(manifest, Some(backfill.pipeline()))?[0].clone();
        let OfBackfill { function, parse, window } =
            self.gate.of_backfill(manifest, &self.runtime, backfill)?;
        let (function, parse, window) = (card(function), card(parse), card(window));
        Ok(Backfilling::new(tallow_backfill::Services {
            function,
            parse,
            window,
            stream_parse: settings::component(manifest, &self.runtime, &stream.parse, Contract::Parse)?,
            library: self.library(),
            components,
            http: exchange(backfill, self.clock.clone())?,
            store: self.store.clone(),
            sinks: sinks(&self.store, &stream),
            clock: self.clock.clone(),
            random: self.random.clone(),
            progress: Arc::default(),
            stop: self.stop.clone(),
            served: served(manifest),
            backfill: backfill.clone(),
            stream,
        })?)
    }

    /// A batch of the manifest, whose progress is not watched.
    pub fn batch(&self, manifest: &Manifest, batch: &Batch) -> Result<tallow_batch::Services, Failure> {
        let OfBatch { parse, window, merge } = self.gate.of_batch(manifest, &self.runtime, batch)?;
        Ok(tallow_batch::Services {
            plan: tallow_batch::Plan::new(batch),
            parse: parse.component,
            window: window.component,
            merge: merge.component,
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            stop: self.stop.clone(),
            watch: Box::new(|_| {}),
        })
    }

    /// A merge of the manifest, ready to run.
    pub fn merger(&self, manifest: &Manifest, merge: &manifest::Merge) -> Result<Merger, Failure> {
        Ok(Merger {
            settings: merge_settings(merge),
            component: self.gate.of_merge(manifest, &self.runtime, merge, MERGE_LIMITS)?.component,
            limits: MERGE_LIMITS,
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            owner: owner::name(),
        })
    }

    /// The merges that run by themselves and take a window of these pipelines.
    pub fn merging(&self, manifest: &Manifest, pipelines: &[&Pipeline]) -> Result<Merging, Failure> {
        let merges: Vec<&Merge> = manifest.automatic_merges(pipelines).collect();
        let mergers =
            merges.iter().map(|merge| self.merger(manifest, merge)).collect::<Result<Vec<_>, _>>()?;
        Ok(Merging::new(mergers, self.forecasting(manifest, &merges)?))
    }
}

/// By name of a speed table: the tables that serve its windows.
fn served(manifest: &Manifest) -> Vec<(String, String)> {
    let merges = manifest.merges.iter();
    merges.filter_map(|merge| Some((merge.speed.clone()?, serving(&merge.name)))).collect()
}

/// A client that talks to the hosts of a backfill, and to no others.
fn exchange(backfill: &Backfill, clock: Arc<dyn Clock>) -> Result<Arc<dyn Http>, Failure> {
    let wrong = |what: String| Failure::usage(format!("backfill `{}`: {what}", backfill.name));
    let url = url::Url::parse(&backfill.base_url).map_err(|why| wrong(format!("base-url: {why}")))?;
    let base = Origin::of(&url).map_err(Failure::usage)?;
    let mut allow = match backfill.internal {
        true => AllowList::default().internal(base),
        false => AllowList::default().public(base),
    };
    for host in &backfill.hosts {
        let origin: Origin = host.parse().map_err(|why| wrong(format!("host `{host}`: {why}")))?;
        allow = allow.public(origin);
    }
    let asking = backfill.asking;
    let limits = tallow_http::Limits {
        whole: asking.timeout,
        body_bytes: asking.body_bytes,
        ..tallow_http::Limits::default()
    };
    Ok(Arc::new(tallow_http::client(allow, limits, clock).map_err(BackfillError::from)?))
}

pub fn merge_settings(merge: &manifest::Merge) -> tallow_merge::Settings {
    let averages = merge.averages.as_ref().map(|averages| {
        averages.iter().map(|it| (it.name.clone(), it.column.clone(), it.length)).collect::<Vec<_>>()
    });
    tallow_merge::Settings {
        name: merge.name.clone(),
        batch: merge.batch.clone(),
        speed: merge.speed.clone(),
        key: merge.key.clone(),
        step_us: merge.step_us,
        fill: merge.fill,
        carry: merge.carry.clone(),
        zero: merge.zero.clone(),
        averages,
        prophet: merge.prophet.clone(),
        heal: merge.heal,
        keep_backups: merge.keep_backups,
        speed_retention_us: merge.speed_retention.map(|age| age.as_micros() as i64),
    }
}
