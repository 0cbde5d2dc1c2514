//! What a gateway says about itself.

use serde::Serialize;
use tallow_contract::ColumnType;
use tallow_contract::messages::{About, AboutColumn, AboutFunction};

use crate::functions::Functions;

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

pub fn about(functions: &impl Functions) -> Page {
    Page {
        about: About {
            name: "tallow".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            functions: vec![parse(functions), window(functions), merge(functions), backfill(functions)],
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

pub fn parse(functions: &impl Functions) -> AboutFunction {
    let description = functions.parse_description();
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

pub fn window(functions: &impl Functions) -> AboutFunction {
    let description = functions.window_description();
    AboutFunction {
        state_version: Some(description.state_version),
        reads_state_versions: description.reads_state_versions,
        ..named("tallow:window/window@0.2.0", description.name, description.version)
    }
}

pub fn merge(functions: &impl Functions) -> AboutFunction {
    let description = functions.merge_description();
    named("tallow:merge/merge@0.1.0", description.name, description.version)
}

pub fn backfill(functions: &impl Functions) -> AboutFunction {
    let description = functions.backfill_description();
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
