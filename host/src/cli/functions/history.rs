//! `tallow functions history`: the swaps, releases and rollbacks of the pipelines. Needs no running pipeline.

use serde_json::json;
use tallow_log::record::{Change, What};

use crate::cli::report::time;
use crate::cli::table::texts;
use crate::cli::{Failure, compose, settings};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Show only this pipeline
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let manifest = args.settings.load()?;
    let store = compose::store(&manifest.kafka)?;
    let mut shown = Vec::new();
    for pipeline in settings::pipelines(&manifest, args.pipeline.as_deref())? {
        let newest = compose::newest_record(&store, &pipeline.id)?;
        let changes = newest.map(|record| record.state.live.changes).unwrap_or_default();
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
    let mut table = texts(&["record", "time", "what", "function", "from", "to", "why"]);
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
