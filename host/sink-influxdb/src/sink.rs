//! The sink: one item an epoch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tallow_env::{Backoff, Clock, Random, Ticks};
use tallow_http::Http;
use tallow_sink::{EpochOutput, Item, Sink, SinkError};
use tallow_store::Store;

use crate::answer::{Verdict, judge};
use crate::point::{self, Point};
use crate::prepare;
use crate::refused::{self, Refused};
use crate::request;
use crate::settings::{Server, Settings};
use crate::write::{self, Stopped};

/// Names the sink in the checkpoint log.
pub const NAME: &str = "influxdb";

/// Between two tries, where the server asks for no longer pause.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A server that asks for a longer pause is asked again after this.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What the sink touches.
#[derive(Clone)]
pub struct Edges {
    /// For the servers of the settings, and no others; without redirects, which would make a read of a write.
    pub http: Arc<dyn Http>,
    /// Where refused points are kept.
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

/// A pipeline's candles in databases of InfluxDB.
pub struct InfluxDb {
    pipeline: String,
    settings: Settings,
    /// See [`Sink::backlog`].
    backlog: u64,
    edges: Edges,
    outage: Mutex<Outage>,
}

/// When the next try is due.
struct Outage {
    backoff: Backoff,
    until: Option<(Ticks, String)>,
}

impl InfluxDb {
    pub fn new(pipeline: &str, settings: Settings, backlog: u64, edges: Edges) -> Self {
        let outage = Mutex::new(Outage { backoff: Backoff::new(PAUSE.0, PAUSE.1), until: None });
        Self { pipeline: pipeline.to_owned(), settings, backlog, edges, outage }
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails without a request while the pause after a failure lasts.
    fn may_try(&self, server: &Server) -> Result<(), SinkError> {
        match &self.outage().until {
            Some((until, why)) if self.edges.clock.ticks() < *until => {
                Err(SinkError::Unreachable { service: server.service(), why: why.clone() })
            }
            _ => Ok(()),
        }
    }

    fn stopped(&self, server: &Server, stopped: Stopped) -> SinkError {
        let service = server.service();
        match stopped {
            Stopped::Refused { why } => {
                SinkError::Refused { service, why: format!("{why} ({})", server.key) }
            }
            Stopped::Later { why, after } => {
                let mut outage = self.outage();
                let own = outage.backoff.half_jittered(&*self.edges.random);
                let pause = after.map_or(own, |after| after.clamp(own, LONGEST_WAIT));
                let until = Ticks(self.edges.clock.ticks().0 + pause.as_micros() as u64);
                outage.until = Some((until, why.clone()));
                SinkError::Unreachable { service, why }
            }
        }
    }

    fn write<'p>(&self, name: &str, points: &'p [Point]) -> Result<Vec<Refused<'p>>, SinkError> {
        let window = &points[0].window;
        let Some(to) = self.settings.windows.get(window) else {
            return Err(SinkError::Unknown {
                sink: NAME.to_owned(),
                name: format!("{name}, window {window}"),
            });
        };
        self.may_try(&to.server)?;
        let fit: Vec<&Point> = points.iter().filter(|point| point.unfit.is_none()).collect();
        let lines: Vec<&str> = fit.iter().map(|point| point.line.as_str()).collect();
        let edges = (&to.server, &*self.edges.http, &*self.edges.clock);
        let refused = write::write(edges, &lines).map_err(|stopped| self.stopped(&to.server, stopped))?;
        let mut outage = self.outage();
        outage.backoff.reset();
        outage.until = None;
        let refused = refused.into_iter().map(|(at, why)| (fit[at], why));
        let unfit = points.iter().filter_map(|point| Some((point, point.unfit.clone()?)));
        let of =
            |(point, why): (&'p Point, String)| Refused { window: &point.window, line: &point.line, why };
        Ok(refused.chain(unfit).map(of).collect())
    }

    /// Keeps refused points in the lake and says so, and says what has no field.
    fn report(&self, name: &str, points: &[Point], refused: &[Refused<'_>]) -> Result<(), SinkError> {
        let (pipeline, commit) = (&self.pipeline, commit_of(name));
        let left_out: i64 = points.iter().map(|point| point.left_out).sum();
        if left_out > 0 {
            tracing::warn!(
                pipeline,
                commit,
                values = left_out,
                "values are NaN or infinite: InfluxDB has no such fields, and their points name them in `null_fields`"
            );
        }
        let Some(first) = refused.first() else { return Ok(()) };
        let kept = refused::keep(&self.edges.store, pipeline, commit, refused)?;
        tracing::error!(
            pipeline,
            commit,
            points = refused.len(),
            object = self.edges.store.at(&kept),
            first = first.why,
            "InfluxDB does not take these points: they are set aside in the lake, and the pipeline continues. Candles are in the \
             lake's tables all the same"
        );
        Ok(())
    }

    fn check_server(&self, server: &Server) -> Result<(), SinkError> {
        // Nothing is written; who may not write, or where there is no database, is told all the same.
        let answer = self.edges.http.send(&request::write(server, String::new()));
        match judge(&answer, 0, self.edges.clock.now_us()) {
            Verdict::Refused { why } if !answer.is_ok_and(|answer| answer.status == 200) => {
                Err(self.stopped(server, Stopped::Refused { why }))
            }
            Verdict::Later { why, .. } => {
                let pipeline = &self.pipeline;
                tracing::warn!(pipeline, service = server.service(), why, "cannot be reached at the start");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Sink for InfluxDb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError> {
        let points = prepare::points(&self.settings, output)?;
        if points.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![point::item(&points, output)?])
    }

    fn backlog(&self) -> u64 {
        self.backlog
    }

    fn check(&self) -> Result<(), SinkError> {
        self.settings.windows.values().try_for_each(|window| self.check_server(&window.server))
    }

    fn publish(&self, name: &str, bytes: Bytes) -> Result<(), SinkError> {
        let points = point::decode(name, bytes)
            .map_err(|error| SinkError::Encode { name: error.path, why: error.why })?;
        let mut refused = Vec::new();
        for of_window in points.chunk_by(|one, next| one.window == next.window) {
            refused.extend(self.write(name, of_window)?);
        }
        self.report(name, &points, &refused)
    }
}

fn commit_of(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".parquet").unwrap_or(file)
}
