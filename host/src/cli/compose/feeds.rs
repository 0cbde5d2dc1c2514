//! A feed of the manifest, composed to run.

use std::sync::Arc;

use tallow_engine::{CallError, Contract, FeedFunction, Limits, Runtime, feed as contract};
use tallow_env::{Clock, Random};
use tallow_feed::{Bounds, Deadlines, FeedError, Network, Progress, in_http};
use tallow_http::{AllowList, Guard, Origin, SystemNames};
use tallow_manifest::{Feed, Manifest, exposed};
use tallow_produce::SinkConfig;
use url::Url;

use crate::cli::Failure;
use crate::cli::gate::{Gate, Use};
use tallow_env::exit;

/// What the feeds of a process share.
pub struct Feeding<'a> {
    pub manifest: &'a Manifest,
    pub gate: &'a Gate,
    pub runtime: &'a Runtime,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Feeding<'_> {
    /// A feed and its exchange. `brokers` and `client` come from `sink`, the topic from the feed.
    pub fn compose(
        &self,
        feed: &Feed,
        sink: SinkConfig,
        progress: Arc<Progress>,
    ) -> Result<tallow_feed::Services, Failure> {
        let limits = Limits::default();
        let opened = self.gate.open(self.manifest, self.runtime, &feed.function, Contract::Feed)?;
        let component = self.gate.admit(opened, Use { limits, ..Use::default() })?.component;
        let wrong = |why: String| Failure::usage(format!("feed `{}`: {why}", feed.name));
        let called = |error: CallError| wrong(format!("function `{}`: {error}", feed.function));
        let mut function = FeedFunction::new(&component, limits).map_err(called)?;
        let contract::Description { ws_url, rest_url, .. } = function.describe().map_err(called)?;
        let ws_url = feed.ws_url.clone().unwrap_or(ws_url);
        let rest_url = feed.rest_url.clone().unwrap_or(rest_url).trim_end_matches('/').to_owned();
        let parse =
            |key: &str, url: &str| Url::parse(url).map_err(|why| wrong(format!("{key} `{url}`: {why}")));
        let ws = parse("ws-url", &ws_url)?;
        if !matches!(ws.scheme(), "ws" | "wss") {
            return Err(wrong(format!("ws-url `{ws_url}`: write wss://host")));
        }
        let mut allow = AllowList::default();
        for url in [in_http(&ws), parse("rest-url", &rest_url)?] {
            let origin = Origin::of(&url).map_err(|why| wrong(why.to_string()))?;
            allow = if feed.internal { allow.internal(origin) } else { allow.public(origin) };
        }
        let http = tallow_http::client(allow.clone(), tallow_http::Limits::default(), self.clock.clone())
            .map_err(|error| wrong(error.to_string()))?;
        let dial = Network::new(Guard::new(allow, Arc::new(SystemNames)), Deadlines::default())
            .map_err(|error| wrong(error.to_string()))?;
        Ok(tallow_feed::Services {
            name: feed.name.clone(),
            function,
            function_name: feed.function.clone(),
            subscription: contract::Subscription {
                symbols: feed.symbols.clone(),
                streams: feed.streams.clone(),
                settings: feed.settings.clone().into_iter().collect(),
            },
            ws_url: ws,
            rest_url,
            sink: SinkConfig { topic: feed.topic.clone(), ..sink },
            limits: Bounds {
                patience: feed.patience,
                most_ids: feed.most_ids,
                weight: feed.weight,
                life: feed.renew,
                quiet: feed.quiet,
            },
            dial: Arc::new(dial),
            http: Arc::new(http),
            clock: self.clock.clone(),
            random: self.random.clone(),
            progress,
        })
    }
}

/// Where a manifest's topics are.
pub fn sink_of(manifest: &Manifest, topic: String) -> SinkConfig {
    SinkConfig { brokers: manifest.kafka.brokers.clone(), client: exposed(&manifest.kafka.client), topic }
}

/// Why a feed ended, with the exit code.
pub fn feed_failed(error: FeedError) -> Failure {
    Failure::new(if error.is_usage() { exit::USAGE } else { exit::UNAVAILABLE }, error)
}
