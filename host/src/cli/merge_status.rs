//! What `tallow status` shows about a merge.

use serde_json::{Value, json};
use tallow_manifest::Merge;
use tallow_merge::notes::{GapNote, Notes};
use tallow_merge::{gaps, peek};
use tallow_store::Store;
use tallow_table::TableState;

use super::compose::merge_settings;
use super::report::{counted, grouped, time};
use super::table::{indented, table};
use super::{Failure, report};

/// Gaps that are listed.
const GAPS_SHOWN: usize = 10;

/// What is known about a merge; `None` if it never ran.
pub struct Status {
    merge: Merge,
    known: Option<(TableState, Notes)>,
}

impl Status {
    pub fn of(store: &Store, merge: &Merge) -> Result<Self, Failure> {
        Ok(Self { merge: merge.clone(), known: peek(store, &merge_settings(merge).job())? })
    }

    pub fn print(&self, lake: &str) {
        let name = &self.merge.name;
        let Some((state, notes)) = &self.known else {
            println!("{name}: not merged yet in {lake}");
            return;
        };
        let settings = merge_settings(&self.merge);
        let serving = settings.serving_table();
        let served = state.partitions.iter().filter(|(path, _)| serving.partition(path).is_some());
        let (partitions, rows) = served.fold((0, 0), |(count, rows), (_, it)| (count + 1, rows + it.rows));
        println!("{name}: merge, run {} in {lake}/{}", state.run, serving.root);
        println!("  rows       {} in {}", grouped(rows), counted(partitions, "partition"));
        let dropped = notes.days.values().filter(|day| day.dropped).count() as u64;
        if dropped > 0 {
            println!("  dropped    speed files of {}, which are served", counted(dropped, "day"));
        }
        let gaps = gaps::all(&settings, notes);
        println!("  gaps       {}", grouped(gaps.len() as u64));
        for (key, gap) in gaps.iter().take(GAPS_SHOWN) {
            println!("             {}", shown_gap(key, gap));
        }
        if gaps.len() > GAPS_SHOWN {
            println!("             and {} more: `tallow status --json`", gaps.len() - GAPS_SHOWN);
        }
        for healed in notes.healed.iter().rev() {
            let span = span(&healed.key, healed.from_us, healed.to_us);
            println!("  mended     {span}, seen {}", time(healed.at_us));
        }
        let mut runs = table(&["run", "at", "written", "removed", "note"]);
        for run in state.runs.iter().rev() {
            let restored = run.restored.map(|run| format!("back to run {run}")).unwrap_or_default();
            let (written, removed) = (grouped(run.written), grouped(run.removed));
            runs.add_row([run.run.to_string(), time(run.at_us), written, removed, restored]);
        }
        println!("{}", indented(&runs));
    }

    pub fn as_json(&self) -> Value {
        let Some((state, notes)) = &self.known else {
            return json!({ "merge": self.merge.name, "run": null });
        };
        let settings = merge_settings(&self.merge);
        let gaps = gaps::all(&settings, notes);
        let gaps: Vec<Value> = gaps
            .iter()
            .map(|(key, gap)| {
                json!({
                    "key": key, "from_us": gap.from_us, "to_us": gap.to_us, "windows": gap.windows,
                    "partial": gap.partial,
                })
            })
            .collect();
        json!({
            "merge": self.merge.name,
            "run": state.run,
            "runs": state.runs,
            "partitions": state.partitions.iter().map(|(path, it)| json!({ "path": path, "rows": it.rows })).collect::<Vec<_>>(),
            "gaps": gaps,
            "healed": notes.healed,
            "dropped_days": notes.days.iter().filter(|(_, day)| day.dropped).map(|(day, _)| day).collect::<Vec<_>>(),
        })
    }
}

fn shown_gap(key: &str, gap: &GapNote) -> String {
    let lack = if gap.partial { "partial" } else { "missing" };
    format!("{}: {} {lack}", span(key, gap.from_us, gap.to_us), counted(gap.windows, "window"))
}

/// `BTCUSDT 2025-01-01 to 2025-01-03`, with the time of day where it is not midnight; the end is not part of it.
pub fn span(key: &str, from_us: i64, to_us: i64) -> String {
    let moment = |us| report::time(us).replace(" 00:00:00.000Z", "");
    format!("{key} {} to {}", moment(from_us), moment(to_us))
}
