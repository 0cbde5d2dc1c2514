//! Finished objects: stored as blobs that a commit names, and published after it.

use std::sync::Arc;

use bytes::Bytes;
use tallow_log::record::Outgoing;
use tallow_log::{Job, Publication};
use tallow_sink::{Item, Sink};
use tallow_store::Digest;

use crate::error::PipelineError;

/// Stores finished objects as blobs; what the commit says about them.
pub fn put_outbox(job: &Job, items: &[Item]) -> Result<Vec<Outgoing>, PipelineError> {
    let outgoing = items.iter().map(|item| {
        Ok(Outgoing {
            sink: item.sink.to_owned(),
            name: item.name.clone(),
            rows: item.rows,
            rows_digest: item.rows_digest,
            digest: Digest::of(&item.bytes),
            blob: job.put_blob(item.bytes.clone())?,
        })
    });
    outgoing.collect()
}

/// Publishes finished objects, each by the sink that made it.
pub fn publish(
    sinks: &[Arc<dyn Sink>],
    items: impl Iterator<Item = (String, String, Bytes)>,
) -> Result<(), PipelineError> {
    for (sink, name, bytes) in items {
        let Some(sink) = sinks.iter().find(|it| it.name() == sink) else {
            return Err(PipelineError::Checkpoint(format!(
                "the log has `{name}` to be published by sink `{sink}`, which this version of tallow does not have"
            )));
        };
        sink.publish(&name, bytes)?;
    }
    Ok(())
}

/// What was committed and may not have been published. Publishing twice does no harm.
pub fn republish(
    sinks: &[Arc<dyn Sink>],
    job: &mut Job,
    to_publish: Vec<Publication>,
) -> Result<(), PipelineError> {
    for Publication { sink, seq, outbox } in to_publish {
        for outgoing in outbox {
            let bytes = job.read_blob(&outgoing.blob)?;
            publish(sinks, [(outgoing.sink, outgoing.name, bytes)].into_iter())?;
        }
        job.published(&sink, seq);
    }
    Ok(())
}
