//! Reads a Spin manifest (version 2) with Tallow's pipelines in it, `[[trigger.kafka]]` and
//! `[application.trigger.kafka]`, and resolves it into plain configuration in which nothing is left to decide:
//! variables are expanded, defaults filled in, units converted, names checked.
//!
//! ```text
//! text ─► toml ─► node (a tree that knows its lines) ─► spin (Spin's own tables checked)
//!         lock ─►   │ variables expanded
//!                   └─► tables of keys ─► cluster, pipeline, window, component ─► Manifest
//! ```
//!
//! Every mistake is reported at once, each with its line, its key and what to do. Values of secrets are never
//! shown. The crate reads no environment: it is given as a map.

mod aggregate;
mod backfill;
mod batch;
mod cluster;
mod component;
mod component_checks;
mod config_digest;
mod error;
mod feed;
mod forecast;
mod forms;
mod function;
mod json;
mod json_schema;
mod limits;
mod lock;
mod manifest;
mod merge;
mod names;
mod node;
mod pipeline;
mod places;
mod readers;
mod reference;
mod rekey;
mod remote;
mod remote_components;
mod resolve;
mod schema;
mod schema_pieces;
mod secret;
mod section;
mod settings;
mod sink_influxdb;
mod sink_topics;
mod spin;
mod succession;
mod swap;
mod table;
mod toml;
mod topics;
mod units;
mod values;
mod variables;
mod window;

pub use aggregate::{Aggregate, Operation};
pub use backfill::{Asking, Backfill};
pub use batch::{Batch, Checksums, FilePattern, SymbolOf};
pub use cluster::Cluster;
pub use component::{Component, Source};
pub use error::{Error, Errors, Problem, offer};
pub use feed::Feed;
pub use forecast::{Forecast, Holidays};
pub use function::{Vetting, matching};
pub use json_schema::json_schema;
pub use limits::{Epoch, Limits};
pub use lock::load_locked;
pub use manifest::{Application, Manifest};
pub use merge::{Average, Merge};
pub use node::Place;
pub use pipeline::{DEFAULT_SCALE, Decimals, OnBadFunction, OnDataLoss, OnReject, Pipeline, WantedColumn};
pub use places::{Mistake, Places};
pub use reference::reference;
pub use rekey::Rekey;
pub use resolve::{Overrides, load, resolve, resolve_here, resolve_json};
pub use secret::{Secret, Secrets, Setting, exposed};
pub use sink_influxdb::{ApiVersion, PointDecimals, PointMode, WindowPoints};
pub use sink_topics::{DeadLetters, JsonDecimals, JsonTimes, LateRows, OutputMode, WindowTopic};
pub use succession::{COMPLETE, Kept, Succession};
pub use swap::{Invariant, Operand, Swap, SwapMode};
pub use toml::join as key_path;
pub use topics::{StartingOffsets, Topics};
pub use units::moment_us;
pub use units::{bytes as parse_bytes, duration as parse_duration};
pub use variables::environment_name;
pub use window::{Fill, FillWith, IdColumns, OnUntracked, Shape, Window};
