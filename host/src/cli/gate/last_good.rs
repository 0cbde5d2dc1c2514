//! Functions of the run before, in place of changed files that are not fit to run: where the manifest asks for that.

use tallow_engine::Contract;
use tallow_log::record::{Function, Role};
use tallow_manifest::{Manifest, OnBadFunction, Pipeline};
use tallow_store::Digest;

use super::{Gate, OfPipeline, Opened};
use crate::cli::compose::newest_record;
use crate::cli::{Failure, settings};
use tallow_pipeline::functions::contract;
use tallow_worker::library::Library;

impl Gate {
    /// The functions of a pipeline: those of the manifest, or where these are refused and the manifest says so, those of
    /// the last run.
    pub fn of_pipeline_or_last_good(
        &self,
        manifest: &Manifest,
        library: &Library,
        pipeline: &Pipeline,
    ) -> Result<OfPipeline, Failure> {
        let refused = match self.of_pipeline(manifest, library.runtime(), pipeline) {
            Err(refused) if pipeline.on_bad_function == OnBadFunction::LastGood => refused,
            admitted => return admitted,
        };
        let Some((of_last_run, digests)) = self.of_last_run(manifest, library, pipeline)? else {
            return Err(refused);
        };
        tracing::warn!(
            pipeline = pipeline.id,
            why = refused.text,
            functions = digests,
            "the manifest's functions are not fit to run: continuing with those of the last run, as `on-bad-function` says. \
             A start with files that pass will use those"
        );
        Ok(of_last_run)
    }

    /// With what they are called. `None` if no file has changed since they ran, so that they are no better, or if they do
    /// not fit the manifest as it is now.
    fn of_last_run(
        &self,
        manifest: &Manifest,
        library: &Library,
        pipeline: &Pipeline,
    ) -> Result<Option<(OfPipeline, String)>, Failure> {
        let newest = newest_record(library.store(), &pipeline.id)?;
        let functions = newest.map(|record| record.state.functions).unwrap_or_default();
        let of = |role: Role| functions.iter().find(|function| function.role == role);
        let (Some(parse), Some(window)) = (of(Role::Parse), of(Role::Window)) else { return Ok(None) };
        let names = [(parse, pipeline.parse.as_str()), (window, pipeline.window_function())];
        if names.iter().all(|(ran, name)| !changed(manifest, ran, name)) {
            return Ok(None);
        }
        let digests = names.map(|(ran, name)| format!("{name} sha256 {}", ran.digest)).join(", ");
        let [parse, window] = names.map(|(ran, name)| self.open_last(library, ran, name));
        match self.of_opened(manifest, pipeline, parse?, window?) {
            Ok(functions) => Ok(Some((functions, digests))),
            Err(misfit) => {
                tracing::warn!(
                    pipeline = pipeline.id,
                    why = misfit.text,
                    "the functions of the last run do not serve either"
                );
                Ok(None)
            }
        }
    }

    fn open_last(&self, library: &Library, ran: &Function, name: &str) -> Result<Opened, Failure> {
        let bytes = library.bytes(name, ran.digest)?.to_vec();
        let origin = format!("{}, sha256 {}", library.store().url(), ran.digest);
        let vetted = self.open_bytes(library.runtime(), name, &bytes, contract(ran.role));
        let vetted = vetted.map_err(|why| super::failure(name, &origin, why))?;
        Ok(Opened { name: name.to_owned(), bytes, origin, vetted, has_run: true })
    }
}

/// Whether the manifest's file is another one than what ran. One that is not there is.
fn changed(manifest: &Manifest, ran: &Function, name: &str) -> bool {
    let contract: Contract = contract(ran.role);
    let file = settings::component_bytes(manifest, name, contract);
    file.map_or(true, |(bytes, _)| Digest::of(&bytes) != ran.digest)
}
