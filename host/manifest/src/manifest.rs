//! The whole manifest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::backfill::Backfill;
use crate::batch::Batch;
use crate::cluster::Cluster;
use crate::component::Component;
use crate::error::{Errors, Report};
use crate::feed::Feed;
use crate::forecast::Forecast;
use crate::function::Vetting;
use crate::merge::Merge;
use crate::pipeline::Pipeline;
use crate::places::{Mistake, Places};
use crate::secret::Secrets;

/// A manifest in which nothing is left to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The file as the caller named it.
    pub path: PathBuf,
    pub application: Application,
    pub kafka: Cluster,
    /// In the order of the manifest; at least one.
    pub pipelines: Vec<Pipeline>,
    /// In the order of the manifest.
    pub backfills: Vec<Backfill>,
    /// In the order of the manifest.
    pub feeds: Vec<Feed>,
    /// By name.
    pub batches: Vec<Batch>,
    /// By name.
    pub merges: Vec<Merge>,
    /// By name.
    pub forecasts: Vec<Forecast>,
    /// Every component of the manifest by name, those of other triggers too.
    pub components: BTreeMap<String, Component>,
    /// How each of them is vetted, by name.
    pub vetting: BTreeMap<String, Vetting>,
    /// Types of the triggers that are not ours (`http`, `redis` …): they are Spin's to run.
    pub skipped_triggers: Vec<String>,
    /// Every value that must not be shown.
    pub secrets: Secrets,
    /// Where its keys are written.
    pub places: Places,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    pub name: String,
    /// Empty where the manifest gives none, like the rest.
    pub version: String,
    pub description: String,
    pub authors: Vec<String>,
}

impl Manifest {
    pub fn pipeline(&self, id: &str) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.id == id)
    }

    pub fn feed(&self, name: &str) -> Option<&Feed> {
        self.feeds.iter().find(|feed| feed.name == name)
    }

    pub fn batch(&self, name: &str) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.name == name)
    }

    pub fn merge(&self, name: &str) -> Option<&Merge> {
        self.merges.iter().find(|merge| merge.name == name)
    }

    /// The merges that run by themselves and take a window of these pipelines.
    pub fn automatic_merges<'a>(
        &'a self,
        pipelines: &[&Pipeline],
    ) -> impl Iterator<Item = &'a Merge> + use<'a> {
        let tables = |pipeline: &&Pipeline| {
            pipeline.windows.iter().map(|window| pipeline.table(window)).collect::<Vec<_>>()
        };
        let written: Vec<String> = pipelines.iter().flat_map(tables).collect();
        self.merges
            .iter()
            .filter(move |it| it.auto && it.speed.as_ref().is_some_and(|it| written.contains(it)))
    }

    /// The forecasts that run by themselves after one of these merges.
    pub fn automatic_forecasts<'a>(
        &'a self,
        merges: &[&Merge],
    ) -> impl Iterator<Item = &'a Forecast> + use<'a> {
        let written: Vec<String> = merges.iter().map(|merge| merge.name.clone()).collect();
        self.forecasts.iter().filter(move |it| it.auto && written.iter().any(|merge| it.follows(merge)))
    }

    /// A key and where it is written, for messages: `` `trigger.kafka[candles].topic` (spin.toml:12) ``.
    pub fn locate(&self, key: &str) -> String {
        let line = self.places.find(key).map_or(String::new(), |place| format!(":{}", place.line));
        format!("`{key}` ({}{line})", self.path.display())
    }

    /// Mistakes as the manifest's own are said: with file, line and key.
    pub fn mistakes(&self, mistakes: Vec<Mistake>) -> Errors {
        let mut report = Report::new(&self.path);
        report.secrets = self.secrets.clone();
        for Mistake { key, problem } in mistakes {
            report.add(self.places.find(&key), &key, problem);
        }
        report.into_errors()
    }
}
