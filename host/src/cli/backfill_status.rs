//! What `tallow status` shows about a backfill: its last commit, what it has published, what its exchange does not have.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tallow_log::Record;
use tallow_log::record::Kind;
use tallow_manifest::Backfill;
use tallow_store::Store;

use super::report::{counted, duration, time};
use tallow_backfill::{BackfillError, Fetches, Spans, job_name, look};

/// Spans of a symbol that are listed one by one.
const SPANS_SHOWN: usize = 5;
/// Records that are looked through for a commit: only fences can come after it.
const RECORDS: usize = 20;

pub struct Status<'m> {
    backfill: &'m Backfill,
    commit: Option<Record<Fetches>>,
    no_data: BTreeMap<String, Spans>,
}

impl<'m> Status<'m> {
    pub fn of(store: &Store, backfill: &'m Backfill) -> Result<Self, BackfillError> {
        let records = tallow_log::status::last_of(store, &job_name(&backfill.name), 0, RECORDS)?;
        let commit = records.into_iter().find(|record| record.kind == Kind::Commit);
        Ok(Self { backfill, commit, no_data: look(store, &backfill.name)?.all().clone() })
    }

    fn windows(&self) -> impl Iterator<Item = (&String, u64)> {
        let windows = self.commit.iter().flat_map(|commit| &commit.state.ledger.windows);
        windows.map(|(name, counts)| (name, counts.closed))
    }

    pub fn print(&self, lake: &str) {
        let name = &self.backfill.name;
        let Some(commit) = &self.commit else {
            println!(
                "backfill {name} of `{}`: nothing has been fetched into {lake}",
                self.backfill.pipeline()
            );
            return;
        };
        println!(
            "backfill {name} of `{}`: commit {} at {}",
            self.backfill.pipeline(),
            commit.commit_id(),
            time(commit.at_us)
        );
        for (window, bars) in self.windows() {
            println!("  {window}  {} computed", counted(bars, "bar"));
        }
        for (symbol, spans) in &self.no_data {
            println!("  {symbol}  {} that the exchange does not have", duration(spans.length_us()));
            for (from_us, to_us) in spans.iter().rev().take(SPANS_SHOWN) {
                println!("    {} to {}  {}", time(from_us), time(to_us), duration(to_us - from_us));
            }
            let more = spans.iter().count().saturating_sub(SPANS_SHOWN);
            if more > 0 {
                println!("    and {more} before");
            }
        }
    }

    pub fn as_json(&self) -> Value {
        json!({
            "backfill": self.backfill.name,
            "pipeline": self.backfill.pipeline(),
            "commit": self.commit.as_ref().map(Record::commit_id),
            "at_us": self.commit.as_ref().map(|commit| commit.at_us),
            "bars": self.windows().collect::<BTreeMap<_, _>>(),
            "no_data_us": self.no_data,
        })
    }
}
