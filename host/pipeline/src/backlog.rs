//! Commits whose results wait for a service that may be away for a while. They wait in the log, which keeps what is not
//! published; here is only their list. The pipeline goes on meanwhile, until the log is further ahead than the sink's
//! backlog.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tallow_log::record::SeqRange;
use tallow_log::{Log, Publication};
use tallow_sink::{Item, Sink, SinkError};

use crate::error::PipelineError;
use crate::publish::Publisher;
use crate::reminder::{Notice, Reminder};
use crate::words::duration;

/// What waits, by sink, oldest first.
#[derive(Default)]
pub struct Backlog {
    sinks: BTreeMap<String, Waiting>,
}

struct Waiting {
    commits: VecDeque<Publication>,
    /// What was committed last, by name: it need not be read from the store if it goes out at once.
    fresh: Option<(String, Bytes)>,
    outage: Reminder,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { commits: VecDeque::new(), fresh: None, outage: Reminder::at_once() }
    }
}

/// What to do while a service takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Wait where the log is as far ahead as the sink's backlog allows.
    Backlog,
    /// Wait until everything is out.
    Wait,
    /// Leave it to the next start.
    Leave,
}

impl Backlog {
    /// Takes the publications of the sinks that have a backlog, in order; gives the others.
    pub fn take(&mut self, publisher: &Publisher, publications: Vec<Publication>) -> Vec<Publication> {
        let has_backlog = |publication: &Publication| {
            publisher.sinks.iter().any(|sink| sink.name() == publication.sink && sink.backlog() > 0)
        };
        let (own, others): (Vec<Publication>, _) = publications.into_iter().partition(has_backlog);
        for publication in own {
            self.sinks.entry(publication.sink.clone()).or_default().commits.push_back(publication);
        }
        others
    }

    /// Keeps what a sink with a backlog was just given.
    pub fn keep(&mut self, item: Item) {
        self.sinks.entry(item.sink.to_owned()).or_default().fresh = Some((item.name, item.bytes));
    }

    pub fn is_empty(&self) -> bool {
        self.sinks.values().all(|waiting| waiting.commits.is_empty())
    }

    /// Whether nothing of a sink waits.
    pub fn is_clear(&self, sink: &str) -> bool {
        self.sinks.get(sink).is_none_or(|waiting| waiting.commits.is_empty())
    }

    /// Drops what a rollback has made void.
    pub fn void(&mut self, range: SeqRange) {
        for waiting in self.sinks.values_mut() {
            waiting.commits.retain(|publication| !range.contains(publication.seq));
        }
    }

    /// Publishes, in order, what the sinks take.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub fn flush(
        &mut self,
        publisher: &Publisher,
        job: &mut Log,
        patience: Patience,
    ) -> Result<(), PipelineError> {
        for sink in publisher.sinks.iter().filter(|sink| sink.backlog() > 0) {
            if let Some(waiting) = self.sinks.get_mut(sink.name()) {
                waiting.flush(publisher, &**sink, job, patience)?;
            }
        }
        Ok(())
    }
}

impl Waiting {
    fn flush(
        &mut self,
        publisher: &Publisher,
        sink: &dyn Sink,
        job: &mut Log,
        patience: Patience,
    ) -> Result<(), PipelineError> {
        while let Some(next) = self.commits.front() {
            let ahead = job.newest().seq.saturating_sub(next.seq);
            let wait = match patience {
                Patience::Backlog => ahead >= sink.backlog(),
                Patience::Wait => true,
                Patience::Leave => false,
            };
            for outgoing in &next.outbox {
                let bytes = match self.fresh.take_if(|(name, _)| *name == outgoing.name) {
                    Some((_, bytes)) => bytes,
                    None => job.read_blob(&outgoing.blob)?,
                };
                if wait {
                    publisher.publish(job, sink.name(), &outgoing.name, bytes)?;
                    continue;
                }
                match sink.publish(&outgoing.name, bytes) {
                    Ok(()) => {}
                    Err(error @ SinkError::Unreachable { .. }) => {
                        self.remind(publisher, sink, &error);
                        return Ok(());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            job.published(sink.name(), next.seq);
            self.commits.pop_front();
        }
        let now = publisher.clock.ticks();
        if let Notice::Over { after } = self.outage.look(now, false) {
            let (pipeline, after) = (&publisher.pipeline, duration(after.as_micros() as i64));
            tracing::info!(pipeline, sink = sink.name(), after, "takes results again, and has all of them");
        }
        Ok(())
    }

    fn remind(&mut self, publisher: &Publisher, sink: &dyn Sink, error: &SinkError) {
        if let Notice::Lasts { so_far } = self.outage.look(publisher.clock.ticks(), true) {
            tracing::error!(
                pipeline = publisher.pipeline,
                %error,
                so_far = duration(so_far.as_micros() as i64),
                commits = self.commits.len(),
                "results are committed and wait to be published; the pipeline goes on until it is {} commits ahead (`backlog`)",
                sink.backlog()
            );
        }
    }
}
