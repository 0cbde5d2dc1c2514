//! What a gateway says about itself.

use serde::Serialize;
use tallow_contract::ColumnType;
use tallow_contract::messages::{About, AboutColumn, AboutFunction};

#[cfg(not(test))]
use crate::contracts::{backfill, merge, parse, window};
#[cfg(test)]
use crate::fake::{backfill, merge, parse, window};

/// The description of all paths, for people and their tools.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// [`About`], and what only people want to know.
#[derive(Serialize)]
pub struct Page {
    #[serde(flatten)]
    about: About,
    description: &'static str,
    paths: [&'static str; 8],
}

pub fn about() -> Page {
    Page {
        about: About {
            name: "tallow".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            functions: vec![parse(), window(), merge(), backfill()],
        },
        description: "Tallow's functions over HTTP: market messages to rows, rows to candles. Nothing is kept between \
                      requests. /openapi.json says what each path takes.",
        paths: [
            "GET /",
            "GET /healthz",
            "GET /openapi.json",
            "POST /parse",
            "POST /window",
            "POST /merge",
            "POST /backfill/plan",
            "POST /backfill/decode",
        ],
    }
}

pub fn parse() -> AboutFunction {
    let description = parse::describe();
    let columns = description.columns.into_iter().map(|column| AboutColumn {
        name: column.name,
        column_type: ColumnType::from(column.type_).name().to_owned(),
        meaning: column.meaning,
    });
    AboutFunction {
        kinds: description.kinds,
        columns: columns.collect(),
        wants_keys: description.wants_keys,
        wants_headers: description.wants_headers,
        ..named("tallow:parse/parse@0.1.0", description.name, description.version)
    }
}

pub fn window() -> AboutFunction {
    let description = window::describe();
    AboutFunction {
        state_version: Some(description.state_version),
        reads_state_versions: description.reads_state_versions,
        ..named("tallow:window/window@0.2.0", description.name, description.version)
    }
}

pub fn merge() -> AboutFunction {
    let description = merge::describe();
    named("tallow:merge/merge@0.1.0", description.name, description.version)
}

pub fn backfill() -> AboutFunction {
    let description = backfill::describe();
    named("tallow:backfill/backfill@0.1.0", description.name, description.version)
}

fn named(contract: &str, name: String, version: String) -> AboutFunction {
    AboutFunction {
        contract: contract.to_owned(),
        name,
        version,
        state_version: None,
        reads_state_versions: Vec::new(),
        kinds: Vec::new(),
        columns: Vec::new(),
        wants_keys: false,
        wants_headers: false,
    }
}
