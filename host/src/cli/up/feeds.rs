//! The feeds with `run = true`, each in a thread beside the pipelines.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::json;
use tallow_env::Finally;
use tallow_feed::{Counts, FeedError, Progress};
use tallow_manifest::Manifest;

use super::How;
use crate::cli::compose::{Feeding, Host, feed_failed, sink_of};
use crate::cli::produce::pieces;
use crate::cli::report::{Show, counted};
use crate::cli::{Failure, spawn};

struct Running {
    name: String,
    topic: String,
    progress: Arc<Progress>,
    /// What went wrong comes out of it, if something did.
    thread: JoinHandle<()>,
    failed: crossbeam_channel::Receiver<FeedError>,
}

pub struct Feeds {
    running: Vec<Running>,
    ended: Arc<AtomicBool>,
}

impl Feeds {
    /// Starts them, unless the run is one of what the topics hold, or of one pipeline.
    pub fn start(manifest: &Manifest, host: &Host, how: &How) -> Result<Self, Failure> {
        let ended = Arc::new(AtomicBool::new(false));
        let mut running = Vec::new();
        for feed in manifest.feeds.iter().filter(|feed| feed.run) {
            let instead = match (how.available_now, &how.only) {
                (true, _) => Some("`--available-now`"),
                (_, Some(_)) => Some("`--only`"),
                _ => None,
            };
            if let Some(option) = instead {
                let name = &feed.name;
                tracing::warn!(
                    "{option}: the feed `{name}` is not run; `tallow produce --source feed --feed {name}` runs it"
                );
                continue;
            }
            let feeding = Feeding {
                manifest,
                gate: &host.gate,
                runtime: &host.runtime,
                clock: host.clock.clone(),
                random: host.random.clone(),
            };
            let progress = Arc::new(Progress::default());
            let services = feeding.compose(feed, sink_of(manifest, feed.topic.clone()), progress.clone())?;
            let (stop, ended) = (host.stop.clone(), ended.clone());
            let (tell, failed) = crossbeam_channel::bounded(1);
            let thread = spawn("feed", move || {
                // Without it the pipelines would wait for records that do not come.
                let _ended = Finally(|| stop.store(true, Ordering::Relaxed));
                let mut watch = |_: tallow_produce::Progress, _: &Counts| match stop.load(Ordering::Relaxed)
                    || ended.load(Ordering::Relaxed)
                {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                };
                if let Err(error) = tallow_feed::run(services, &mut watch) {
                    // There is room for it.
                    let _ = tell.send(error);
                }
            })?;
            running.push(Running {
                name: feed.name.clone(),
                topic: feed.topic.clone(),
                progress,
                thread,
                failed,
            });
        }
        Ok(Self { running, ended })
    }

    /// The pipelines have ended: the feeds send what they have, and say what they did.
    pub fn finish(self, show: Show) -> Result<(), Failure> {
        self.ended.store(true, Ordering::Relaxed);
        let mut done = Ok(());
        for Running { name, topic, progress, thread, failed } in self.running {
            let panicked = thread.join().is_err();
            let counts = progress.counts();
            match show {
                Show::Json => println!(
                    "{}",
                    json!({ "summary": format!("feed {name}"), "topic": topic, "counts": counts })
                ),
                Show::Text => println!(
                    "feed `{name}`: {} into topic `{topic}`, {}",
                    counted(counts.records, "message"),
                    pieces(&counts).join(", ")
                ),
                Show::Nothing => {}
            }
            if let Ok(error) = failed.try_recv() {
                done = done.and(Err(feed_failed(error)));
            } else if panicked {
                done = done.and(Err(Failure::failed(format!(
                    "feed `{name}`: a mistake of tallow's; please report it"
                ))));
            }
        }
        done
    }
}
