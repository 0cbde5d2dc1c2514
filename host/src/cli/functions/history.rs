//! `tallow functions history`: the swaps, releases and rollbacks of the pipelines. Needs no running pipeline.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::json;
use tallow_log::record::{Change, What};
use tallow_log::status::last_records;

use crate::cli::report::time;
use crate::cli::{Failure, settings, wire};
use tallow_pipeline::PipelineError;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Show this pipeline and no other
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let store = wire::store(&manifest.kafka)?;
    let mut shown = Vec::new();
    for pipeline in settings::pipelines(&manifest, args.pipeline.as_deref())? {
        let newest = last_records(&store, &pipeline.id, 0, 1).map_err(PipelineError::from)?;
        let changes = newest.into_iter().next().map(|record| record.state.live.changes).unwrap_or_default();
        if args.json {
            shown.push(json!({ "pipeline": pipeline.id, "changes": changes }));
        } else {
            print(&pipeline.id, &changes);
        }
    }
    if args.json {
        println!("{}", json!({ "lake": store.url(), "pipelines": shown }));
    }
    Ok(())
}

fn print(pipeline: &str, changes: &[Change]) {
    println!("{pipeline}");
    if changes.is_empty() {
        println!("  no function has been changed while it ran");
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["record", "time", "what", "function", "from", "to", "why"]);
    for change in changes {
        let what = match change.what {
            What::Swap => "swap",
            What::Release => "release",
            What::Rollback => "rollback",
        };
        table.add_row([
            change.seq.to_string(),
            time(change.at_us),
            what.to_owned(),
            format!("{} ({})", change.name, change.role.name()),
            change.from.to_string()[..12].to_owned(),
            change.to.to_string()[..12].to_owned(),
            change.why.clone(),
        ]);
    }
    println!("{table}");
}
