//! `tallow functions show`: what a function says about itself.

use serde_json::json;
use tallow_engine::{Component, ParseDescription, WindowDescription, forecast};
use tallow_vet::Description;

use super::find::{self, Found};
use crate::cli::report::{counted, grouped};
use crate::cli::{Failure, settings};

#[derive(clap::Args)]
pub struct Args {
    /// A component's file, or a component of the manifest
    #[arg(value_name = "FILE|NAME")]
    function: String,
    #[command(flatten)]
    find: find::Args,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let found = args.find.find(&args.function)?;
    let runtime = settings::runtime()?;
    let (component, description) = found.load(&runtime, None, args.json)?;
    if args.json {
        println!("{}", as_json(&found, &component, &description));
        return Ok(());
    }
    println!("{} {}", description.name(), description.version());
    println!("  contract  {}", component.exports().join(", "));
    println!("  file      {}", found.path.display());
    println!("  size      {} bytes", grouped(found.bytes.len() as u64));
    println!("  digest    sha256:{}", component.digest());
    match description {
        Description::Parse(description) => parse(&description),
        Description::Window(description) => window(&description),
        Description::Feed(it) => println!("  exchange  {}, {}", it.ws_url, it.rest_url),
        Description::Forecast(it) => model(&it),
        Description::Backfill(_) | Description::Merge(_) => {}
    }
    Ok(())
}

fn parse(description: &ParseDescription) {
    let wants = [(description.wants_keys, "keys"), (description.wants_headers, "headers")];
    let wants: Vec<&str> = wants.iter().filter(|(wants, _)| *wants).map(|(_, what)| *what).collect();
    match description.kinds.is_empty() {
        true => println!("  kinds     those of its setting `schema`"),
        false => println!("  kinds     {}", description.kinds.join(", ")),
    }
    println!("  reads     values{}", wants.iter().map(|what| format!(", {what}")).collect::<String>());
    if description.columns.is_empty() {
        println!("  columns   those of its setting `schema`");
        return;
    }
    println!("  columns");
    let width = description.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
    for column in &description.columns {
        println!("    {:<width$}  {:<12}  {}", column.name, column.type_.name(), column.meaning);
    }
}

fn window(description: &WindowDescription) {
    println!("  state     writes version {}, reads {}", description.state_version, versions(description));
}

fn model(description: &forecast::Description) {
    let takes = [(description.regressors, "regressors"), (description.holidays, "holidays")];
    let takes: String =
        takes.iter().filter(|(takes, _)| *takes).map(|(_, what)| format!(", {what}")).collect();
    println!("  takes     a series of at least {}{takes}", counted(description.least_rows.into(), "row"));
    println!("  settings");
    let settings = &description.settings;
    let width = settings.iter().map(|setting| setting.name.chars().count()).max().unwrap_or(0);
    for setting in settings {
        println!("    {:<width$}  {} [default: {}]", setting.name, setting.meaning, setting.default);
    }
}

fn versions(description: &WindowDescription) -> String {
    description.reads_state_versions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn as_json(found: &Found, component: &Component, description: &Description) -> serde_json::Value {
    let mut shown = json!({
        "name": description.name(),
        "version": description.version(),
        "contract": component.contract().name(),
        "exports": component.exports(),
        "file": found.path,
        "size_bytes": found.bytes.len(),
        "sha256": component.digest(),
    });
    match description {
        Description::Parse(it) => {
            let columns = it.columns.iter().map(|column| {
                json!({ "name": column.name, "type": column.type_.name(), "meaning": column.meaning })
            });
            shown["kinds"] = json!(it.kinds);
            shown["columns"] = columns.collect();
            shown["wants_keys"] = json!(it.wants_keys);
            shown["wants_headers"] = json!(it.wants_headers);
        }
        Description::Window(it) => {
            shown["state_version"] = json!(it.state_version);
            shown["reads_state_versions"] = json!(it.reads_state_versions);
        }
        Description::Feed(it) => {
            shown["ws_url"] = json!(it.ws_url);
            shown["rest_url"] = json!(it.rest_url);
        }
        Description::Forecast(it) => {
            shown["settings"] = json!(it.settings);
            shown["regressors"] = json!(it.regressors);
            shown["holidays"] = json!(it.holidays);
            shown["least_rows"] = json!(it.least_rows);
        }
        Description::Backfill(_) | Description::Merge(_) => {}
    }
    shown
}
