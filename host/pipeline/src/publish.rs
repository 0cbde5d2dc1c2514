//! Publishing what was committed. A sink whose service is away is waited for: the commit has happened, and the stages before
//! stand still meanwhile, as their queues are full.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use tallow_env::Clock;
use tallow_log::resolve::Marked;
use tallow_log::{Log, Publication};
use tallow_sink::{Sink, SinkError};

use crate::error::PipelineError;
use crate::reminder::{Notice, Reminder};
use crate::words::duration;

/// From one try to the next.
const RETRY: Duration = Duration::from_secs(1);
/// How often a service may give this process up while the log is still its own: a transaction that took too long, an older
/// owner that woke up and left.
const FENCED_AT_MOST: u32 = 3;

pub struct Publisher {
    pub pipeline: String,
    pub sinks: Vec<Arc<dyn Sink>>,
    pub clock: Arc<dyn Clock>,
    /// Set from outside: wait for nothing more.
    pub stop: Arc<AtomicBool>,
}

impl Publisher {
    /// Takes over the sinks that keep a marker, and notes through which commit each has published. What is out already
    /// is taken from `to_publish`.
    ///
    /// # Errors
    /// A sink's service is away, or its marker and the log cannot both be right.
    pub fn take_over(&self, job: &mut Log, to_publish: &mut Vec<Publication>) -> Result<(), PipelineError> {
        for sink in self.sinks.iter().filter(|sink| sink.keeps_marker()) {
            let name = sink.name();
            let newest = job.newest();
            let marker = sink.take_over(&newest.chain, newest.shard)?;
            // Whoever took the shard over meanwhile has fenced this process there, or is about to.
            job.check_owner()?;
            let published = newest.published_through(name);
            let marked = Marked { marker, published, released: newest.released_through(name) };
            let through = marked.through().map_err(|fault| {
                let key = format!("{}/{}", newest.chain, newest.shard);
                PipelineError::Checkpoint(format!(
                    "pipeline `{}`: what sink `{name}` has published is not certain: {fault}. Nothing is published. Was its marker \
                     topic deleted or changed, another cluster or `marker-topic` given, or the lake put back from a backup? \
                     Put that right. If the topics hold everything through commit {published} and nothing after it, write the \
                     marker again: key `{key}`, value `{{\"published_through\":{published}}}`. Or give the pipeline another \
                     `id`: it then starts from the beginning, beside the old tables",
                    self.pipeline
                ))
            })?;
            to_publish.retain(|publication| publication.is_due(name, through));
            if through > published {
                job.published(name, through);
            }
        }
        Ok(())
    }

    /// Publishes one item, and waits for its sink if it is away.
    ///
    /// # Errors
    /// The sink refuses, another owner has the log, or a stop was asked for while it was waited for.
    pub fn publish(&self, job: &Log, sink: &str, name: &str, bytes: Bytes) -> Result<(), PipelineError> {
        let (mut outage, mut fenced) = (Reminder::at_once(), 0);
        loop {
            let published = tallow_sink::publish(&self.sinks, sink, name, bytes.clone());
            match (&published, outage.look(self.clock.ticks(), published.is_err())) {
                (Ok(()), Notice::Over { after }) => {
                    let (pipeline, after) = (&self.pipeline, duration(after.as_micros() as i64));
                    tracing::info!(pipeline, sink, after, "takes results again");
                }
                (Err(SinkError::Unreachable { .. }), Notice::Lasts { so_far }) => {
                    let so_far = duration(so_far.as_micros() as i64);
                    let error = published.as_ref().err().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(
                        pipeline = self.pipeline,
                        error,
                        so_far,
                        "results are committed and wait to be published; nothing more is read meanwhile"
                    );
                }
                _ => {}
            }
            match published {
                Ok(()) => return Ok(()),
                Err(error @ SinkError::Unreachable { .. }) => self.wait(job, error)?,
                Err(error @ SinkError::Fenced { .. }) => {
                    fenced += 1;
                    if fenced > FENCED_AT_MOST {
                        return Err(error.into());
                    }
                    tracing::warn!(pipeline = self.pipeline, %error, "begins again with the marker");
                    self.wait(job, error)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Until the next try. Fails if another process has the log by now, or a stop was asked for.
    fn wait(&self, job: &Log, error: SinkError) -> Result<(), PipelineError> {
        match job.check_owner() {
            Err(owner) if !owner.is_transient() => return Err(owner.into()),
            _ => {}
        }
        if self.clock.sleep_unless(&self.stop, RETRY) { Ok(()) } else { Err(error.into()) }
    }

    /// Publishes what was committed and may not have been published.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub fn republish(&self, job: &mut Log, publications: Vec<Publication>) -> Result<(), PipelineError> {
        job.publish(publications, |job, outgoing, bytes| {
            self.publish(job, &outgoing.sink, &outgoing.name, bytes)
        })
    }
}
