//! What a feed touches and what it is asked for.

use std::sync::Arc;
use std::time::Duration;

use tallow_engine::feed::Subscription;
use tallow_engine::{CallError, FeedFunction};
use tallow_env::{Clock, Random};
use tallow_http::Http;
use tallow_produce::SinkConfig;
use url::Url;

use crate::counts::Progress;
use crate::dial::Dial;
use crate::error::FeedError;

/// Everything that a feed touches, real or in memory.
pub struct Services {
    /// What the feed is called in messages.
    pub name: String,
    pub function: FeedFunction,
    pub function_name: String,
    pub subscription: Subscription,
    /// Where the exchange's sockets are; `ws` or `wss`.
    pub ws_url: Url,
    /// Where its REST API is, without a `/` at the end.
    pub rest_url: String,
    pub sink: SinkConfig,
    pub limits: Bounds,
    pub dial: Arc<dyn Dial>,
    pub http: Arc<dyn Http>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub progress: Arc<Progress>,
}

impl Services {
    pub(crate) fn wrong(&self, call: &'static str, error: CallError) -> FeedError {
        FeedError::Function { feed: self.name.clone(), function: self.function_name.clone(), call, error }
    }
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long missing ids are asked for, while what follows them waits.
    pub patience: Duration,
    /// Of a longer hole, only so many ids before its end are requested.
    pub most_ids: u64,
    /// The allowance for a minute, instead of the function's.
    pub weight: Option<u32>,
    /// When a connection is replaced, instead of the function's.
    pub life: Option<Duration>,
    /// When a quiet series is asked about, instead of the function's.
    pub quiet: Option<Duration>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(600),
            most_ids: 1_000_000,
            weight: None,
            life: None,
            quiet: None,
        }
    }
}
