//! A pipeline's candles in databases of InfluxDB, as the manifest asks for them.

use std::sync::Arc;

use tallow_http::{AllowList, Guarded, Limits, Origin, Wire};
use tallow_manifest::{ApiVersion, Manifest, Pipeline, PointDecimals, PointMode, WindowPoints};
use tallow_sink::Sink;
use tallow_sink_influxdb::settings::{Credentials, Database, Decimals, Mode, Server, Settings, Window};
use tallow_sink_influxdb::{Edges, InfluxDb};

use super::Host;
use crate::cli::Failure;

/// Answers to writes are short; a page of a proxy's is cut off.
const ANSWER_BYTES: u64 = 1 << 20;

/// The sink of a pipeline's databases; `None` if the manifest names none.
pub(super) fn sink(
    host: &Host,
    manifest: &Manifest,
    pipeline: &Pipeline,
) -> Result<Option<Arc<dyn Sink>>, Failure> {
    let wanted: Vec<(&tallow_manifest::Window, &WindowPoints)> =
        pipeline.windows.iter().filter_map(|window| Some((window, window.influxdb.as_ref()?))).collect();
    // The strictest counts: what waits for one waits for all.
    let Some(backlog) = wanted.iter().map(|(_, points)| points.backlog).min() else { return Ok(None) };
    let windows = wanted.iter().map(|(window, points)| {
        let key =
            manifest.locate(&format!("trigger.kafka[{}].windows[{}].influxdb", pipeline.id, window.name));
        let measurement = pipeline.measurement(window, points);
        (window.name.clone(), window_of(points, measurement, key))
    });
    let settings = Settings { windows: windows.collect() };
    let edges = Edges {
        http: Arc::new(http(host, pipeline, &wanted.iter().map(|(_, points)| *points).collect::<Vec<_>>())?),
        store: host.store.clone(),
        clock: host.clock.clone(),
        random: host.random.clone(),
    };
    Ok(Some(Arc::new(InfluxDb::new(&pipeline.id, settings, backlog, edges))))
}

fn window_of(points: &WindowPoints, measurement: String, key: String) -> Window {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let database = match points.version {
        ApiVersion::V1 => Database::V1 {
            database: text(&points.database),
            retention_policy: points.retention_policy.clone(),
        },
        ApiVersion::V2 => Database::V2 { org: text(&points.org), bucket: text(&points.bucket) },
        ApiVersion::V3 => Database::V3 { database: text(&points.database) },
    };
    let credentials = match (&points.token, &points.user, &points.password) {
        (Some(token), ..) => Credentials::Token(token.expose().to_owned()),
        (None, Some(user), Some(password)) => {
            Credentials::Password { user: user.clone(), password: password.expose().to_owned() }
        }
        _ => Credentials::Nothing,
    };
    Window {
        measurement,
        tags: points.tags.clone(),
        decimals: match points.decimals {
            PointDecimals::Float => Decimals::Float,
            PointDecimals::String => Decimals::Text,
        },
        mode: match points.mode {
            PointMode::Append => Mode::Append,
            PointMode::Update => Mode::Update,
        },
        server: Server {
            url: points.url.clone(),
            database,
            credentials,
            batch_points: points.batch_points,
            key,
        },
    }
}

/// A client for the servers of the manifest, and for no others.
fn http(host: &Host, pipeline: &Pipeline, servers: &[&WindowPoints]) -> Result<Guarded<Wire>, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("pipeline `{}`, influxdb: {error}", pipeline.id))
    };
    let mut allow = AllowList::default();
    for points in servers {
        let url = url::Url::parse(&points.url).map_err(|error| failed(&error))?;
        let origin = Origin::of(&url).map_err(|error| failed(&error))?;
        allow = match points.internal || points.is_local() {
            true => allow.internal(origin),
            false => allow.public(origin),
        };
    }
    let longest = servers.iter().map(|points| points.timeout).max();
    let limits = Limits::default();
    // A redirected write would become a read.
    let limits =
        Limits { whole: longest.unwrap_or(limits.whole), body_bytes: ANSWER_BYTES, redirects: 0, ..limits };
    tallow_http::client(allow, limits, host.clock.clone()).map_err(|error| failed(&error))
}
