//! Kafka's client: whether it takes the manifest's settings, and a pipeline's source.

use std::sync::Arc;

use tallow_env::Clock;
use tallow_manifest::{self as manifest, Cluster, Manifest, Mistake, Pipeline, exposed, key_path};
use tallow_pipeline::PipelineError;
use tallow_source::{Config, KafkaSource, OnDataLoss, SourceError, Topics};

use crate::cli::Failure;

/// Whether Kafka's client takes the manifest's settings.
pub fn check_client(manifest: &Manifest) -> Result<(), Failure> {
    let (mut mistakes, mut others) = (Vec::new(), Vec::new());
    let client = exposed(&manifest.kafka.client);
    for error in tallow_source::check_client(&client) {
        match error {
            SourceError::Setting { key, why } => mistakes.push(of_client(&key, why)),
            other => others.push(other),
        }
    }
    match others.into_iter().next() {
        Some(other) if mistakes.is_empty() => Err(PipelineError::from(other).into()),
        _ if mistakes.is_empty() => {
            manifest.pipelines.iter().try_for_each(|pipeline| check_results_client(manifest, pipeline))
        }
        _ => Err(Failure::usage(manifest.mistakes(mistakes))),
    }
}

/// Whether the client that sends a pipeline's results takes the manifest's settings.
pub fn check_results_client(manifest: &Manifest, pipeline: &Pipeline) -> Result<(), Failure> {
    if pipeline.result_topics().is_empty() {
        return Ok(());
    }
    let wrong = tallow_sink_kafka::check_client(&exposed(&manifest.kafka.client));
    wrong.into_iter().next().map_or(Ok(()), |error| Err(failure(manifest, error.into())))
}

fn of_client(key: &str, problem: String) -> Mistake {
    Mistake { key: key_path("application.trigger.kafka.client", key), problem }
}

/// A setting that Kafka's client refuses is a mistake in the manifest.
pub(super) fn failure(manifest: &Manifest, error: PipelineError) -> Failure {
    let PipelineError::Source(SourceError::Setting { key, why }) = error else { return error.into() };
    Failure::usage(manifest.mistakes(vec![of_client(&key, why)]))
}

/// A topic that results were sent to.
pub fn results(cluster: &Cluster, topic: &str, clock: Arc<dyn Clock>) -> Result<KafkaSource, PipelineError> {
    Ok(KafkaSource::new(Config {
        brokers: cluster.brokers.clone(),
        client: exposed(&cluster.client),
        topics: Topics::Names(vec![topic.to_owned()]),
        on_data_loss: OnDataLoss::Continue,
        group_for_lag: None,
        clock,
    })?)
}

pub fn source(
    cluster: &Cluster,
    pipeline: &Pipeline,
    clock: Arc<dyn Clock>,
) -> Result<KafkaSource, PipelineError> {
    Ok(KafkaSource::new(Config {
        brokers: cluster.brokers.clone(),
        client: exposed(&cluster.client),
        topics: match &pipeline.topics {
            manifest::Topics::Names(names) => Topics::Names(names.clone()),
            manifest::Topics::Pattern(pattern) => Topics::Pattern(pattern.clone()),
        },
        on_data_loss: match pipeline.on_data_loss {
            manifest::OnDataLoss::Halt => OnDataLoss::Halt,
            manifest::OnDataLoss::Continue => OnDataLoss::Continue,
        },
        group_for_lag: Some(format!("tallow-{}", pipeline.id)),
        clock,
    })?)
}
